/** Network namespaces as `ip netns` names them. */
import { access } from 'node:fs/promises';
import { fail } from '../errors.ts';
import { programFailed, run, runOrFail } from '../process/run.ts';

/** `ip netns` answers in milliseconds; taking down a namespace with 1,000 devices takes seconds. */
const TIMEOUT_MS = 30_000;

/** True where a namespace of this name is there (ip-netns(8): a file in /run/netns). */
export async function netnsExists(name: string): Promise<boolean> {
  return access(`/run/netns/${name}`).then(
    () => true,
    () => false,
  );
}

/**
 * Makes a namespace, with its loopback device up.
 * @throws SANDBOX_NETNS_TAKEN, NOT_PERMITTED, PROGRAM_MISSING, PROGRAM_FAILED
 */
export async function addNetns(name: string, signal: AbortSignal | undefined): Promise<void> {
  const { status, stderr } = await run('ip', ['netns', 'add', name], { timeoutMs: TIMEOUT_MS, signal });
  if (status !== 0) {
    if (stderr.includes('File exists')) throw fail('SANDBOX_NETNS_TAKEN', { netns: name });
    if (/Operation not permitted|Permission denied/.test(stderr)) {
      throw fail('NOT_PERMITTED', { what: `making the network namespace "${name}"` });
    }
    throw programFailed('ip', status, stderr);
  }
  await runOrFail('ip', ['link', 'set', 'lo', 'up'], { timeoutMs: TIMEOUT_MS, netns: name, signal });
}

/** The processes in a namespace, by pid; none where it is not there. */
export async function pidsInNetns(name: string): Promise<number[]> {
  if (!(await netnsExists(name))) return [];
  const text = await runOrFail('ip', ['netns', 'pids', name], { timeoutMs: TIMEOUT_MS });
  return text.split('\n').filter(Boolean).map(Number);
}

/** Removes a namespace; one that is not there is no error. */
export async function deleteNetns(name: string): Promise<void> {
  if (!(await netnsExists(name))) return;
  await runOrFail('ip', ['netns', 'del', name], { timeoutMs: TIMEOUT_MS });
}
