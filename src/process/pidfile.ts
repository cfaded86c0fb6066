/**
 * Processes that outlive the one that started them, known by a pid file: is it still there, is it still that program,
 * wait for its end, end it. A pid is only ever signalled after /proc says that it is the expected program, so that
 * a number which the kernel gave to something else meanwhile is left alone.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fail } from '../errors.ts';

/** Which process is meant. */
export interface ProcessMark {
  readonly pid: number;
  /** The program's name without its directory: `ovs-vswitchd`. */
  readonly program: string;
  /** Text that must occur in its command line, to tell it from others of the same program. */
  readonly argument?: string | undefined;
}

/** Between two looks at /proc: short beside what a daemon needs to end, long beside the look itself (0.1 ms). */
const LOOK_EVERY_MS = 10;

/**
 * The running process that a pid file names.
 * @returns `undefined` where the file is missing or garbled, or its process ended or is another program
 */
export async function runningProcess(
  pidFile: string,
  program: string,
  argument?: string,
): Promise<ProcessMark | undefined> {
  const pid = await readPidFile(pidFile);
  if (pid === undefined) return undefined;
  const mark: ProcessMark = { pid, program, argument };
  return (await isRunning(mark)) ? mark : undefined;
}

/** @returns the pid in the file's first line, or `undefined` where there is no file or no pid in it */
export async function readPidFile(path: string): Promise<number | undefined> {
  const text = await readIfThere(path);
  const match = /^\s*([1-9]\d{0,9})\s*(?:\n|$)/.exec(text ?? '');
  return match ? Number(match[1]) : undefined;
}

/** True while the process runs and is that program; not any more where it is about to leave. */
export async function isRunning(mark: ProcessMark): Promise<boolean> {
  return (await stateOf(mark)) === 'running';
}

/**
 * `ending`: the kernel has taken its memory, and with it its command line, but perhaps not yet its files and sockets
 * (do_exit: exit_mm comes before exit_files), be it in another of its threads. A zombie without other threads has ended:
 * it only waits for its parent.
 */
async function stateOf(mark: ProcessMark): Promise<'running' | 'ending' | 'ended'> {
  const directory = `/proc/${String(mark.pid)}`;
  const [stat, comm, commandLine] = await Promise.all([
    readIfThere(`${directory}/stat`),
    readIfThere(`${directory}/comm`),
    readIfThere(`${directory}/cmdline`),
  ]);
  if (stat === undefined || comm === undefined || commandLine === undefined) return 'ended';
  // proc(5): "pid (comm) state ppid …"; comm may hold parentheses and blanks, so look behind the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, threads] = [fields[0], Number(fields[17])];
  const isZombie = state === 'Z' || state === 'X';
  // comm is cut to 15 bytes (TASK_COMM_LEN); argv[0] is the name it was started by.
  const isNamed = comm.trimEnd() === mark.program.slice(0, 15);
  if (isZombie || commandLine === '') return isNamed && (!isZombie || threads > 1) ? 'ending' : 'ended';
  const isProgram = isNamed || baseName(commandLine.split('\0')[0]) === mark.program;
  return isProgram && (mark.argument === undefined || commandLine.includes(mark.argument))
    ? 'running'
    : 'ended';
}

/**
 * Waits until the process has ended, and has let go of its sockets and locks.
 * @returns false where it still runs after `deadlineMs`
 * @throws CANCELLED when the signal is aborted
 */
export async function waitForEnd(
  mark: ProcessMark,
  options: { readonly deadlineMs: number; readonly signal?: AbortSignal | undefined },
): Promise<boolean> {
  const startMs = performance.now();
  while ((await stateOf(mark)) !== 'ended') {
    if (performance.now() - startMs >= options.deadlineMs) return false;
    if (options.signal?.aborted === true) {
      throw fail('CANCELLED', { what: `waiting for the end of "${mark.program}"` });
    }
    await delay(LOOK_EVERY_MS);
  }
  return true;
}

/**
 * Ends the process: TERM, and KILL where that does not end it in `termMs`. Nothing happens where it does not run.
 * @throws PROCESS_STUCK where even KILL does not end it in 5 s (it is in the kernel), NOT_PERMITTED
 */
export async function terminate(mark: ProcessMark, options: { readonly termMs: number }): Promise<void> {
  if (!(await sendSignal(mark, 'SIGTERM'))) return;
  if (await waitForEnd(mark, { deadlineMs: options.termMs })) return;
  if (!(await sendSignal(mark, 'SIGKILL'))) return;
  if (!(await waitForEnd(mark, { deadlineMs: 5000 }))) {
    throw fail('PROCESS_STUCK', { program: mark.program, pid: mark.pid });
  }
}

/**
 * Sends a signal to the process if it runs.
 * @returns false where it does not
 * @throws NOT_PERMITTED
 */
export async function sendSignal(mark: ProcessMark, signal: NodeJS.Signals): Promise<boolean> {
  if (!(await isRunning(mark))) return false;
  try {
    return process.kill(mark.pid, signal);
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM') {
      const what = `ending "${mark.program}" (pid ${String(mark.pid)})`;
      throw fail('NOT_PERMITTED', { what }, { cause: thrown });
    }
    return false;
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    // Gone between two looks, or hidden from us (hidepid): either way not a process that we may signal.
    return undefined;
  }
}

function baseName(path: string | undefined): string | undefined {
  return path?.slice(path.lastIndexOf('/') + 1);
}
