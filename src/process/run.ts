/**
 * Runs a program to its end: time limit, bounded output, no shell. What its output means is the caller's.
 * Daemons detach themselves, which ends the program that was run; what follows of them is pidfile.ts's.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { fail, type VsbError } from '../errors.ts';
import { packageOf } from './packages.ts';
import { inNetns, netnsFailure } from './netns.ts';

export interface RunOptions {
  /** The program is killed, with its process group, when it takes longer. */
  readonly timeoutMs: number;
  /** Ends the program early; the promise then rejects with `CANCELLED`. */
  readonly signal?: AbortSignal | undefined;
  /** Written to stdin; without it stdin is at its end from the start. Secrets go this way, never in `args`. */
  readonly input?: string | Uint8Array | undefined;
  /** Added to our own environment; `undefined` takes a variable away. `LC_ALL=C` is always set. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Limit for each of stdout and stderr. Default 64 MiB: `ip -d -j link` of 10,000 devices is about 20 MB. */
  readonly maxOutputBytes?: number | undefined;
  /** Network namespace (as `ip netns` names it) to run in; `undefined`: ours. */
  readonly netns?: string | undefined;
  /** Open descriptors of ours that the program has too, as 3, 4 and so on. */
  readonly inherit?: readonly number[] | undefined;
}

export interface RunResult {
  /** Exit status; 128 + the signal's number where a signal ended it, as shells count. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const DEFAULT_MAX_OUTPUT_BYTES = 64 * 2 ** 20;
/** How long a killed program may take to be gone before we stop looking: one in disk sleep takes for ever. */
const KILL_GRACE_MS = 1000;

/**
 * Runs a program, never through a shell, and waits for its end. Any exit status is a result, not an error.
 * @throws PROGRAM_MISSING, PROGRAM_TIMEOUT, PROGRAM_OUTPUT_TOO_LONG, NETNS_MISSING, NOT_PERMITTED, CANCELLED
 */
export async function run(program: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
  if (options.signal?.aborted === true) throw cancelled(program);
  const command = inNetns(options.netns, program, args);
  // The first three are pipes, whatever follows.
  const child = spawn(command.program, command.args, {
    stdio: ['pipe', 'pipe', 'pipe', ...(options.inherit ?? [])],
    // Its own process group, so that what it started ends with it.
    detached: true,
    env: childEnvironment(options.env),
  }) as ChildProcessByStdio<Writable, Readable, Readable>;
  const result = await outcome(child, command.program, program, options);
  const problem = options.netns === undefined ? undefined : netnsFailure(options.netns, program, result);
  if (problem) throw problem;
  return result;
}

/**
 * The same, where only exit status 0 is good.
 * @returns stdout
 * @throws PROGRAM_FAILED with the status and the first lines of stderr, and what `run` throws
 */
export async function runOrFail(
  program: string,
  args: readonly string[],
  options: RunOptions,
): Promise<string> {
  const { status, stdout, stderr } = await run(program, args, options);
  if (status !== 0) throw programFailed(program, status, stderr);
  return stdout;
}

/** The error of a program that ended with a status other than 0. */
export function programFailed(program: string, status: number, stderr: string): VsbError {
  const lines = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return fail('PROGRAM_FAILED', { program, status, said: lines.slice(0, 5).join(' / ').slice(0, 1000) });
}

/** The error of a program that could not be started at all. */
function startFailed(program: string, error: NodeJS.ErrnoException): VsbError {
  if (error.code === 'ENOENT') {
    return fail('PROGRAM_MISSING', { program, debianPackage: packageOf(program) }, { cause: error });
  }
  return fail('PROGRAM_NOT_STARTED', { program, why: error.message }, { cause: error });
}

/** What a child finds in its environment: ours, with additions. */
function childEnvironment(
  additions: Readonly<Record<string, string | undefined>> | undefined,
): NodeJS.ProcessEnv {
  // eslint-disable-next-line no-restricted-properties -- handed on unread: settings still come from app/ alone
  const inherited = process.env;
  // Messages are compared with English ones, and numbers must have a decimal point.
  return { ...inherited, ...additions, LC_ALL: 'C' };
}

function outcome(
  child: ChildProcessByStdio<Writable, Readable, Readable>,
  started: string,
  program: string,
  options: RunOptions,
): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const max = options.maxOutputBytes ?? DEFAULT_MAX_OUTPUT_BYTES;
    const stdout = collect(child.stdout, max, outputTooLong);
    const stderr = collect(child.stderr, max, outputTooLong);
    let problem: VsbError | undefined;
    let grace: NodeJS.Timeout | undefined;
    const limit = setTimeout(() => {
      end(fail('PROGRAM_TIMEOUT', { program, timeoutMs: options.timeoutMs }));
    }, options.timeoutMs);
    const onAbort = (): void => {
      end(cancelled(program));
    };
    options.signal?.addEventListener('abort', onAbort, { once: true });

    function outputTooLong(): void {
      end(fail('PROGRAM_OUTPUT_TOO_LONG', { program, maxBytes: max }));
    }
    function end(why: VsbError): void {
      if (problem) return;
      problem = why;
      killGroup(child.pid);
      // What left the group may still hold the pipes open: nobody reads them any more.
      child.stdout.destroy();
      child.stderr.destroy();
      grace = setTimeout(settle, KILL_GRACE_MS);
    }
    function settle(status = 0): void {
      clearTimeout(limit);
      clearTimeout(grace);
      options.signal?.removeEventListener('abort', onAbort);
      if (problem) reject(problem);
      else resolve({ status, stdout: stdout(), stderr: stderr() });
    }

    child.once('error', (error) => {
      problem ??= startFailed(started, error);
      settle();
    });
    child.once('close', (code, signal) => {
      settle(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
    // A program may end without reading what we write: its status says what that meant.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input);
  });
}

/** Gathers a stream's text; calls `onTooLong` once it exceeds the limit. */
function collect(stream: Readable, maxBytes: number, onTooLong: () => void): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) onTooLong();
    else chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Ended in the meantime: that is what was wanted.
  }
}

function cancelled(program: string): VsbError {
  return fail('CANCELLED', { what: `"${program}" was ended` });
}
