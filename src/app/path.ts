/** `vsb path`: the facts of running VMs' NICs, from QEMU, the kernel and Open vSwitch; what follows is path/'s. */
import { readlink, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { fail, toVsbError } from '../errors.ts';
import { findMacvtap, findQemuProcesses, readOpenDevice, type QemuProcess } from '../guest/qemu-processes.ts';
import type { QemuNic } from '../guest/qemu-nics.ts';
import { observeHost } from '../host/observe.ts';
import type { ObservedHost } from '../host/types.ts';
import { vhostNetObstacle } from '../host/vhostnet.ts';
import type { InterfaceRow, OpenVSwitchTables, PortRow } from '../ovsdb/generated/vswitch.ts';
import type { Snapshot } from '../ovsdb/replica/snapshot.ts';
import type { NicFacts, Path, PortFacts } from '../path/path.ts';
import { toPath } from '../path/topath.ts';
import { vmOf } from '../units/externalids.ts';
import { renderVlans } from '../units/vlan.ts';
import type { Settings } from './settings.ts';
import { connectSwitch } from './switchclient.ts';
import { loadTopology } from './topology.ts';

/**
 * The ways of a VM's NICs. VMs of the same name (two topologies may have one each) all count.
 * @param target `VM` or `VM:NIC`
 * @throws GUEST_NOT_FOUND, GUEST_NIC_UNKNOWN, and what `ip` brings; a switch that cannot be asked is in the paths
 */
export async function readPaths(
  settings: Settings,
  target: string,
  signal?: AbortSignal,
): Promise<readonly Path[]> {
  return pathsOf(choose(await findQemuProcesses(), target), settings, signal);
}

/**
 * The ways of every VM of the host, or of a topology's, which are known by their UUID, whoever runs them.
 * @throws TOPOLOGY_INVALID, FILE_UNREADABLE, and as readPaths
 */
export async function readAllPaths(
  settings: Settings,
  file: string | undefined,
  signal?: AbortSignal,
): Promise<readonly Path[]> {
  const uuids =
    file === undefined ? undefined : new Set((await loadTopology(file)).vms.map(({ uuid }) => uuid));
  const all = nicsOf(await findQemuProcesses());
  const chosen = all.filter(({ process: { uuid } }) => !uuids || (uuid !== undefined && uuids.has(uuid)));
  return pathsOf(chosen, settings, signal);
}

async function pathsOf(
  chosen: readonly Chosen[],
  settings: Settings,
  signal: AbortSignal | undefined,
): Promise<readonly Path[]> {
  const [observed, switched, vhostObstacle, functions] = await Promise.all([
    observeHost(settings.netns, signal),
    readPorts(settings, signal),
    vhostNetObstacle(),
    readDrivers(chosen.map(({ nic }) => nic)),
  ]);
  const host = { devices: observed.devices, ...switched, vhostObstacle, functions };
  const paths: Path[] = [];
  for (const { process, nic } of chosen) {
    const device = await deviceOf(process, nic, observed, settings.netns);
    const facts: NicFacts = { vm: nameOf(process), pid: process.pid, nic, device };
    paths.push(toPath(facts, host));
  }
  return paths;
}

interface Chosen {
  readonly process: QemuProcess;
  readonly nic: QemuNic;
}

function nicsOf(processes: readonly QemuProcess[]): Chosen[] {
  return processes.flatMap((process) => process.nics.map((nic) => ({ process, nic })));
}

function choose(processes: readonly QemuProcess[], target: string): Chosen[] {
  const whole = processes.filter((process) => nameOf(process) === target);
  // A VM of another tool may have a colon in its name.
  const [, vm = target, nic] = whole.length > 0 ? [] : (/^(.+):(\d+)$/.exec(target) ?? []);
  const named = processes.filter((process) => nameOf(process) === vm);
  if (named.length === 0) throw fail('GUEST_NOT_FOUND', { vm, running: processes.map(nameOf).sort() });
  const found = nicsOf(named).filter(({ nic: { index } }) => nic === undefined || index === Number(nic));
  if (found.length > 0) return found;
  const count = Math.max(...named.map(({ nics }) => nics.length));
  throw fail('GUEST_NIC_UNKNOWN', { vm, nic: nic ?? '0', count });
}

/** QEMU that was given no name is called by its number. */
function nameOf({ name, pid }: QemuProcess): string {
  return name ?? String(pid);
}

async function deviceOf(
  { pid }: QemuProcess,
  { backend }: QemuNic,
  { devices }: ObservedHost,
  netns: string | undefined,
): Promise<string | undefined> {
  if (backend.kind !== 'tap') return undefined;
  const [descriptor] = backend.descriptors;
  if (backend.ifname !== undefined || descriptor === undefined) return backend.ifname;
  const open = await readOpenDevice(pid, descriptor);
  if (open === undefined) return undefined;
  if ('tap' in open) return open.tap;
  const macvtaps = [...devices.values()].filter(({ kind }) => kind === 'macvtap').map(({ name }) => name);
  return findMacvtap(open, macvtaps, netns);
}

async function readDrivers(nics: readonly QemuNic[]): Promise<ReadonlyMap<string, string | undefined>> {
  const drivers = new Map<string, string | undefined>();
  for (const { backend } of nics) {
    if (backend.kind !== 'passthrough') continue;
    const directory = `/sys/bus/pci/devices/${backend.address}`;
    if ((await stat(directory).catch(() => undefined)) === undefined) continue;
    const driver = await readlink(`${directory}/driver`).catch(() => undefined);
    drivers.set(backend.address, driver === undefined ? undefined : basename(driver));
  }
  return drivers;
}

/** A host without Open vSwitch has paths too. */
async function readPorts(
  settings: Settings,
  signal: AbortSignal | undefined,
): Promise<{ readonly ports: readonly PortFacts[]; readonly switchError: string | undefined }> {
  try {
    await using client = await connectSwitch(settings, { signal, follow: false });
    return { ports: toPorts(client.snapshot()), switchError: undefined };
  } catch (thrown) {
    const error = toVsbError(thrown);
    if (error.code === 'CANCELLED') throw error;
    return { ports: [], switchError: `[${error.code}] ${error.message}` };
  }
}

function toPorts(snapshot: Snapshot<OpenVSwitchTables>): PortFacts[] {
  return [...snapshot.table('Bridge').values()]
    .flatMap((bridge) =>
      bridge.ports
        .flatMap((uuid) => snapshot.row('Port', uuid) ?? [])
        .flatMap((port) =>
          port.interfaces
            .flatMap((uuid) => snapshot.row('Interface', uuid) ?? [])
            .map((iface): PortFacts => ({
              bridge: bridge.name,
              datapath: bridge.datapath_type || 'system',
              port: port.name,
              ...ofInterface(iface),
              vlan: vlanText(port),
            })),
        ),
    )
    .sort((a, b) => (a.device < b.device ? -1 : 1));
}

function ofInterface(iface: InterfaceRow): Omit<PortFacts, 'bridge' | 'datapath' | 'port' | 'vlan'> {
  return {
    device: iface.name,
    type: iface.type || 'system',
    vhostSocket: iface.options.get('vhost-server-path'),
    ofport: iface.ofport === undefined || iface.ofport < 0n ? undefined : String(iface.ofport),
    error: iface.error,
    link: iface.link_state,
    sentLimitKbps: iface.ingress_policing_rate > 0n ? String(iface.ingress_policing_rate) : undefined,
    isVm: vmOf(iface.external_ids) !== undefined,
  };
}

function vlanText({ vlan_mode: mode, tag, trunks }: PortRow): string {
  const trunk = `trunk ${renderVlans(trunks) || 'all'}`;
  if (mode === 'trunk' || (mode === undefined && tag === undefined)) return trunk;
  if (mode === 'access' || mode === undefined) return `access ${String(tag ?? 0)}`;
  return `${mode} ${String(tag ?? 0)}, ${trunk}`;
}
