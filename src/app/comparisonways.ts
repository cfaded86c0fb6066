/** The ways that `vsb compare` can measure: names, topologies, and why one cannot be here. */
import { fail } from '../errors.ts';
import { vhostNetObstacle } from '../host/vhostnet.ts';

/** `model/backend/switch`; a macvtap has no switch. */
export interface Way {
  readonly name: string;
  readonly model: 'virtio' | 'e1000' | 'rtl8139';
  readonly backend: 'tap' | 'vhost-net' | 'vhost-user' | 'macvtap';
  readonly plugged: 'ovs' | 'linux-bridge' | undefined;
}

const MODELS = ['virtio', 'e1000', 'rtl8139'] as const;
const BACKENDS = ['tap', 'vhost-net', 'vhost-user', 'macvtap'] as const;
const SWITCHES = ['ovs', 'linux-bridge'] as const;

/** Those that say most about a host. */
export const DEFAULT_WAYS: readonly string[] = [
  'virtio/tap/ovs',
  'e1000/tap/ovs',
  'rtl8139/tap/ovs',
  'virtio/tap/linux-bridge',
  'e1000/tap/linux-bridge',
  'virtio/macvtap',
  'virtio/vhost-net/ovs',
  'virtio/vhost-user/ovs',
];

/** @throws USAGE for a name that is none */
export function toWay(name: string): Way {
  const [model, backend, plugged, ...rest] = name.split('/');
  const way = {
    name,
    model: MODELS.find((one) => one === model),
    backend: BACKENDS.find((one) => one === backend),
    plugged: SWITCHES.find((one) => one === plugged),
  };
  const isWhole =
    way.model !== undefined &&
    way.backend !== undefined &&
    rest.length === 0 &&
    (way.backend === 'macvtap' ? plugged === undefined : way.plugged !== undefined) &&
    (way.model === 'virtio' || way.backend === 'tap' || way.backend === 'macvtap') &&
    (way.backend !== 'vhost-user' || way.plugged === 'ovs');
  if (isWhole) return way as Way;
  throw fail('USAGE', {
    what:
      `"${name}" is no way. Write MODEL/BACKEND/SWITCH, such as ${DEFAULT_WAYS.slice(0, 4).join(', ')}, or virtio/macvtap; ` +
      'vhost-net and vhost-user are for virtio, vhost-user for ovs.',
  });
}

/** Why a way cannot be measured here; `undefined` where it can. */
export async function obstacleTo({ backend }: Way): Promise<string | undefined> {
  if (backend === 'vhost-net') return vhostNetObstacle();
  return backend === 'vhost-user'
    ? 'it needs an Open vSwitch with DPDK, which the private one of this command is not'
    : undefined;
}

/** Names of the two guests, and of what they plug into. */
export const [SENDER, RECEIVER] = ['sender', 'receiver'] as const;
/** The device below macvtaps: one end of a veth. */
export const LOWER = 'lower0';

/** A topology with two guests and a NIC of each way in both, each way a network of its own. */
export function topologyOf(
  ways: readonly Way[],
  { kernel, initrd }: { readonly kernel: string; readonly initrd: string },
): unknown {
  const network = ({ plugged }: Way, index: number): [string, unknown] => [
    `way${String(index)}`,
    {
      cidr: `10.${String(100 + index)}.0.0/24`,
      ...(plugged === 'ovs' ? { bridge: 'br0', vlan: 100 + index } : {}),
      ...(plugged === 'linux-bridge' ? { linuxBridge: `lbr${String(index)}` } : {}),
    },
  ];
  const guest = (name: string, host: number): [string, unknown] => [
    name,
    {
      memory: '192M',
      boot: { kernel, initrd, append: 'console=ttyS0 quiet' },
      nics: ways.map(({ model, backend }, index) => ({
        network: `way${String(index)}`,
        model,
        ip: `10.${String(100 + index)}.0.${String(host)}`,
        backend: backend === 'macvtap' ? { macvtap: LOWER, mode: 'bridge' } : backend,
      })),
    },
  ];
  return {
    version: 1,
    name: 'compare',
    bridges: { br0: { datapath: 'netdev', visibility: 'ports' } },
    networks: Object.fromEntries(ways.map(network)),
    vms: Object.fromEntries([guest(SENDER, 1), guest(RECEIVER, 2)]),
  };
}

/** The address of the receiver by a way. */
export function addressOf(index: number): string {
  return `10.${String(100 + index)}.0.2`;
}

/** Median, least and most of some figures. */
export function spreadOf(figures: readonly number[]): {
  readonly median: number;
  readonly least: number;
  readonly most: number;
} {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = 0, high = 0] = [sorted[middle - 1], sorted[middle]];
  return {
    median: sorted.length % 2 === 1 ? high : (low + high) / 2,
    least: sorted[0] ?? 0,
    most: sorted.at(-1) ?? 0,
  };
}
