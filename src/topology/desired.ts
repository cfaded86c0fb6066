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
  /** The Open vSwitch bridge, or the plain Linux bridge; neither where its NICs pass by every switch. */
  readonly bridge: string | undefined;
  readonly linuxBridge: string | undefined;
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
  readonly disks: readonly DesiredDisk[];
  readonly nics: readonly DesiredNic[];
}

export interface DesiredBoot {
  readonly kernel: string;
  readonly initrd: string | undefined;
  /** The kernel's command line, as the file has it. */
  readonly append: string;
}

/** Formats of disk images that qemu-img(1) makes and converts. */
export type DiskFormat = 'raw' | 'qcow2' | 'vmdk' | 'vdi' | 'vhdx';

export interface DesiredDisk {
  readonly vm: string;
  /** Place in the VM's list, from 0. */
  readonly index: number;
  /** Absolute path. */
  readonly image: string;
  readonly format: DiskFormat;
  /** What the guest sees; `undefined`: that of the base, or of the image that is there. */
  readonly sizeBytes: number | undefined;
  /** The backing file. */
  readonly base: { readonly image: string; readonly format: DiskFormat } | undefined;
  readonly bus: 'virtio' | 'ide';
  readonly readOnly: boolean;
}

/** How the packets of a NIC leave QEMU. */
export type NicBackend =
  /** A tap that QEMU reads and writes. */
  | { readonly kind: 'tap' }
  /** A tap that the kernel serves (`vhost=on`); virtio only. */
  | { readonly kind: 'vhost-net' }
  /** Memory shared with Open vSwitch (DPDK), over a socket; virtio only. */
  | { readonly kind: 'vhost-user' }
  /** An address of its own on a device of the host; no switch of ours sees it. */
  | {
      readonly kind: 'macvtap';
      readonly device: string;
      readonly mode: 'bridge' | 'vepa' | 'private' | 'passthru';
    }
  /** A PCI function, `0000:03:00.1`, that the guest drives itself. */
  | { readonly kind: 'passthrough'; readonly address: string };

export interface DesiredNic {
  readonly vm: string;
  readonly vmUuid: string;
  /** Place in the VM's list, from 0. */
  readonly index: number;
  /** Stable UUID of (topology, VM, index): `external_ids:iface-id`. */
  readonly ifaceId: string;
  readonly network: string;
  /** The Open vSwitch bridge that its host end is a port of; `undefined`: none. */
  readonly bridge: string | undefined;
  /** The plain Linux bridge that its tap joins; at most one of the two. */
  readonly linuxBridge: string | undefined;
  /** The host end, at most 15 bytes: tap, macvtap or port; there is none with passthrough. */
  readonly device: string;
  readonly model: 'virtio' | 'e1000' | 'rtl8139';
  readonly backend: NicBackend;
  /** Pairs of queues; 1 is no multiqueue. */
  readonly queues: number;
  /** Descriptors in each ring; `undefined`: QEMU's default. */
  readonly ring: { readonly rx: number | undefined; readonly tx: number | undefined };
  /** What the guest may leave to the host. */
  readonly offloads: { readonly csum: boolean; readonly tso: boolean; readonly ufo: boolean };
  /** Bytes; `undefined`: left as it is. */
  readonly mtu: number | undefined;
  readonly mac: Mac;
  /** Address and prefix length, `10.1.0.11/24`; `undefined` where the network has no CIDR. */
  readonly ip: string | undefined;
  readonly vlan: VlanMode;
  /** Caps, seen from the VM. */
  readonly limit: { readonly sent: BitsPerSecond | undefined; readonly received: BitsPerSecond | undefined };
  readonly adopt: boolean;
}

/** Whether the host end of a NIC is a tap: with or without the kernel's help. */
export function isOnTap({ backend }: Pick<DesiredNic, 'backend'>): boolean {
  return backend.kind === 'tap' || backend.kind === 'vhost-net';
}

/** A NIC as people name it: `web1:0`. */
export function nicName(nic: Pick<DesiredNic, 'vm' | 'index'>): string {
  return `${nic.vm}:${String(nic.index)}`;
}
