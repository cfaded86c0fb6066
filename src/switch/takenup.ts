/** Waits for ovs-vswitchd to take up what is written. What it made of it is verify.ts's. */
import type { WaitOptions } from '../domain.ts';
import { fail, VsbError } from '../errors.ts';
import type { OvsdbClient } from '../ovsdb/client/client.ts';
import type { OpenVSwitchTables } from '../ovsdb/generated/vswitch.ts';
import { waitForCurCfg } from '../ovsdb/client/nextcfg.ts';

/**
 * Waits until ovs-vswitchd has tried the configuration of this number.
 * @returns false where it has not within the deadline
 * @throws CANCELLED, which says that the change is written all the same
 */
export async function waitUntilTakenUp(
  client: OvsdbClient<OpenVSwitchTables>,
  nextCfg: bigint,
  { deadlineMs, signal }: WaitOptions,
): Promise<boolean> {
  try {
    await waitForCurCfg(client, nextCfg, { timeoutMs: deadlineMs, ...(signal ? { signal } : {}) });
    return true;
  } catch (thrown) {
    if (!(thrown instanceof VsbError)) throw thrown;
    if (thrown.code === 'OVSDB_TIMEOUT') return false;
    if (thrown.code !== 'CANCELLED') throw thrown;
    const what = 'the database has the change, and nobody waited for ovs-vswitchd to take it up';
    throw fail('CANCELLED', { what }, { cause: thrown });
  }
}
