/** Ends a guest: its power button, then QEMU's own end, then signals; each step has its limit. Leaves nothing. */
import { VsbError } from '../errors.ts';
import { terminate, waitForEnd, type ProcessMark } from '../process/pidfile.ts';
import { qmp } from './qmp.ts';
import { guestPaths, removeGuestDirectory, type GuestName, type GuestPaths } from './run-directory.ts';
import { guestProcess, readGuestStatus } from './status.ts';

/** How a guest ended: by itself after its power button, by QEMU's end, by a signal; or it did not run. */
export type StopOutcome = 'powered-down' | 'quit' | 'killed' | 'not-running';

export interface StopOptions {
  readonly runDir: string;
  /** Without the power button: QEMU ends at once, as if the cord were pulled. */
  readonly force: boolean;
  /** How long the guest may take after its power button. */
  readonly powerdownMs: number;
}

/** QEMU ends in some 20 ms after `quit` or SIGTERM; a host that swaps takes longer. */
const QUIT_MS = 5000;
const TERM_MS = 3000;

/**
 * Ends a guest and removes its directory, also that of one which ended by itself or crashed.
 * @throws PROCESS_STUCK where even SIGKILL did not end it, NOT_PERMITTED
 */
export async function stopGuest(name: GuestName, options: StopOptions): Promise<StopOutcome> {
  const paths = guestPaths(options.runDir, name);
  const status = await readGuestStatus(paths);
  if (status.status !== 'running') {
    if (status.status !== 'absent') await removeGuestDirectory(paths);
    return 'not-running';
  }
  const outcome = await end(paths, guestProcess(paths, status.pid), options);
  await removeGuestDirectory(paths);
  return outcome;
}

async function end(paths: GuestPaths, qemu: ProcessMark, options: StopOptions): Promise<StopOutcome> {
  if (!options.force && (await asked(paths, 'system_powerdown'))) {
    if (await waitForEnd(qemu, { deadlineMs: options.powerdownMs })) return 'powered-down';
  }
  if (await asked(paths, 'quit')) {
    if (await waitForEnd(qemu, { deadlineMs: QUIT_MS })) return 'quit';
  }
  await terminate(qemu, { termMs: TERM_MS });
  return 'killed';
}

/** Whether QEMU took the command. One that is stuck, or just ended, does not: the next step tells. */
async function asked(paths: GuestPaths, command: string): Promise<boolean> {
  try {
    await qmp(paths.qmpSocket, command);
    return true;
  } catch (error) {
    if (error instanceof VsbError && error.code === 'QMP_FAILED') return false;
    throw error;
  }
}
