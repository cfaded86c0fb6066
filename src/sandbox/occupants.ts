/**
 * Who is in a sandbox's namespace besides its daemons: guests, captures, shells. Removing the namespace under them would
 * leave them without network and without a way to be found, so a sandbox stops only when they are gone.
 */
import { readFile } from 'node:fs/promises';
import { fail } from '../errors.ts';
import { terminate, type ProcessMark } from '../process/pidfile.ts';
import { daemonsOf } from './daemons.ts';
import { pidsInNetns } from './namespace.ts';
import { namespaceOf, type SandboxState } from './state.ts';

/** QEMU ends in some 20 ms after TERM, a shell by KILL only. */
const TERM_MS = 2000;

/** The processes in the sandbox's namespace that are neither its daemons nor ourselves. */
export async function occupantsOf(state: SandboxState): Promise<readonly ProcessMark[]> {
  const netns = await namespaceOf(state);
  if (netns === undefined) return [];
  const [pids, daemons] = await Promise.all([pidsInNetns(netns), daemonsOf(state)]);
  const ours = new Set([process.pid, ...daemons.map((daemon) => daemon.running?.pid)]);
  const marks = await Promise.all(pids.filter((pid) => !ours.has(pid)).map(markOf));
  return marks.filter((mark) => mark !== undefined);
}

/** @throws SANDBOX_BUSY where somebody is in the sandbox */
export async function requireNoOccupants(state: SandboxState): Promise<void> {
  const occupants = await occupantsOf(state);
  if (occupants.length === 0) return;
  throw fail('SANDBOX_BUSY', { directory: state.directory, occupants: occupants.map(describeProcess) });
}

/** Ends whoever is in the sandbox. @throws PROCESS_STUCK, NOT_PERMITTED */
export async function endOccupants(state: SandboxState): Promise<void> {
  const occupants = await occupantsOf(state);
  await Promise.all(occupants.map((mark) => terminate(mark, { termMs: TERM_MS })));
}

/** `tcpdump (pid 12)` */
export function describeProcess(mark: ProcessMark): string {
  return `${mark.program} (pid ${String(mark.pid)})`;
}

/** @returns `undefined` where it has ended meanwhile */
async function markOf(pid: number): Promise<ProcessMark | undefined> {
  const program = await readFile(`/proc/${String(pid)}/comm`, 'utf8').catch(() => undefined);
  return program === undefined ? undefined : { pid, program: program.trimEnd() };
}
