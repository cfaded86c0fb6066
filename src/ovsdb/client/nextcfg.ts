/**
 * Open vSwitch's acknowledgement (ovs-vswitchd.conf.db(5), Open_vSwitch `next_cfg`, `cur_cfg`): who writes counts
 * `next_cfg` up, ovs-vswitchd sets `cur_cfg` to it when the change was tried. Knows the two columns, and no bridges.
 */
import { fail } from '../../errors.ts';
import type { OvsdbClient, WaitForOptions } from './client.ts';
import type { OpenVSwitchTables } from '../generated/vswitch.ts';
import type { TransactionOutcome } from '../transaction/outcome.ts';
import type { Uuid } from '../schema/schema.ts';
import type { Transaction } from '../transaction/transaction.ts';

/**
 * Counts `next_cfg` up in the transaction, and reads it there.
 * @returns the index to hand to {@link nextCfgOf}
 */
export function bumpNextCfg(transaction: Transaction<OpenVSwitchTables>, root: Uuid): number {
  transaction.mutate('Open_vSwitch', root, [['next_cfg', '+=', 1]]);
  return transaction.select('Open_vSwitch', root, ['next_cfg']);
}

/** The `next_cfg` that a transaction made, of the index that {@link bumpNextCfg} gave; `undefined` where it did not commit or `root` was not there. */
export function nextCfgOf(outcome: TransactionOutcome, index: number): bigint | undefined {
  if (outcome.outcome !== 'success') return undefined;
  const result = outcome.results[index];
  const value = result?.kind === 'select' ? result.rows[0]?.['next_cfg'] : undefined;
  return typeof value === 'bigint' ? value : undefined;
}

/**
 * Waits until ovs-vswitchd has tried the configuration `nextCfg`. Tried is not in effect: look at `ofport` and `error`.
 * The client must hold `Open_vSwitch.cur_cfg`.
 * @throws OVSDB_TIMEOUT, CANCELLED, OVSDB_COLUMN_NOT_HELD
 */
export async function waitForCurCfg(
  client: OvsdbClient<OpenVSwitchTables>,
  nextCfg: bigint,
  options: WaitForOptions,
): Promise<void> {
  await client.waitFor((snapshot) => {
    // It would look empty, and be waited for in vain.
    if (!snapshot.holds('Open_vSwitch'))
      throw fail('OVSDB_COLUMN_NOT_HELD', { table: 'Open_vSwitch', column: 'cur_cfg' });
    for (const root of snapshot.table('Open_vSwitch').values()) if (root.cur_cfg >= nextCfg) return true;
    return undefined;
  }, options);
}
