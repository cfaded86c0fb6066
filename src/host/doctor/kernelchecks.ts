/** What the kernel's facts mean for guests. Pure; kernelfacts.ts reads them. */
import { notOk, ok, type Check, type CheckName, type CheckState } from './check.ts';
import { judgeVirtio } from './kernelconfig.ts';
import type { KernelFacts, NodeState } from './kernelfacts.ts';

/** One check for each way of a packet that the kernel has a part in. */
export function judgeKernel(facts: KernelFacts): Check[] {
  return [
    judgeVirtio('virtio-host', facts.config),
    judgeNode(facts, 'tun', 'problem', '/dev/net/tun', facts.tun, 'CONFIG_TUN', 'tun'),
    judgeNode(
      facts,
      'vhost-net',
      'warning',
      '/dev/vhost-net',
      facts.vhostNet,
      'CONFIG_VHOST_NET',
      'vhost_net',
    ),
    judgeMacvtap(facts),
    judgeIommu(facts),
    facts.isVfioPciLoaded
      ? ok('vfio', 'driver vfio-pci is loaded')
      : notOk('vfio', 'warning', 'driver vfio-pci is not loaded', load(facts, 'CONFIG_VFIO_PCI', 'vfio-pci')),
    judgeHugePages(facts),
    judgeBridgeNf(facts),
  ];
}

/** The kernel's part of Open vSwitch. */
export function judgeDatapaths({
  isOpenVSwitchLoaded,
  ...facts
}: Pick<KernelFacts, 'isOpenVSwitchLoaded' | 'config' | 'release'>): Check {
  return isOpenVSwitchLoaded
    ? ok('ovs-datapaths', 'system (kernel) and netdev (userspace)')
    : notOk(
        'ovs-datapaths',
        'warning',
        'netdev (userspace) only: the kernel module openvswitch is not loaded',
        load(facts, 'CONFIG_OPENVSWITCH', 'openvswitch'),
      );
}

function judgeNode(
  facts: KernelFacts,
  name: CheckName,
  state: Exclude<CheckState, 'ok'>,
  path: string,
  node: NodeState,
  option: string,
  module: string,
): Check {
  switch (node) {
    case 'usable':
      return ok(name, `${path} can be opened`);
    case 'denied':
      return notOk(
        name,
        state,
        `this user may not open ${path}`,
        'run as root, or join the group that owns it',
      );
    case 'missing':
      return notOk(name, state, `there is no ${path}`, load(facts, option, module));
  }
}

function judgeMacvtap(facts: KernelFacts): Check {
  if (facts.isMacvtapLoaded) return ok('macvtap', 'the kernel has macvtap');
  // The module comes by itself with the first one, where there is one.
  if (facts.config?.get('CONFIG_MACVTAP') === 'm')
    return ok('macvtap', 'module macvtap, loaded when the first is made');
  return notOk('macvtap', 'warning', 'macvtap is not loaded', load(facts, 'CONFIG_MACVTAP', 'macvtap'));
}

function judgeIommu({ iommuGroups }: KernelFacts): Check {
  if (iommuGroups > 0) return ok('iommu', `${String(iommuGroups)} IOMMU groups`);
  return notOk(
    'iommu',
    'warning',
    'no IOMMU group: there is no IOMMU, or it is off',
    'switch VT-d or AMD-Vi on in the firmware, boot with "intel_iommu=on iommu=pt" (AMD: "iommu=pt")',
  );
}

function judgeHugePages({ hugePages }: KernelFacts): Check {
  const there = hugePages.filter(({ total }) => total > 0);
  const found = there.map(
    ({ sizeKb, total, free }) => `${String(free)} of ${String(total)} pages of ${String(sizeKb)} kB are free`,
  );
  const remedy = 'sysctl -w vm.nr_hugepages=1024';
  if (there.length === 0) return notOk('hugepages', 'warning', 'no huge pages are set aside', remedy);
  return there.some(({ free }) => free > 0)
    ? ok('hugepages', found.join(', '))
    : notOk('hugepages', 'warning', found.join(', '), `${remedy} (or a number above that of now)`);
}

function judgeBridgeNf({ bridgeNf }: KernelFacts): Check {
  if (!bridgeNf) return ok('bridge-nf', 'br_netfilter is not loaded');
  if (bridgeNf.length === 0) return ok('bridge-nf', 'off');
  const settings = bridgeNf.map((name) => `net.bridge.bridge-nf-call-${name}=0`);
  return notOk('bridge-nf', 'warning', `on for ${bridgeNf.join(', ')}`, `sysctl -w ${settings.join(' ')}`);
}

/** How the kernel gets what it lacks: modprobe is no help where it was built without it. */
function load(
  { config, release }: Pick<KernelFacts, 'config' | 'release'>,
  option: string,
  module: string,
): string {
  return config && !config.has(option)
    ? `boot a kernel built with ${option}: ${release} was not`
    : `modprobe ${module}`;
}
