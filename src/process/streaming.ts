/**
 * A program whose output is read while it runs, and that runs until it is told to stop. One that ends by itself, with all
 * its output kept: run.ts.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { fail, type VsbError } from '../errors.ts';
import { inNetns, netnsFailure } from './netns.ts';
import { packageOf } from './packages.ts';

export interface StreamingOptions {
  /** Network namespace (as `ip netns` names it) to run in; `undefined`: ours. */
  readonly netns: string | undefined;
  /** Gets each line of stderr as it comes, without its end. */
  readonly onErrorLine?: (line: string) => void;
}

/** How it ended. */
export interface StreamingEnd {
  /** Exit status; 128 + the signal's number where a signal ended it, as shells count. */
  readonly status: number;
  /** The end of what it said on stderr. */
  readonly stderr: string;
}

export interface StreamingProgram extends AsyncDisposable {
  /** Read it: a full pipe stops the program. */
  readonly stdout: Readable;
  /** Rejects with PROGRAM_MISSING, PROGRAM_NOT_STARTED, NETNS_MISSING, NOT_PERMITTED where it never ran. */
  readonly ended: Promise<StreamingEnd>;
  /** TERM: it may write what it still has. Nothing happens where it has ended. */
  stop(): void;
}

/** Enough for the last words of a program. */
const STDERR_KEPT = 8192;
/** After TERM; a program in disk sleep takes for ever. */
const KILL_AFTER_MS = 3000;

/**
 * Starts it, never through a shell. Disposing of it ends it, by KILL where TERM is not enough.
 * It has a process group of its own, so that Ctrl-C reaches us alone, and we end it in order.
 */
export function startStreaming(
  program: string,
  args: readonly string[],
  { netns, onErrorLine }: StreamingOptions,
): StreamingProgram {
  const command = inNetns(netns, program, args);
  const child = spawn(command.program, command.args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let stderr = '';
  let openLine = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_KEPT);
    const lines = (openLine + text).slice(-STDERR_KEPT).split('\n');
    openLine = lines.pop() ?? '';
    for (const line of lines) onErrorLine?.(line);
  });
  const ended = new Promise<StreamingEnd>((resolve, reject) => {
    child.once('error', (error) => {
      reject(notStarted(command.program, error));
    });
    child.once('close', (code, signal) => {
      const status = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
      const problem = netns === undefined ? undefined : netnsFailure(netns, program, { status, stderr });
      if (problem) reject(problem);
      else resolve({ status, stderr });
    });
  });
  // Who stops it before looking need not hear of it.
  ended.catch(() => undefined);
  return {
    stdout: child.stdout,
    ended,
    stop: () => {
      child.kill('SIGTERM');
    },
    async [Symbol.asyncDispose]() {
      child.stdout.destroy();
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
      await ended.catch(() => undefined);
      clearTimeout(timer);
    },
  };
}

function notStarted(program: string, error: NodeJS.ErrnoException): VsbError {
  if (error.code === 'ENOENT')
    return fail('PROGRAM_MISSING', { program, debianPackage: packageOf(program) }, { cause: error });
  return fail('PROGRAM_NOT_STARTED', { program, why: error.message }, { cause: error });
}
