/**
 * The desired state: a topology with nothing left open. Defaults are filled in, addresses given, device names chosen.
 * Types only; topology/resolve.ts makes it. Knows no OVSDB.
 */
import type { BitsPerSecond } from '../units/bitrate.ts';
import type { Mac } from '../units/mac.ts';
import type { VlanMode } from '../units/vlan.ts';

/** What one topology means. Bridges, networks and VMs are in the order of the file. */
export interface DesiredState {
  /** The topology's name: the owner mark of everything it makes. */
  readonly name: string;
  readonly bridges: readonly DesiredBridge[];
  readonly networks: readonly DesiredNetwork[];
  readonly vms: readonly DesiredVm[];
}

export interface DesiredBridge {
  readonly name: string;
  /** `auto` is resolved by switch/, which knows what the switch can do. */
  readonly datapath: 'auto' | 'system' | 'netdev';
  /** `undefined` where the file does not say: left as it is. */
  readonly rstp: boolean | undefined;
  readonly mcastSnooping: boolean | undefined;
  /** What is to be counted: each port, or also who sends to whom. */
  readonly visibility: 'ports' | 'pairs';
  /** True where a bridge that something else made may become ours. */
  readonly adopt: boolean;
  readonly uplinks: readonly DesiredUplink[];
}

/** A plain network device as a port of a bridge. */
export interface DesiredUplink {
  readonly device: string;
  /** `undefined`: the file names no VLANs, so all pass (an unrestricted trunk, and plan says so). */
  readonly vlan: VlanMode | undefined;
  readonly adopt: boolean;
}

export interface DesiredNetwork {
  readonly name: string;
  readonly bridge: string;
  readonly vlan: number | undefined;
  /** Canonical CIDR text. */
  readonly cidr: string | undefined;
}

export interface DesiredVm {
  readonly name: string;
  /** Stable UUID of (topology, VM). */
  readonly uuid: string;
  readonly memoryBytes: number;
  readonly cpus: number;
  /** Direct kernel boot; paths are absolute. `undefined` where the file says nothing: cannot be started yet. */
  readonly boot: DesiredBoot | undefined;
  readonly nics: readonly DesiredNic[];
}

export interface DesiredBoot {
  readonly kernel: string;
  readonly initrd: string | undefined;
  /** The kernel's command line, as the file has it. */
  readonly append: string;
}

export interface DesiredNic {
  readonly vm: string;
  readonly vmUuid: string;
  /** Place in the VM's list, from 0. */
  readonly index: number;
  /** Stable UUID of (topology, VM, index): `external_ids:iface-id`. */
  readonly ifaceId: string;
  readonly network: string;
  readonly bridge: string;
  /** The tap: at most 15 bytes. */
  readonly device: string;
  readonly model: 'virtio' | 'e1000' | 'rtl8139';
  readonly backend: 'tap';
  readonly mac: Mac;
  /** Address and prefix length, `10.1.0.11/24`; `undefined` where the network has no CIDR. */
  readonly ip: string | undefined;
  readonly vlan: VlanMode;
  /** Caps, seen from the VM. */
  readonly limit: { readonly sent: BitsPerSecond | undefined; readonly received: BitsPerSecond | undefined };
  readonly adopt: boolean;
}

/** A NIC as people name it: `web1:0`. */
export function nicName(nic: Pick<DesiredNic, 'vm' | 'index'>): string {
  return `${nic.vm}:${String(nic.index)}`;
}
