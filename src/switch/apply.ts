/** Makes changes of the switch: one transaction, wholly or not at all. */
import type { Applied } from '../domain.ts';
import { fail } from '../errors.ts';
import type { OvsdbClient } from '../ovsdb/client/client.ts';
import type { OpenVSwitchTables } from '../ovsdb/generated/vswitch.ts';
import { bumpNextCfg, nextCfgOf } from '../ovsdb/client/nextcfg.ts';
import type { TransactionOutcome } from '../ovsdb/transaction/outcome.ts';
import type { SwitchChange } from './change.ts';
import type { ObservedSwitch } from './observed.ts';
import { compileChanges } from './transaction.ts';

/** What apply has done, as far as verify needs it. */
export interface AppliedSwitch extends Applied {
  /** What `cur_cfg` will reach when ovs-vswitchd has tried it; `undefined` where nobody is asked to. */
  readonly nextCfg: bigint | undefined;
}

/**
 * Writes the changes.
 * @param options.databaseOnly rows only: ovs-vswitchd is not asked to say when it has taken them up
 * @throws SWITCH_CHANGED, SWITCH_REJECTED, SWITCH_OUTCOME_UNKNOWN; in the first two cases nothing was written
 */
export async function applySwitch(
  client: OvsdbClient<OpenVSwitchTables>,
  changes: readonly SwitchChange[],
  observed: ObservedSwitch,
  options: {
    readonly databaseOnly: boolean;
    readonly remote: string;
    readonly signal: AbortSignal | undefined;
  },
): Promise<AppliedSwitch> {
  const transaction = compileChanges(changes, observed);
  const nextCfgAt = options.databaseOnly ? undefined : bumpNextCfg(transaction, observed.rootUuid);
  transaction.comment(`vswitchboard: ${String(changes.length)} changes`);
  const outcome = await client.transact(transaction, options.signal ? { signal: options.signal } : {});
  demandSuccess(outcome, options.remote);
  return { failed: [], nextCfg: nextCfgAt === undefined ? undefined : nextCfgOf(outcome, nextCfgAt) };
}

/** @throws SWITCH_CHANGED, SWITCH_REJECTED, SWITCH_OUTCOME_UNKNOWN where a transaction did not succeed */
export function demandSuccess(outcome: TransactionOutcome, remote: string): void {
  switch (outcome.outcome) {
    case 'success':
    case 'unchanged':
      return;
    case 'try-again':
    case 'not-locked':
      throw fail('SWITCH_CHANGED', { what: outcome.reason });
    case 'aborted':
      throw fail('SWITCH_REJECTED', { what: 'it was aborted' });
    case 'error':
      throw fail('SWITCH_REJECTED', { what: outcome.message });
    case 'unknown':
      throw fail(
        'SWITCH_OUTCOME_UNKNOWN',
        { remote, why: outcome.reason.message },
        { cause: outcome.reason },
      );
  }
}
