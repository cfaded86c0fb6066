/** Starts a guest that outlives us: checks what it needs, runs QEMU, waits until QEMU answers. */
import { access, constants } from 'node:fs/promises';
import { fail } from '../errors.ts';
import { run } from '../process/run.ts';
import { isOnTap, type DesiredBoot, type DesiredVm } from '../topology/desired.ts';
import type { AcceleratorChoice } from './accel.ts';
import { vnetHeader, type TapFacts } from './offload.ts';
import { QEMU, qemuArgs, type Accelerator } from './qemu-args.ts';
import { qmp } from './qmp.ts';
import {
  guestPaths,
  makeGuestDirectory,
  removeGuestDirectory,
  writeGuestState,
  type GuestPaths,
} from './run-directory.ts';
import { readGuestStatus } from './status.ts';
import { readTapFacts } from './tapfacts.ts';

/** Where guests live, and how they are to run. */
export interface GuestHome {
  readonly topology: string;
  /** The topology's file, for what an error tells to do. */
  readonly topologyPath: string;
  readonly runDir: string;
  /** Namespace of the taps; QEMU runs in it. */
  readonly netns: string | undefined;
  /** How a guest with this kernel, or one that boots from a disk, is to be run (accel.ts, or what was asked for). */
  readonly accelerate: (kernel: string | undefined) => Promise<AcceleratorChoice>;
  /** Keeps a guest from being started; one whose QEMU is on its way is seen through. */
  readonly signal: AbortSignal | undefined;
}

export type StartOutcome =
  | {
      readonly outcome: 'started';
      readonly pid: number;
      readonly accelerator: Accelerator;
      readonly reason: string;
    }
  | { readonly outcome: 'already-running'; readonly pid: number };

type BootableVm = DesiredVm & { readonly boot: DesiredBoot };

/** QEMU needs well below a second; loading a kernel from a cold disk takes longer. */
const START_TIMEOUT_MS = 30_000;

/**
 * Starts a VM, unless it runs. Its taps must be there: apply makes them.
 * @throws GUEST_NOT_BOOTABLE, GUEST_BOOT_FILE_MISSING, GUEST_TAP_MISSING, GUEST_NOT_STARTED with what QEMU said,
 *   GUEST_SOCKET_PATH_TOO_LONG, FILE_UNWRITABLE, PROGRAM_MISSING, NETNS_MISSING, NOT_PERMITTED, CANCELLED
 */
export async function startGuest(vm: DesiredVm, home: GuestHome): Promise<StartOutcome> {
  const paths = guestPaths(home.runDir, { topology: home.topology, vm: vm.name });
  const status = await readGuestStatus(paths);
  if (status.status === 'running') return { outcome: 'already-running', pid: status.pid };
  const bootable = requireBoot(vm);
  await requireBootFiles(bootable);
  const taps = await readTapFacts(devicesOf(vm), home.netns);
  requireTaps(vm, taps, home.topologyPath);
  const choice = await home.accelerate(bootable.boot.kernel);
  if (home.signal?.aborted === true) throw fail('CANCELLED', { what: `VM "${vm.name}" was not started` });
  await makeGuestDirectory(paths);
  try {
    await runQemu(vm.name, commandOf(bootable, paths, choice.accelerator, taps), home.netns);
  } catch (error) {
    // It may be another start of the same VM that was faster: then the directory is in use.
    if ((await readGuestStatus(paths)).status === 'absent') await removeGuestDirectory(paths);
    throw error;
  }
  await qmp(paths.qmpSocket, 'query-status');
  await writeGuestState(paths, {
    formatVersion: '1.0',
    topology: home.topology,
    vm: vm.name,
    uuid: vm.uuid,
    accelerator: choice.accelerator,
    startedAt: new Date().toISOString(),
  });
  const now = await readGuestStatus(paths);
  if (now.status !== 'running') {
    throw fail('GUEST_NOT_STARTED', { vm: vm.name, said: 'it ended again at once' });
  }
  return { outcome: 'started', pid: now.pid, ...choice };
}

/** How to start a VM by hand. */
export interface GuestCommand {
  readonly vm: string;
  /** Must be there before: sockets, pid file and log go into it. */
  readonly directory: string;
  /** Program first. */
  readonly argv: readonly string[];
}

/**
 * The whole command that starts a VM here and now, for people to read and to run by hand. A tap that is
 * not there yet counts as one whose switch is not known.
 * @throws GUEST_NOT_BOOTABLE, GUEST_SOCKET_PATH_TOO_LONG, PROGRAM_MISSING, FILE_UNREADABLE for its kernel
 */
export async function startCommand(vm: DesiredVm, home: GuestHome): Promise<GuestCommand> {
  const paths = guestPaths(home.runDir, { topology: home.topology, vm: vm.name });
  const bootable = requireBoot(vm);
  const taps = await readTapFacts(devicesOf(vm), home.netns);
  const choice = await home.accelerate(bootable.boot.kernel);
  const enter = home.netns === undefined ? [] : ['ip', 'netns', 'exec', home.netns];
  const argv = [...enter, QEMU, ...commandOf(bootable, paths, choice.accelerator, taps)];
  return { vm: vm.name, directory: paths.directory, argv };
}

function requireBoot(vm: DesiredVm): BootableVm {
  if (vm.boot === undefined) throw fail('GUEST_NOT_BOOTABLE', { vm: vm.name });
  return { ...vm, boot: vm.boot };
}

/** @throws GUEST_BOOT_FILE_MISSING */
export async function requireBootFiles({ name, boot }: DesiredVm): Promise<void> {
  for (const path of [boot?.kernel, boot?.initrd]) {
    if (path === undefined) continue;
    await access(path, constants.R_OK).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw fail('GUEST_BOOT_FILE_MISSING', { vm: name, path, why }, { cause: error });
    });
  }
}

/** @param path of the topology @throws GUEST_TAP_MISSING */
export function requireTaps(vm: DesiredVm, taps: ReadonlyMap<string, TapFacts>, path: string): void {
  const missing = devicesOf(vm).filter((device) => !taps.has(device));
  if (missing.length > 0) throw fail('GUEST_TAP_MISSING', { vm: vm.name, devices: missing, path });
}

function commandOf(
  vm: BootableVm,
  paths: GuestPaths,
  chosen: Accelerator,
  taps: ReadonlyMap<string, TapFacts>,
): string[] {
  return qemuArgs(vm, {
    paths,
    accelerator: chosen,
    vnetHeader: (nic) =>
      vnetHeader(taps.get(nic.device) ?? { inKernelSwitch: false, socketReadsHeader: false }),
  });
}

/** `-daemonize` makes QEMU return when the guest runs, or with its complaint on stderr. */
async function runQemu(vm: string, args: readonly string[], netns: string | undefined): Promise<void> {
  const { status, stderr } = await run(QEMU, args, { timeoutMs: START_TIMEOUT_MS, netns });
  if (status === 0) return;
  const complaint = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const said = complaint.length > 0 ? complaint.join(' / ') : `it ended with status ${String(status)}`;
  throw fail('GUEST_NOT_STARTED', { vm, said });
}

/** The taps of a VM. */
export function devicesOf(vm: DesiredVm): string[] {
  return vm.nics.filter(isOnTap).map((nic) => nic.device);
}
