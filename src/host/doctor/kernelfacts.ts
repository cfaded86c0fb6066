/** Reads what the doctor wants to know of the kernel from procfs, sysfs and /dev. Judges nothing: kernelchecks.ts does. */
import { access, constants, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeKernelConfig, type KernelConfig } from './kernelconfig.ts';

export interface KernelFacts {
  readonly release: string;
  /** `undefined` where the kernel does not tell. */
  readonly config: KernelConfig | undefined;
  readonly tun: NodeState;
  readonly vhostNet: NodeState;
  /** The kernel knows macvtap now; a module may come when the first is made. */
  readonly isMacvtapLoaded: boolean;
  readonly iommuGroups: number;
  readonly isVfioPciLoaded: boolean;
  readonly hugePages: readonly HugePages[];
  /** Which of iptables, ip6tables and arptables see bridged frames; `undefined`: br_netfilter is not loaded. */
  readonly bridgeNf: readonly string[] | undefined;
  readonly isOpenVSwitchLoaded: boolean;
}

/** Of a device node: `denied` is for this user. */
export type NodeState = 'usable' | 'missing' | 'denied';

export interface HugePages {
  readonly sizeKb: number;
  readonly total: number;
  readonly free: number;
}

/** @param root what stands for `/` */
export async function readKernelFacts(root = '/'): Promise<KernelFacts> {
  const text = (path: string): Promise<string> =>
    readFile(join(root, path), 'utf8').then(
      (content) => content.trim(),
      () => '',
    );
  const names = (path: string): Promise<string[]> => readdir(join(root, path)).catch(() => []);
  const release = await text('proc/sys/kernel/osrelease');
  const [config, tun, vhostNet, devices, groups, pciDrivers, modules, pages, bridgeNf] = await Promise.all([
    readConfig(root, release),
    nodeState(join(root, 'dev/net/tun')),
    nodeState(join(root, 'dev/vhost-net')),
    text('proc/devices'),
    names('sys/kernel/iommu_groups'),
    names('sys/bus/pci/drivers'),
    names('sys/module'),
    names('sys/kernel/mm/hugepages'),
    names('proc/sys/net/bridge'),
  ]);
  const hugePages = pages.sort().map(async (name) => ({
    sizeKb: Number(/\d+/.exec(name)?.[0] ?? 0),
    total: Number(await text(`sys/kernel/mm/hugepages/${name}/nr_hugepages`)),
    free: Number(await text(`sys/kernel/mm/hugepages/${name}/free_hugepages`)),
  }));
  const calls = bridgeNf.flatMap((name) => /^bridge-nf-call-(\w+)$/.exec(name)?.[1] ?? []).sort();
  const on = calls.map(async (name) =>
    (await text(`proc/sys/net/bridge/bridge-nf-call-${name}`)) === '1' ? [name] : [],
  );
  return {
    release,
    config,
    tun,
    vhostNet,
    isMacvtapLoaded: /^\s*\d+ macvtap$/m.test(devices),
    iommuGroups: groups.length,
    isVfioPciLoaded: pciDrivers.includes('vfio-pci'),
    hugePages: await Promise.all(hugePages),
    bridgeNf: calls.length === 0 ? undefined : (await Promise.all(on)).flat(),
    isOpenVSwitchLoaded: modules.includes('openvswitch'),
  };
}

async function readConfig(root: string, release: string): Promise<KernelConfig | undefined> {
  for (const path of ['proc/config.gz', `boot/config-${release}`]) {
    const bytes = await readFile(join(root, path)).catch(() => undefined);
    const config = bytes && decodeKernelConfig(bytes);
    if (config) return config;
  }
  return undefined;
}

async function nodeState(path: string): Promise<NodeState> {
  try {
    await access(path, constants.R_OK | constants.W_OK);
    return 'usable';
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'ENOENT' ? 'missing' : 'denied';
  }
}
