/** Many commands of `ip` in one process (`ip -force -batch -`, ip(8)), each with its own success or failure. */
import { fail, type VsbError } from '../errors.ts';
import { programFailed, run } from '../process/run.ts';

/** 1,000 commands take a second or two; this is for a machine that is stuck. */
const TIMEOUT_MS = 120_000;

/**
 * Runs commands one after the other.
 * @param commands as behind `ip`, for example `link set dev tap0 up`
 * @param atFailure whether one that fails stops those behind it, which then have no error
 * @returns the error of each command that failed, by its place in `commands`
 * @throws NOT_PERMITTED where none of them is allowed; PROGRAM_FAILED where `ip` itself fails; what `run` throws
 */
export async function batch(
  commands: readonly string[],
  netns: string | undefined,
  atFailure: 'go-on' | 'stop' = 'go-on',
): Promise<ReadonlyMap<number, VsbError>> {
  if (commands.length === 0) return new Map();
  const { status, stderr } = await run('ip', [...(atFailure === 'go-on' ? ['-force'] : []), '-batch', '-'], {
    timeoutMs: TIMEOUT_MS,
    netns,
    input: `${commands.join('\n')}\n`,
  });
  const errors = readFailures(stderr);
  if (status !== 0 && errors.size === 0) throw programFailed('ip', status, stderr);
  return new Map(
    [...errors].map(([index, said]) => {
      if (/Operation not permitted|Permission denied/.test(said)) {
        throw fail('NOT_PERMITTED', { what: `ip ${commands[index] ?? ''}` });
      }
      return [index, programFailed('ip', status, said)];
    }),
  );
}

/** `ip` prints why, then `Command failed -:LINE`, with lines counted from 1. */
export function readFailures(stderr: string): Map<number, string> {
  const failures = new Map<number, string>();
  let said: string[] = [];
  for (const line of stderr.split('\n')) {
    const match = /^Command failed [^:]*:(\d+)$/.exec(line);
    if (match) {
      failures.set(Number(match[1]) - 1, said.join('\n'));
      said = [];
    } else if (line !== '') {
      said.push(line);
    }
  }
  return failures;
}
