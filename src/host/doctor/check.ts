/** What a check of the doctor says, and which checks there are. docs/doctor.md lists the same (tested both ways). */

/** Check → why it matters, in the order in which they are shown. */
export const WHY = Object.freeze({
  'virtio-guest': 'without these drivers the guest sees no virtio NIC or disk',
  'virtio-host': 'only where this host is itself a guest, or boots this kernel in guests',
  tun: 'every tap is made by it: without it no guest has a NIC on a switch',
  'vhost-net':
    'backend vhost-net: the kernel moves packets of a tap itself, with one copy and fewer switches of privilege',
  macvtap: 'backend macvtap: a NIC with an address of its own on a device of the host',
  iommu: 'backend passthrough: keeps a device that a guest drives to the memory of that guest',
  vfio: 'backend passthrough: the driver that hands a device to a guest',
  hugepages:
    'backend vhost-user: DPDK runs without huge pages, but slower, and guests that share memory gain too',
  'bridge-nf':
    "frames through plain Linux bridges then pass the host's IP firewall, which costs time and may drop them",
  'ovs-version': 'what Open vSwitch can do depends on its version',
  'ovs-database': 'everything that vsb changes and shows goes through ovsdb-server',
  'ovs-vswitchd': 'the daemon that puts the database into effect and forwards packets',
  'ovs-datapaths': 'the kernel datapath is the faster one for taps; the userspace datapath runs everywhere',
  dpdk: 'backend vhost-user: Open vSwitch and QEMU share memory, past the kernel',
  offloads: 'the userspace datapath forwards unfinished TCP checksums as they are: ping works, TCP does not',
  qemu: 'it runs the guests',
  kvm: 'without it guests are emulated, many times slower',
  libvirt: 'only for guests that libvirt runs ("vsb vm start --with libvirt")',
  nics: 'a NIC that cannot run here is refused by plan',
});

export type CheckName = keyof typeof WHY;

/** `warning`: something cannot be used, or is slower than it need be; `problem`: what everybody needs does not work. */
export type CheckState = 'ok' | 'warning' | 'problem';

export interface Check {
  readonly name: CheckName;
  readonly state: CheckState;
  /** What was found. */
  readonly found: string;
  readonly why: string;
  /** A command or a deed that mends it; `undefined` where nothing is to be mended. */
  readonly remedy: string | undefined;
}

/** A check that found all well. */
export function ok(name: CheckName, found: string): Check {
  return { name, state: 'ok', found, why: WHY[name], remedy: undefined };
}

/** A check that found something to be mended. */
export function notOk(
  name: CheckName,
  state: Exclude<CheckState, 'ok'>,
  found: string,
  remedy: string,
): Check {
  return { name, state, found, why: WHY[name], remedy };
}
