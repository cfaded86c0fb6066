/** Topology → desired state: defaults, addresses, device names. Nothing is left open. Pure. */
import { dirname, resolve as toAbsolute } from 'node:path';
import type { Mac } from '../units/mac.ts';
import { uuidFromNames } from '../units/uuid.ts';
import type { VlanId, VlanMode } from '../units/vlan.ts';
import { addressGiver, deviceNameGiver, macGiver, renderPrefixed, toSeed, uuidOfSeed } from './derive.ts';
import type {
  DesiredBoot,
  DesiredBridge,
  DesiredDisk,
  DesiredNetwork,
  DesiredNic,
  DesiredState,
  DesiredUplink,
  DesiredVm,
} from './desired.ts';
import { formatOfImage } from './imageformat.ts';
import { NIC_DEFAULTS } from './nicschema.ts';
import type { Topology } from './read.ts';
import {
  DEFAULTS,
  type BridgeEntry,
  type DiskEntry,
  type NetworkEntry,
  type NicEntry,
  type ProfileEntry,
  type UplinkEntry,
  type VlanEntry,
  type VmEntry,
} from './schema.ts';

/**
 * What a topology means. The same topology gives the same state each time; a VM added at the end of the file changes
 * nothing of the others, one added elsewhere changes at most an address, MAC or device name that both would get
 * (docs/topology-format.md, "What vsb derives").
 */
export function resolve(topology: Topology): DesiredState {
  const { document } = topology;
  const bridges = Object.entries(document.bridges ?? {}).map(([name, entry]) => toBridge(name, entry ?? {}));
  const networks = Object.entries(document.networks ?? {});
  const context = toContext(topology, bridges, new Map(networks));
  return {
    name: document.name,
    bridges,
    networks: networks.map(([name, entry]) => toNetwork(name, entry)),
    vms: topology.vmNames.map((name) => toVm(name, document.vms?.[name] ?? {}, context)),
  };
}

/** VLAN 0: frames without a tag. */
const UNTAGGED = 0 as VlanId;

/** What the NICs of a topology share. */
interface Context {
  readonly topology: string;
  readonly directory: string;
  readonly networks: ReadonlyMap<string, NetworkEntry>;
  readonly profiles: ReadonlyMap<string, ProfileEntry | null>;
  readonly giveMac: ReturnType<typeof macGiver>;
  readonly giveDevice: ReturnType<typeof deviceNameGiver>;
  readonly giveAddress: ReadonlyMap<string, ReturnType<typeof addressGiver>>;
}

function toContext(
  { file, document }: Topology,
  bridges: readonly DesiredBridge[],
  networks: ReadonlyMap<string, NetworkEntry>,
): Context {
  const macs: Mac[] = [];
  const addresses = new Map([...networks.keys()].map((name): [string, bigint[]] => [name, []]));
  for (const vm of Object.values(document.vms ?? {})) {
    for (const { mac, network, ip } of vm?.nics ?? []) {
      if (mac !== undefined) macs.push(mac);
      if (ip) addresses.get(network)?.push(ip.value);
    }
  }
  return {
    topology: document.name,
    directory: dirname(file),
    networks,
    profiles: new Map(Object.entries(document.profiles ?? {})),
    giveMac: macGiver(macs),
    giveDevice: deviceNameGiver(devicesOf(document, bridges)),
    giveAddress: new Map(
      [...networks].flatMap(([name, { cidr }]) =>
        cidr ? [[name, addressGiver(cidr, addresses.get(name) ?? [])] as const] : [],
      ),
    ),
  };
}

/** The devices that the file names: no NIC gets such a name. */
function devicesOf(document: Topology['document'], bridges: readonly DesiredBridge[]): string[] {
  const settings = [
    ...Object.values(document.profiles ?? {}),
    ...Object.values(document.vms ?? {}).flatMap((vm) => vm?.nics ?? []),
  ];
  return [
    ...bridges.flatMap(({ name, uplinks }) => [name, ...uplinks.map(({ device }) => device)]),
    ...Object.values(document.networks ?? {}).flatMap(({ linuxBridge }) => linuxBridge ?? []),
    ...settings.flatMap((one) => (one?.backend?.kind === 'macvtap' ? one.backend.device : [])),
  ];
}

function toBridge(name: string, entry: Partial<BridgeEntry>): DesiredBridge {
  return {
    name,
    datapath: entry.datapath ?? DEFAULTS.datapath,
    rstp: entry.rstp,
    mcastSnooping: entry.mcastSnooping,
    visibility: entry.visibility ?? DEFAULTS.visibility,
    adopt: entry.adopt ?? false,
    uplinks: (entry.uplinks ?? []).map(toUplink),
  };
}

function toUplink({ device, trunk, vlan, adopt }: UplinkEntry): DesiredUplink {
  if (trunk) return { device, vlan: { mode: 'trunk', trunks: trunk }, adopt };
  return { device, vlan: vlan === undefined ? undefined : toVlanMode(vlan), adopt };
}

function toNetwork(name: string, { bridge, linuxBridge, vlan, cidr }: NetworkEntry): DesiredNetwork {
  return { name, bridge, linuxBridge, vlan, cidr: cidr?.text };
}

function toVm(name: string, entry: Partial<VmEntry>, context: Context): DesiredVm {
  const uuid = uuidFromNames(context.topology, name);
  return {
    name,
    uuid,
    memoryBytes: entry.memory ?? DEFAULTS.memoryBytes,
    cpus: entry.cpus ?? DEFAULTS.cpus,
    boot: entry.boot ? toBoot(entry.boot, context.directory) : undefined,
    disks: (entry.disks ?? []).map((disk, index) => toDisk(name, index, disk, context.directory)),
    nics: (entry.nics ?? []).map((nic, index) => toNic({ name, uuid }, index, nic, context)),
  };
}

function toBoot({ kernel, initrd, append }: NonNullable<VmEntry['boot']>, directory: string): DesiredBoot {
  return {
    kernel: toAbsolute(directory, kernel),
    initrd: initrd === undefined ? undefined : toAbsolute(directory, initrd),
    append,
  };
}

function toDisk(vm: string, index: number, entry: DiskEntry, directory: string): DesiredDisk {
  const { image, size, base, format, baseFormat, bus, readOnly } = entry;
  return {
    vm,
    index,
    image: toAbsolute(directory, image),
    format: format ?? formatOfImage(image),
    sizeBytes: size,
    base:
      base === undefined
        ? undefined
        : { image: toAbsolute(directory, base), format: baseFormat ?? formatOfImage(base) },
    bus,
    readOnly,
  };
}

function toNic(
  vm: { name: string; uuid: string },
  index: number,
  entry: NicEntry,
  context: Context,
): DesiredNic {
  const seed = toSeed(context.topology, vm.name, String(index));
  const network = context.networks.get(entry.network);
  // check.ts has refused unknown networks.
  if (!network) throw new Error(`network "${entry.network}" was not checked`);
  const profile = context.profiles.get(entry.profile ?? '');
  const ip = entry.ip && network.cidr ? renderPrefixed(entry.ip.value, network.cidr) : undefined;
  const vlan = entry.vlan ?? profile?.vlan;
  const backend = entry.backend ?? profile?.backend ?? NIC_DEFAULTS.backend;
  const isPlugged = backend.kind !== 'macvtap' && backend.kind !== 'passthrough';
  return {
    vm: vm.name,
    vmUuid: vm.uuid,
    index,
    ifaceId: uuidOfSeed(seed),
    network: entry.network,
    bridge: isPlugged ? network.bridge : undefined,
    linuxBridge: isPlugged ? network.linuxBridge : undefined,
    device: context.giveDevice(`${vm.name}-${String(index)}`),
    model: entry.model ?? profile?.model ?? NIC_DEFAULTS.model,
    backend,
    queues: entry.queues ?? profile?.queues ?? NIC_DEFAULTS.queues,
    ring: { rx: entry.ring?.rx ?? profile?.ring?.rx, tx: entry.ring?.tx ?? profile?.ring?.tx },
    offloads: {
      csum: entry.offloads?.csum ?? profile?.offloads?.csum ?? true,
      tso: entry.offloads?.tso ?? profile?.offloads?.tso ?? true,
      ufo: entry.offloads?.ufo ?? profile?.offloads?.ufo ?? true,
    },
    mtu: entry.mtu ?? profile?.mtu,
    mac: entry.mac ?? context.giveMac(seed),
    ip: ip ?? context.giveAddress.get(entry.network)?.(seed),
    vlan: vlan === undefined ? { mode: 'access', tag: network.vlan ?? UNTAGGED } : toVlanMode(vlan),
    limit: {
      sent: entry.limit?.sent ?? profile?.limit?.sent,
      received: entry.limit?.received ?? profile?.limit?.received,
    },
    adopt: entry.adopt,
  };
}

function toVlanMode(vlan: VlanEntry): VlanMode {
  if (typeof vlan === 'number') return { mode: 'access', tag: vlan };
  const { trunk: trunks, native, nativeTagged } = vlan;
  if (native === undefined) return { mode: 'trunk', trunks };
  return { mode: nativeTagged ? 'native-tagged' : 'native-untagged', tag: native, trunks };
}
