/**
 * Who a process is, as a text that another process can judge long after: has it ended? A pid alone does not do, since the
 * kernel gives it to others later (proc(5), pid_namespaces(7)).
 */
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';

/** `pid 1234 on kvm1 (start 88123, pidns pid:[4026531836], boot 6f0c…)`; fit for messages too. */
export async function ownIdentity(): Promise<string> {
  const [place, start] = await Promise.all([ownPlace(), startOf(process.pid)]);
  return `pid ${String(process.pid)} on ${hostname()} (start ${start ?? '?'}, ${place})`;
}

/**
 * True where it is certain that the process has ended. False where it runs, where the text is none of ours, and for a
 * process of another host, boot or container, which cannot be seen from here.
 */
export async function hasEnded(identity: string): Promise<boolean> {
  const [, pid, start, place] = /^pid (\d+) on \S* \(start (\d+), (.*)\)$/.exec(identity) ?? [];
  if (pid === undefined || place !== (await ownPlace())) return false;
  return (await startOf(Number(pid))) !== start;
}

/** Within which pids mean the same processes. */
async function ownPlace(): Promise<string> {
  const [pidns, boot] = await Promise.all([
    readlink('/proc/self/ns/pid'),
    readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
  ]);
  return `pidns ${pidns}, boot ${boot.trim()}`;
}

/** When the process began, in clock ticks since boot; `undefined` where there is none, or only its remains. */
async function startOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return undefined;
  // "pid (comm) state ppid …": comm may hold anything, so look behind its last parenthesis. starttime is field 22.
  const [state, ...others] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return state === 'Z' || state === 'X' ? undefined : others[18];
}
