/** NICs on QEMU's command line (qemu(1), `-netdev` and `-device`). Pure. */
import type { DesiredNic } from '../topology/desired.ts';
import { value } from './option-value.ts';

/** What the host decides about a NIC. */
export interface NicSurroundings {
  readonly accelerator: 'kvm' | 'tcg';
  /** Whether QEMU may use the virtio-net header on a NIC's tap (offload.ts). */
  readonly vnetHeader: (nic: DesiredNic) => 'on' | 'off';
  /** Where QEMU listens for Open vSwitch, for a vhost-user NIC. */
  readonly vhostSocket: (nic: DesiredNic) => string;
  /** The descriptors that QEMU inherits for a macvtap, one for each queue. */
  readonly descriptors: (nic: DesiredNic) => readonly number[];
}

/** QEMU's name of each model. */
const DEVICES: Readonly<Record<DesiredNic['model'], string>> = {
  virtio: 'virtio-net-pci',
  e1000: 'e1000',
  rtl8139: 'rtl8139',
};

/** The arguments of one NIC: its backend, and the device that the guest sees. */
export function nicArgs(nic: DesiredNic, surroundings: NicSurroundings): string[] {
  const id = `net${String(nic.index)}`;
  if (nic.backend.kind === 'passthrough') {
    return ['-device', `vfio-pci,host=${nic.backend.address},id=${id}`];
  }
  return [
    ...backendArgs(nic, surroundings),
    '-device',
    [
      `${DEVICES[nic.model]},netdev=${netdevOf(nic)},mac=${nic.mac},id=${id}`,
      // No boot ROM: nothing boots from the network.
      'romfile=',
      ...(nic.model === 'virtio' ? virtioProperties(nic, surroundings) : []),
    ].join(','),
  ];
}

/** vhost-user needs the guest's memory where another process can map it. @param mebibytes as in `-m` */
export function memoryArgs(nics: readonly DesiredNic[], mebibytes: number): string[] {
  if (!nics.some(({ backend }) => backend.kind === 'vhost-user')) return [];
  return [
    ...['-object', `memory-backend-memfd,id=memory,size=${String(mebibytes)}M,share=on`],
    ...['-numa', 'node,memdev=memory'],
  ];
}

function netdevOf(nic: DesiredNic): string {
  return `nic${String(nic.index)}`;
}

function backendArgs(nic: DesiredNic, surroundings: NicSurroundings): string[] {
  const netdev = netdevOf(nic);
  const queues = nic.queues === 1 ? '' : `,queues=${String(nic.queues)}`;
  switch (nic.backend.kind) {
    case 'vhost-user':
      return [
        ...[
          '-chardev',
          `socket,id=${netdev}-switch,path=${value(surroundings.vhostSocket(nic))},server=on,wait=off`,
        ],
        ...['-netdev', `vhost-user,id=${netdev},chardev=${netdev}-switch${queues}`],
      ];
    case 'macvtap': {
      const [first, ...others] = surroundings.descriptors(nic);
      const files =
        others.length === 0 ? `fd=${String(first)}` : `fds=${[first, ...others].map(String).join(':')}`;
      return ['-netdev', `tap,id=${netdev},${files}`];
    }
    case 'tap':
    case 'vhost-net':
    case 'passthrough': {
      // Without force QEMU would go on without vhost where there is none, and say so to nobody.
      const vhost = nic.backend.kind === 'vhost-net' ? ',vhost=on,vhostforce=on' : '';
      // No scripts: the tap is made, raised and plugged by apply.
      const tap = `tap,id=${netdev},ifname=${nic.device},script=no,downscript=no,vnet_hdr=${surroundings.vnetHeader(nic)}`;
      return ['-netdev', `${tap}${queues}${vhost}`];
    }
  }
}

function virtioProperties(nic: DesiredNic, { accelerator }: NicSurroundings): string[] {
  const { queues, ring, offloads, mtu, backend } = nic;
  return [
    ...(queues === 1 ? [] : ['mq=on']),
    ...vectors(queues, backend.kind === 'vhost-user' && accelerator === 'tcg'),
    ...(ring.rx === undefined ? [] : [`rx_queue_size=${String(ring.rx)}`]),
    ...(ring.tx === undefined ? [] : [`tx_queue_size=${String(ring.tx)}`]),
    ...(mtu === undefined ? [] : [`host_mtu=${String(mtu)}`]),
    ...(offloads.csum ? [] : ['csum=off', 'guest_csum=off']),
    ...(offloads.tso ? [] : TSO.map((property) => `${property}=off`)),
    ...(offloads.ufo ? [] : ['host_ufo=off', 'guest_ufo=off']),
  ];
}

const TSO = ['gso', 'host_tso4', 'host_tso6', 'host_ecn', 'guest_tso4', 'guest_tso6', 'guest_ecn'] as const;

/**
 * An interrupt for each ring, one for changes of the configuration and one for the control queue. QEMU 7.2 crashes with
 * vhost-user under emulation where there are any.
 */
function vectors(queues: number, none: boolean): string[] {
  if (none) return ['vectors=0'];
  return queues === 1 ? [] : [`vectors=${String(2 * queues + 2)}`];
}
