/** What the host domain sees, and what it changes. Types only. */
import type { Change } from '../domain.ts';

/** A network device of the kernel, ours or not. */
export interface ObservedDevice {
  readonly name: string;
  /** `tap`, or what else the kernel calls it: `tun`, `veth`, `bridge`; `device` where it has no kind (hardware). */
  readonly kind: string;
  /** Set up (IFF_UP), whether or not anything is plugged in. */
  readonly isUp: boolean;
  /** Its other end is open (IFF_LOWER_UP): for a tap, a guest runs on it. Known only while it is up. */
  readonly hasCarrier: boolean;
  /** `ip link … alias`: where our mark is. `undefined` where it has none. */
  readonly alias: string | undefined;
  /** Its device group, a number or a name such as `default`. */
  readonly group: string;
}

/** The devices of one network namespace, by name. */
export interface ObservedHost {
  readonly devices: ReadonlyMap<string, ObservedDevice>;
}

interface TapChange extends Change {
  readonly domain: 'host';
  readonly kind: 'tap';
}

/** A tap that is made, marked and raised. */
export interface CreateTap extends TapChange {
  readonly verb: 'create';
  readonly alias: string;
  /** Made with `vnet_hdr`, for a model that hands unfinished checksums to its tap. */
  readonly vnetHeader: boolean;
}

/** A tap that stays as it is but for its mark and its state. */
export interface UpdateTap extends TapChange {
  readonly verb: 'update';
  /** What its alias must still be when the change is made. */
  readonly aliasBefore: string | undefined;
  /** The new alias; empty takes it away. */
  readonly alias: string;
  readonly raise: boolean;
}

/** A tap of ours that goes. */
export interface RemoveTap extends TapChange {
  readonly verb: 'remove';
  /** What its alias must still be when the change is made. */
  readonly aliasBefore: string;
}

export type HostChange = CreateTap | UpdateTap | RemoveTap;
