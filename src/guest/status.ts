/** Whether a guest runs, was stopped or crashed. The decision is pure; below it what it is made from is read. */
import { isRunning, readPidFile, type ProcessMark } from '../process/pidfile.ts';
import { QEMU } from './qemu-args.ts';
import { findGuests, guestPaths, readGuestState, type GuestName, type GuestPaths } from './run-directory.ts';

export type GuestStatus =
  | { readonly status: 'running'; readonly pid: number }
  /** QEMU ended by itself or on request: the guest was powered off. */
  | { readonly status: 'stopped' }
  /** QEMU was killed, or died; `pid` is what it was. */
  | { readonly status: 'crashed'; readonly pid: number }
  /** Never started, or stopped by `vm stop`, which leaves nothing. */
  | { readonly status: 'absent' };

/** What the run directory and the kernel tell of a guest. */
export interface GuestTraces {
  /** The number in QEMU's pid file. QEMU removes the file when it ends in order, not when it is killed. */
  readonly pid: number | undefined;
  /** Whether that process is this guest's QEMU: numbers are used again. */
  readonly runs: boolean;
  /** Whether the state file of start.ts is there. */
  readonly noted: boolean;
}

/** The guest's status. Pure. */
export function guestStatus({ pid, runs, noted }: GuestTraces): GuestStatus {
  if (pid === undefined) return { status: noted ? 'stopped' : 'absent' };
  return { status: runs ? 'running' : 'crashed', pid };
}

/** Reads a guest's status now. */
export async function readGuestStatus(paths: GuestPaths): Promise<GuestStatus> {
  const [pid, state] = await Promise.all([readPidFile(paths.pidFile), readGuestState(paths)]);
  const runs = pid !== undefined && (await isRunning(guestProcess(paths, pid)));
  return guestStatus({ pid, runs, noted: state !== undefined });
}

/** The guest's process: QEMU that was started with this guest's pid file. */
export function guestProcess(paths: GuestPaths, pid: number): ProcessMark {
  return { pid, program: QEMU, argument: paths.pidFile };
}

/** One guest as `vm list` shows it. */
export interface ListedGuest {
  readonly topology: string;
  readonly vm: string;
  readonly status: 'running' | 'stopped' | 'crashed';
  readonly pid: number | undefined;
  readonly accelerator: string | undefined;
  readonly startedAt: string | undefined;
  readonly consoleLog: string;
}

/** Every guest that was started and not yet stopped by `vm stop`; of one topology or of all, sorted by name. */
export async function listGuests(runDir: string, topology?: string): Promise<ListedGuest[]> {
  const names = await findGuests(runDir, topology);
  const listed = await Promise.all(names.map((name) => listGuest(runDir, name)));
  return listed.filter((guest) => guest !== undefined);
}

async function listGuest(runDir: string, name: GuestName): Promise<ListedGuest | undefined> {
  const paths = guestPaths(runDir, name);
  const [status, state] = await Promise.all([readGuestStatus(paths), readGuestState(paths)]);
  if (status.status === 'absent') return undefined;
  return {
    topology: name.topology,
    vm: name.vm,
    status: status.status,
    pid: status.status === 'running' ? status.pid : undefined,
    accelerator: state?.accelerator,
    startedAt: state?.startedAt,
    consoleLog: paths.consoleLog,
  };
}
