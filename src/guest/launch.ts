/** Runs QEMU until it is up and on its own, or is known not to come up: then nothing of it is left running. */
import type { FileHandle } from 'node:fs/promises';
import { fail, VsbError } from '../errors.ts';
import { terminate } from '../process/pidfile.ts';
import { run } from '../process/run.ts';
import type { DesiredVm } from '../topology/desired.ts';
import { QEMU } from './qemu-args.ts';
import { removeGuestDirectory, type GuestPaths } from './run-directory.ts';
import { guestProcess, readGuestStatus } from './status.ts';

export interface Launch {
  readonly paths: GuestPaths;
  /** The topology's file, for what an error tells to do. */
  readonly topologyPath: string;
  readonly netns: string | undefined;
  /** Becomes descriptor 3 and following in QEMU. */
  readonly inherited: readonly FileHandle[];
  readonly startTimeoutMs?: number;
}

/**
 * QEMU needs well below a second; loading a kernel from a cold disk takes longer, and for vhost-user it waits until Open
 * vSwitch, which tries once a second, has called.
 */
const START_TIMEOUT_MS = 30_000;

/** A QEMU that is not up yet does not heed SIGTERM. */
const TERM_MS = 500;

/**
 * `-daemonize` makes QEMU return when the guest runs, or with its complaint on stderr.
 * @throws GUEST_NOT_STARTED with what QEMU said or waited for, PROGRAM_MISSING, NETNS_MISSING, NOT_PERMITTED
 */
export async function launchQemu(vm: DesiredVm, args: readonly string[], launch: Launch): Promise<void> {
  const timeoutMs = launch.startTimeoutMs ?? START_TIMEOUT_MS;
  const inherit = launch.inherited.map(({ fd }) => fd);
  try {
    const { status, stderr } = await run(QEMU, args, { timeoutMs, netns: launch.netns, inherit });
    if (status === 0) return;
    const complaint = stderr
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
    const said = complaint.length > 0 ? complaint.join(' / ') : `it ended with status ${String(status)}`;
    throw fail('GUEST_NOT_STARTED', { vm: vm.name, said });
  } catch (error) {
    if (!(error instanceof VsbError && error.code === 'PROGRAM_TIMEOUT')) throw error;
    await endUnfinished(launch.paths);
    const said = whatItWaitsFor(vm, timeoutMs, launch.topologyPath);
    throw fail('GUEST_NOT_STARTED', { vm: vm.name, said }, { cause: error });
  }
}

/** QEMU has left our process group by then: it would wait on, and start the guest some day. */
async function endUnfinished(paths: GuestPaths): Promise<void> {
  const status = await readGuestStatus(paths);
  if (status.status === 'running') {
    await terminate(guestProcess(paths, status.pid), { termMs: TERM_MS });
  }
  await removeGuestDirectory(paths);
}

function whatItWaitsFor({ nics }: DesiredVm, timeoutMs: number, topologyPath: string): string {
  const after = `after ${String(timeoutMs / 1000)} s it was not up`;
  const ports = nics.filter(({ backend }) => backend.kind === 'vhost-user').map(({ device }) => device);
  if (ports.length === 0) return after;
  return `${after}: it waits for Open vSwitch, whose port ${ports.join(', ')} has not called; "vsb apply ${topologyPath}" makes it`;
}
