/** The way of a NIC's packets, from the guest to the wire, and the facts that it is made from. Types alone. */
import type { QemuNic } from '../guest/qemu-nics.ts';
import type { ObservedDevice } from '../host/types.ts';

/** A running VM's NIC. */
export interface NicFacts {
  readonly vm: string;
  readonly pid: number;
  readonly nic: QemuNic;
  /** The tap or macvtap behind it; `undefined` where it has none, or it could not be found. */
  readonly device: string | undefined;
}

/** An Interface of Open vSwitch with its port and bridge. */
export interface PortFacts {
  readonly bridge: string;
  readonly datapath: string;
  /** The port; a bond has another name than its interfaces. */
  readonly port: string;
  readonly device: string;
  /** The Interface's type; `system` for what the kernel has. */
  readonly type: string;
  /** `options:vhost-server-path`. */
  readonly vhostSocket: string | undefined;
  /** `undefined`: Open vSwitch could not give it one. */
  readonly ofport: string | undefined;
  readonly error: string | undefined;
  readonly link: string | undefined;
  /** As text: `access 10`, `trunk 20,30`. */
  readonly vlan: string;
  /** What the VM may send, in kbit/s; `undefined`: no limit. */
  readonly sentLimitKbps: string | undefined;
  /** Whether it is some VM's. */
  readonly isVm: boolean;
}

export interface HostFacts {
  readonly devices: ReadonlyMap<string, ObservedDevice>;
  readonly ports: readonly PortFacts[];
  /** Why Open vSwitch could not be asked. */
  readonly switchError: string | undefined;
  /** Why this kernel cannot serve taps by itself, and what to do; `undefined`: it can. */
  readonly vhostObstacle: string | undefined;
  /** PCI address → driver; `undefined`: none is bound. Absent: no such function. */
  readonly functions: ReadonlyMap<string, string | undefined>;
}

/** Where the way is longer than it need be, or hides something, and what to do. */
export interface Remark {
  readonly what: string;
  readonly remedy: string;
}

export interface Step {
  /** The same for the same thing in every path, so that paths join into a graph. */
  readonly id: string;
  readonly kind: 'nic' | 'tap' | 'macvtap' | 'vhost-user' | 'function' | 'backend' | 'bridge' | 'device';
  readonly name: string;
  readonly detail: string | undefined;
  /** By which port, VLAN and limit the step is reached. */
  readonly via: string | undefined;
  /** What is broken here; `undefined`: nothing that can be seen. */
  readonly problem: string | undefined;
  readonly remarks: readonly Remark[];
}

export interface Path {
  readonly vm: string;
  readonly nic: number;
  readonly pid: number;
  readonly mac: string | undefined;
  /** In the order in which a packet from the guest takes them. */
  readonly steps: readonly Step[];
  /** Where it goes on from the last step: one or several uplinks, or none. */
  readonly uplinks: readonly Step[];
}
