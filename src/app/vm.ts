/** Guests of a topology file, for the verb `vm`: which file, which VMs, which run directory. How, is guest/'s. */
import { resolve as toAbsolute } from 'node:path';
import { fail, VsbError } from '../errors.ts';
import { chooseAccelerator, type AcceleratorChoice } from '../guest/accel.ts';
import { endDomain, type Libvirt } from '../guest/libvirt.ts';
import { attachConsole, awaitConsoleText, type ConsoleStreams } from '../guest/console.ts';
import type { Accelerator } from '../guest/qemu-args.ts';
import { findGuests, guestPaths } from '../guest/run-directory.ts';
import {
  startCommand,
  startGuest,
  type GuestCommand,
  type GuestHome,
  type StartOutcome,
} from '../guest/start.ts';
import { listGuests, readGuestStatus, type ListedGuest } from '../guest/status.ts';
import { stopGuest, type StopOutcome } from '../guest/stop.ts';
import type { DesiredState, DesiredVm } from '../topology/desired.ts';
import type { Settings } from './settings.ts';
import { loadTopology } from './topology.ts';
import {
  listDomains,
  renderDomain,
  runningDomains,
  startDomain,
  type DomainStart,
  type ListedDomain,
} from './vmlibvirt.ts';
import { requireBackends } from './vmobstacles.ts';

/** What became of one VM, or the fault that kept it from it. The others go on. */
export interface VmResult<Outcome> {
  readonly vm: string;
  readonly result: Outcome | VsbError;
}

export interface StartVmsOptions {
  /** VMs by name; none named: all of the topology. */
  readonly vms: readonly string[];
  readonly accelerator: Accelerator | 'auto';
  /** Who runs them. */
  readonly with: 'qemu' | 'libvirt';
  readonly libvirt: Libvirt;
  /** Wait until each guest's console has shown this text; libvirt's consoles are its own. */
  readonly waitFor: string | undefined;
  readonly timeoutMs: number;
  /** What runs by then, runs on. */
  readonly signal?: AbortSignal;
}

/**
 * Starts VMs, all at the same time.
 * @throws GUEST_UNKNOWN, TOPOLOGY_INVALID, FILE_UNREADABLE; faults of single VMs are in their results
 */
export async function startVms(
  settings: Settings,
  path: string,
  options: StartVmsOptions,
): Promise<VmResult<StartOutcome | DomainStart>[]> {
  const topology = await loadTopology(path);
  const vms = select(topology, options.vms);
  const home = homeOf(settings, topology, path, options);
  return Promise.all(
    vms.map((vm) =>
      settle(vm.name, async () => {
        await requireBackends(vm, options.with);
        if (options.with === 'libvirt') {
          await requireNoGuest(vm, home);
          return startDomain(vm, home, options.libvirt);
        }
        const outcome = await startGuest(vm, home);
        if (options.waitFor !== undefined) {
          const paths = guestPaths(home.runDir, { topology: topology.name, vm: vm.name });
          await awaitConsoleText(vm.name, paths, options.waitFor, options);
        }
        return outcome;
      }),
    ),
  );
}

export interface StopVmsOptions {
  /** VMs by name; none named: all that were started of this topology, also those that its file has no longer. */
  readonly vms: readonly string[];
  readonly force: boolean;
  readonly timeoutMs: number;
  readonly libvirt: Libvirt;
}

/** Stops VMs, all at the same time. @throws as startVms */
export async function stopVms(
  settings: Settings,
  path: string,
  options: StopVmsOptions,
): Promise<VmResult<StopOutcome>[]> {
  const topology = await loadTopology(path);
  const runDir = toAbsolute(settings.runDir);
  const started = (await findGuests(runDir, topology.name)).map((guest) => guest.vm);
  const domains = await runningDomains(options.libvirt, topology.name);
  const known = new Set([...topology.vms.map((vm) => vm.name), ...started, ...domains.keys()]);
  for (const vm of options.vms) {
    if (!known.has(vm)) throw fail('GUEST_UNKNOWN', { vm, topology: topology.name, known: [...known] });
  }
  const names = options.vms.length > 0 ? options.vms : [...known];
  const how = { runDir, force: options.force, powerdownMs: options.timeoutMs };
  return Promise.all(
    names.map((vm) =>
      settle(vm, () => {
        const domain = domains.get(vm);
        return domain === undefined
          ? stopGuest({ topology: topology.name, vm }, how)
          : endDomain(options.libvirt, domain, how);
      }),
    ),
  );
}

export interface ListedVms {
  /** Those that vsb started with QEMU and that were not stopped. */
  readonly guests: readonly ListedGuest[];
  /** Those that libvirt has, whoever defined them; with a topology file only its own. */
  readonly domains: readonly ListedDomain[];
}

/** The VMs of one topology file, or all of this host. */
export async function listVms(
  settings: Settings,
  path: string | undefined,
  libvirt: Libvirt,
): Promise<ListedVms> {
  const topology = path === undefined ? undefined : (await loadTopology(path)).name;
  const [guests, domains] = await Promise.all([
    listGuests(toAbsolute(settings.runDir), topology),
    listDomains(libvirt, topology),
  ]);
  return { guests, domains };
}

/** Joins a guest's console with streams. @throws GUEST_UNKNOWN, GUEST_NOT_RUNNING */
export async function openConsole(
  settings: Settings,
  path: string,
  vm: string,
  streams: ConsoleStreams,
): Promise<'guest' | 'us'> {
  const topology = await loadTopology(path);
  select(topology, [vm]);
  const paths = guestPaths(toAbsolute(settings.runDir), { topology: topology.name, vm });
  const { status } = await readGuestStatus(paths);
  if (status !== 'running') throw fail('GUEST_NOT_RUNNING', { vm, status });
  return attachConsole(vm, paths, streams);
}

/** The command that `vm start` would run for each VM. @throws as startVms and start.ts's startCommand */
export async function startCommands(
  settings: Settings,
  path: string,
  vms: readonly string[],
  accelerator: Accelerator | 'auto',
): Promise<GuestCommand[]> {
  const topology = await loadTopology(path);
  const home = homeOf(settings, topology, path, { accelerator });
  return Promise.all(select(topology, vms).map((vm) => startCommand(vm, home)));
}

/** The domain XML of each VM, one after the other. @throws as startVms and vmlibvirt.ts's renderDomain */
export async function domainXmls(
  settings: Settings,
  path: string,
  vms: readonly string[],
  how: { readonly accelerator: Accelerator | 'auto'; readonly ports: 'vsb' | 'libvirt' },
): Promise<string[]> {
  const topology = await loadTopology(path);
  const home = homeOf(settings, topology, path, { accelerator: how.accelerator });
  return Promise.all(select(topology, vms).map((vm) => renderDomain(vm, home, { ports: how.ports })));
}

/** One VM runs once: on libvirt only where QEMU of ours does not run it. @throws GUEST_RUNS_ON_QEMU */
async function requireNoGuest(vm: DesiredVm, home: GuestHome): Promise<void> {
  const { status } = await readGuestStatus(guestPaths(home.runDir, { topology: home.topology, vm: vm.name }));
  if (status === 'running') throw fail('GUEST_RUNS_ON_QEMU', { vm: vm.name, path: home.topologyPath });
}

function homeOf(
  settings: Settings,
  topology: DesiredState,
  path: string,
  { accelerator, signal }: Pick<StartVmsOptions, 'accelerator' | 'signal'>,
): GuestHome {
  // QEMU goes to "/" when it daemonizes.
  const runDir = toAbsolute(settings.runDir);
  return {
    topology: topology.name,
    topologyPath: path,
    runDir,
    netns: settings.netns,
    accelerate: accelerate(accelerator, runDir, signal),
    signal,
  };
}

/** Asks once for each kernel, since the question takes seconds and VMs start at the same time. */
function accelerate(
  wanted: Accelerator | 'auto',
  runDir: string,
  signal: AbortSignal | undefined,
): GuestHome['accelerate'] {
  const choices = new Map<string | undefined, Promise<AcceleratorChoice>>();
  return async (kernel) => {
    if (wanted !== 'auto') return { accelerator: wanted, reason: 'as asked for' };
    const choice = choices.get(kernel) ?? chooseAccelerator(kernel, runDir, signal);
    choices.set(kernel, choice);
    return choice;
  };
}

/** The named VMs in the order of the file; all where none is named. */
function select(topology: DesiredState, names: readonly string[]): readonly DesiredVm[] {
  const known = topology.vms.map((vm) => vm.name);
  for (const vm of names) {
    if (!known.includes(vm)) throw fail('GUEST_UNKNOWN', { vm, topology: topology.name, known });
  }
  return names.length === 0 ? topology.vms : topology.vms.filter((vm) => names.includes(vm.name));
}

async function settle<Outcome>(vm: string, act: () => Promise<Outcome>): Promise<VmResult<Outcome>> {
  try {
    return { vm, result: await act() };
  } catch (error) {
    if (error instanceof VsbError) return { vm, result: error };
    throw error;
  }
}
