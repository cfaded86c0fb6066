/** What the host domain sees, and what it changes. Types only. */
import type { Change } from '../domain.ts';
import type { PciInventory } from './pci.ts';
import type { PciUsers } from './pciusers.ts';

/** A network device of the kernel, ours or not. */
export interface ObservedDevice {
  readonly name: string;
  /** `tap`, or what else the kernel calls it: `tun`, `veth`, `bridge`, `macvtap`; `device` where it has no kind (hardware). */
  readonly kind: string;
  /** Set up (IFF_UP), whether or not anything is plugged in. */
  readonly isUp: boolean;
  /** Its other end is open (IFF_LOWER_UP): for a tap, a guest runs on it. Known only while it is up. */
  readonly hasCarrier: boolean;
  /** `ip link … alias`: where our mark is. `undefined` where it has none. */
  readonly alias: string | undefined;
  /** Its device group, a number or a name such as `default`. */
  readonly group: string;
  /** Bytes. */
  readonly mtu: number;
  /** Ethernet address; `undefined` for a device without one. */
  readonly mac: string | undefined;
  /** The device that it is a port of: a bridge, a bond, `ovs-system`. */
  readonly master: string | undefined;
  /** The device below it, for a macvtap and the like. */
  readonly lower: string | undefined;
  /** Whether a tap has several queues (IFF_MULTI_QUEUE). */
  readonly multiQueue: boolean;
  /** The mode of a macvtap or macvlan. */
  readonly mode: string | undefined;
}

/** The devices of one network namespace, by name. */
export interface ObservedHost {
  readonly devices: ReadonlyMap<string, ObservedDevice>;
  /** Why no NIC can be served by vhost-net here; `undefined` where it can, or nobody asks for it. */
  readonly vhostNetObstacle?: string | undefined;
  /** `undefined` where nobody asks for a PCI function. */
  readonly pci?: PciInventory | undefined;
  /** The guests that have PCI functions now; `undefined` likewise. */
  readonly pciUsers?: PciUsers | undefined;
}

/** A device that a topology wants. */
export type DeviceSpec = TapSpec | MacvtapSpec | LinuxBridgeSpec;

interface Spec {
  readonly name: string;
  /** The NIC it is for, as `vm:nic`; `undefined` for a bridge. */
  readonly nic: string | undefined;
  readonly mark: string;
  readonly adoptedMark: string;
  readonly adopt: boolean;
  /** Bytes; `undefined`: left as it is. */
  readonly mtu: number | undefined;
}

export interface TapSpec extends Spec {
  readonly kind: 'tap';
  /** Made with `vnet_hdr`, for a model that hands unfinished checksums to its tap. */
  readonly vnetHeader: boolean;
  readonly multiQueue: boolean;
  /** The plain Linux bridge that it is in; `undefined`: in none. */
  readonly linuxBridge: string | undefined;
}

export interface MacvtapSpec extends Spec {
  readonly kind: 'macvtap';
  readonly lower: string;
  readonly mode: 'bridge' | 'vepa' | 'private' | 'passthru';
  readonly mac: string;
}

export interface LinuxBridgeSpec extends Spec {
  readonly kind: 'bridge';
}

interface DeviceChange extends Change {
  readonly domain: 'host';
  readonly kind: 'tap' | 'macvtap' | 'Linux bridge';
}

/** A device that is made, marked and raised. */
export interface CreateDevice extends DeviceChange {
  readonly verb: 'create';
  readonly spec: DeviceSpec;
}

/** A device that stays, but for some settings. */
export interface UpdateDevice extends DeviceChange {
  readonly verb: 'update';
  /** What its alias must still be when the change is made. */
  readonly aliasBefore: string | undefined;
  /** Arguments of `ip link set dev NAME`: `up`, `mtu 9000`, `nomaster`, `alias "…"`. */
  readonly set: readonly string[];
  /** It is removed and made anew as this, since the kernel cannot change it. */
  readonly recreateAs: DeviceSpec | undefined;
}

/** A device of ours that goes. */
export interface RemoveDevice extends DeviceChange {
  readonly verb: 'remove';
  /** What its alias must still be when the change is made. */
  readonly aliasBefore: string;
}

export type HostChange = CreateDevice | UpdateDevice | RemoveDevice;
