/**
 * Starts daemons that outlive us: own session and process group, stdio in files. Who started one keeps its pid in a
 * file and ends it through pidfile.ts.
 */
import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { fail } from '../errors.ts';
import { inNetns } from './netns.ts';
import { childEnvironment, startFailed } from './run.ts';

export interface DetachedOptions {
  /** Gets stdout and stderr, appended. */
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly netns?: string | undefined;
}

/**
 * Starts a program and leaves it running.
 * @returns its pid, as soon as the program has been loaded; whether it then works is for the caller to look at
 * @throws PROGRAM_MISSING, PROGRAM_NOT_STARTED, FILE_UNWRITABLE
 */
export async function startDetached(
  program: string,
  args: readonly string[],
  options: DetachedOptions,
): Promise<number> {
  await using log = await open(options.logFile, 'a').catch((error: unknown) => {
    throw fail('FILE_UNWRITABLE', { path: options.logFile, why: String(error) }, { cause: error });
  });
  const command = inNetns(options.netns, program, args);
  const child = spawn(command.program, command.args, {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    env: childEnvironment(options.env),
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => {
      reject(startFailed(command.program, error));
    });
  });
  child.unref();
  if (child.pid === undefined) throw fail('PROGRAM_NOT_STARTED', { program, why: 'it has no pid' });
  return child.pid;
}
