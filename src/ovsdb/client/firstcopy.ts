/** How long to wait for a database's first copy, and what to say where it does not come. */
import type { Observable } from 'rxjs';
import { fail, toVsbError, type VsbError } from '../../errors.ts';
import type { DatabaseOptions, LinkStatus } from './options.ts';
import { waitForValue } from './waitfor.ts';

/**
 * Waits until a database is live.
 * @param options.patienceMs absent: each remote may fail once, and the server may not say that it has no such database
 * @throws the last reason why it is not; OVSDB_TIMEOUT where there is none; CANCELLED
 */
export async function firstCopy(
  status$: Observable<LinkStatus>,
  options: Pick<DatabaseOptions<unknown>, 'patienceMs' | 'signal'> & {
    readonly database: string;
    readonly remotes: number;
  },
): Promise<void> {
  const { patienceMs, signal, database, remotes } = options;
  const what = `connecting to the database "${database}"`;
  let failures = 0;
  let reason: VsbError | undefined;
  const read = (status: LinkStatus): true | undefined => {
    if (status.at === 'live') return true;
    if (status.at === 'closed') throw fail('CANCELLED', { what });
    if (status.at !== 'backoff' && status.at !== 'waiting') return undefined;
    reason = status.reason;
    if (status.at === 'backoff') failures += 1;
    if (patienceMs === undefined && (status.at === 'waiting' || failures >= remotes)) throw reason;
    return undefined;
  };
  try {
    await waitForValue(status$, read, { what, timeoutMs: patienceMs, signal });
  } catch (cause) {
    const error = toVsbError(cause);
    throw error.code === 'OVSDB_TIMEOUT' && reason ? reason : error;
  }
}
