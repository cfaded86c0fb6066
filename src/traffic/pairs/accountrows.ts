/** Rows of the account table, and their ends, as OpenFlow tells of them. What they mean is openflow/accounting.ts's. Pure. */
import { ACCOUNTING_TABLES, decodeCookie, OUR_COOKIE, OUR_COOKIE_MASK } from '../../openflow/accounting.ts';
import type { FlowRemoved } from '../../openflow/flowremoved.ts';
import type { FlowStats, FlowStatsRequest } from '../../openflow/flowstats.ts';
import { REST, type AccountRow, type LeftRow } from './pairledger.ts';

/** Asks for them. */
export const ACCOUNT_REQUEST: FlowStatsRequest = {
  tableId: ACCOUNTING_TABLES.account,
  cookie: OUR_COOKIE,
  cookieMask: OUR_COOKIE_MASK,
};

/** `undefined` for a row that counts nothing of its own: the one that learns. */
export function toAccountRow(flow: FlowStats | FlowRemoved): AccountRow | undefined {
  const meaning = decodeCookie(flow.cookie);
  const { packets, bytes, durationMs } = flow;
  if (packets === undefined || bytes === undefined) return undefined;
  switch (meaning?.kind) {
    case 'rest':
      return { source: meaning.source, destination: REST, packets, bytes, durationMs };
    case 'pair': {
      const destination = flow.register(1);
      if (destination === undefined) return undefined;
      // Rows that are written stay; those that the switch learns leave when they are idle (pipeline.ts).
      const isLearned = flow.idleTimeoutS > 0;
      return { source: meaning.source, destination, packets, bytes, durationMs, isLearned };
    }
    case 'rule':
    case 'address':
    case undefined:
      return undefined;
  }
}

/**
 * A row that was told to have left.
 * @param atMs when that was told
 */
export function toLeftRow(event: FlowRemoved, atMs: number): LeftRow | undefined {
  if (event.tableId !== ACCOUNTING_TABLES.account) return undefined;
  const row = toAccountRow(event);
  return row && { ...row, atMs, isWhole: event.reason === 'idle' };
}
