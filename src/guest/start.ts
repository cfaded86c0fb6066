/** Starts a guest that outlives us: checks what it needs, runs QEMU, waits until QEMU answers. */
import { access, constants, type FileHandle } from 'node:fs/promises';
import { fail } from '../errors.ts';
import { isOnTap, type DesiredVm } from '../topology/desired.ts';
import type { AcceleratorChoice } from './accel.ts';
import { launchQemu } from './launch.ts';
import { openMacvtap, shellRedirection } from './macvtaps.ts';
import { vnetHeader, type TapFacts } from './offload.ts';
import { QEMU, qemuArgs, type Accelerator } from './qemu-args.ts';
import { qmp } from './qmp.ts';
import {
  guestPaths,
  makeGuestDirectory,
  removeGuestDirectory,
  vhostSocketOf,
  writeGuestState,
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
  /** How long QEMU may take to be up; default in launch.ts. */
  readonly startTimeoutMs?: number;
}

export type StartOutcome =
  | {
      readonly outcome: 'started';
      readonly pid: number;
      readonly accelerator: Accelerator;
      readonly reason: string;
    }
  | { readonly outcome: 'already-running'; readonly pid: number };

/**
 * Starts a VM, unless it runs. Its taps, macvtaps and disks must be there: apply makes them.
 * @throws GUEST_NOT_BOOTABLE, GUEST_BOOT_FILE_MISSING, GUEST_DISK_MISSING, GUEST_TAP_MISSING, GUEST_NOT_STARTED with what QEMU said,
 *   GUEST_SOCKET_PATH_TOO_LONG, FILE_UNWRITABLE, PROGRAM_MISSING, NETNS_MISSING, NOT_PERMITTED, CANCELLED
 */
export async function startGuest(vm: DesiredVm, home: GuestHome): Promise<StartOutcome> {
  const paths = guestPaths(home.runDir, { topology: home.topology, vm: vm.name });
  const status = await readGuestStatus(paths);
  if (status.status === 'running') return { outcome: 'already-running', pid: status.pid };
  await requireBootable(vm, home.topologyPath);
  const taps = await readTapFacts(devicesOf(vm), home.netns);
  requireTaps(vm, taps, home.topologyPath);
  const choice = await home.accelerate(vm.boot?.kernel);
  if (home.signal?.aborted === true) throw fail('CANCELLED', { what: `VM "${vm.name}" was not started` });
  const macvtaps = await openMacvtaps(vm, home);
  try {
    await makeGuestDirectory(paths);
    const args = argsOf(vm, home, { accelerator: choice.accelerator, taps });
    await launchQemu(vm, args, { ...home, paths, inherited: macvtaps });
  } catch (error) {
    // It may be another start of the same VM that was faster: then the directory is in use.
    if ((await readGuestStatus(paths)).status === 'absent') await removeGuestDirectory(paths);
    throw error;
  } finally {
    await Promise.all(macvtaps.map((handle) => handle.close()));
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
  /** What a shell has to open for it, behind the command: `3<>FILE`. */
  readonly redirections: readonly string[];
}

/**
 * The whole command that starts a VM here and now, for people to read and to run by hand. A tap that is
 * not there yet counts as one whose switch is not known.
 * @throws GUEST_NOT_BOOTABLE, GUEST_SOCKET_PATH_TOO_LONG, PROGRAM_MISSING, FILE_UNREADABLE for its kernel
 */
export async function startCommand(vm: DesiredVm, home: GuestHome): Promise<GuestCommand> {
  const paths = guestPaths(home.runDir, { topology: home.topology, vm: vm.name });
  if (vm.boot === undefined && vm.disks.length === 0) throw fail('GUEST_NOT_BOOTABLE', { vm: vm.name });
  const taps = await readTapFacts(devicesOf(vm), home.netns);
  const choice = await home.accelerate(vm.boot?.kernel);
  const enter = home.netns === undefined ? [] : ['ip', 'netns', 'exec', home.netns];
  const argv = [...enter, QEMU, ...argsOf(vm, home, { accelerator: choice.accelerator, taps })];
  const descriptors = descriptorsOf(vm);
  const redirections = vm.nics.flatMap((nic) =>
    (descriptors.get(nic.index) ?? []).map((fd) => shellRedirection(nic.device, fd, home.netns)),
  );
  return { vm: vm.name, directory: paths.directory, argv, redirections };
}

/**
 * A kernel or a disk, and both readable.
 * @param path of the topology
 * @throws GUEST_NOT_BOOTABLE, GUEST_BOOT_FILE_MISSING, GUEST_DISK_MISSING
 */
export async function requireBootable(vm: DesiredVm, path: string): Promise<void> {
  const { name, boot, disks } = vm;
  if (boot === undefined && disks.length === 0) throw fail('GUEST_NOT_BOOTABLE', { vm: name });
  for (const file of [boot?.kernel, boot?.initrd]) {
    const why = file === undefined ? undefined : await faultOf(file);
    if (file !== undefined && why !== undefined)
      throw fail('GUEST_BOOT_FILE_MISSING', { vm: name, path: file, why });
  }
  for (const { image } of disks) {
    const why = await faultOf(image);
    if (why !== undefined) throw fail('GUEST_DISK_MISSING', { vm: name, image, why, path });
  }
}

/** Why a file cannot be read, in words; `undefined` where it can. */
async function faultOf(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.R_OK);
    return undefined;
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException;
    if (code === 'ENOENT') return 'it is not there';
    return code === 'EACCES' ? 'permission denied' : message;
  }
}

/** @param path of the topology @throws GUEST_TAP_MISSING */
export function requireTaps(vm: DesiredVm, taps: ReadonlyMap<string, TapFacts>, path: string): void {
  const missing = devicesOf(vm).filter((device) => !taps.has(device));
  if (missing.length > 0) throw fail('GUEST_TAP_MISSING', { vm: vm.name, devices: missing, path });
}

function argsOf(
  vm: DesiredVm,
  home: GuestHome,
  { accelerator, taps }: { accelerator: Accelerator; taps: ReadonlyMap<string, TapFacts> },
): string[] {
  const name = { topology: home.topology, vm: vm.name };
  const descriptors = descriptorsOf(vm);
  return qemuArgs(vm, {
    paths: guestPaths(home.runDir, name),
    accelerator,
    vnetHeader: (nic) =>
      vnetHeader(taps.get(nic.device) ?? { inKernelSwitch: false, socketReadsHeader: false }),
    vhostSocket: (nic) => vhostSocketOf(home.runDir, name, nic.device),
    descriptors: (nic) => descriptors.get(nic.index) ?? [],
  });
}

/** The first that a child inherits beyond stdin, stdout and stderr. */
const FIRST_DESCRIPTOR = 3;

/** Which descriptors QEMU has for each macvtap NIC, by its place: one for each queue, in the order of openMacvtaps. */
function descriptorsOf({ nics }: DesiredVm): ReadonlyMap<number, readonly number[]> {
  let next = FIRST_DESCRIPTOR;
  return new Map(
    nics
      .filter(({ backend }) => backend.kind === 'macvtap')
      .map((nic) => [nic.index, Array.from({ length: nic.queues }, () => next++)]),
  );
}

async function openMacvtaps({ name, nics }: DesiredVm, home: GuestHome): Promise<FileHandle[]> {
  const handles: FileHandle[] = [];
  try {
    for (const { backend, device, queues } of nics) {
      if (backend.kind !== 'macvtap') continue;
      const which = { vm: name, device, queues, path: home.topologyPath };
      handles.push(...(await openMacvtap(which, home.netns)));
    }
    return handles;
  } catch (error) {
    await Promise.all(handles.map((handle) => handle.close()));
    throw error;
  }
}

/** The taps of a VM. */
export function devicesOf(vm: DesiredVm): string[] {
  return vm.nics.filter(isOnTap).map((nic) => nic.device);
}
