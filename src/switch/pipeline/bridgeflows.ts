/**
 * What is in the tables of a bridge, as far as the accounting pipeline has to know: which rules are ours, and whether those
 * of others leave it room. Pure.
 */
import { ACCOUNTING_TABLES, decodeCookie } from '../../openflow/accounting.ts';
import type { FlowStats } from '../../openflow/flowstats.ts';
import { renderInstructions } from '../../openflow/instructions.ts';
import { HIGHEST_CLASSIFY_PRIORITY } from './pipeline.ts';

/** A pair of ids, of 17 bits each, as one number. */
export function pairKey(source: number, destination: number): number {
  return source * 2 ** 17 + destination;
}

/** The ids that `pairKey` was given. */
export function pairOf(key: number): readonly [source: number, destination: number] {
  return [Math.floor(key / 2 ** 17), key % 2 ** 17];
}

type FlowEntry = Pick<
  FlowStats,
  'tableId' | 'priority' | 'cookie' | 'idleTimeoutS' | 'match' | 'instructions' | 'register'
>;

export interface BridgeFlows {
  /** Cookies of our rules, but for rows of pairs. */
  readonly rules: ReadonlySet<bigint>;
  /** Rows of pairs that were written, not learned: what `pairKey` makes of their ends. */
  readonly pairs: ReadonlySet<number>;
  /** Ids at both ends of all rows of pairs. */
  readonly pairIds: ReadonlySet<number>;
  /** How many flows of others a packet meets before ours. */
  readonly foreignFlows: number;
  /** True where table 0 ends in NORMAL, as Open vSwitch makes it by itself. */
  readonly hasDefault: boolean;
  /** What of others' flows our rules would change the meaning of, in people's words. */
  readonly conflict: string | undefined;
}

const OUR_TABLES: readonly number[] = [
  ACCOUNTING_TABLES.destination,
  ACCOUNTING_TABLES.account,
  ACCOUNTING_TABLES.forward,
];

/** Sorts the flows of a bridge by whose they are and what they mean to ours. */
export function toBridgeFlows(entries: Iterable<FlowEntry>): BridgeFlows {
  const rules = new Set<bigint>();
  const pairs = new Set<number>();
  const pairIds = new Set<number>();
  let foreignFlows = 0;
  let hasDefault = false;
  let conflict: string | undefined;
  for (const entry of entries) {
    const meaning = decodeCookie(entry.cookie);
    if (meaning?.kind === 'pair') {
      const destination = entry.register(1);
      if (destination === undefined) continue;
      pairIds.add(meaning.source).add(destination);
      if (entry.idleTimeoutS === 0) pairs.add(pairKey(meaning.source, destination));
    } else if (meaning) rules.add(entry.cookie);
    else if (isDefault(entry)) hasDefault = true;
    else if (entry.tableId === ACCOUNTING_TABLES.classify && entry.priority > HIGHEST_CLASSIFY_PRIORITY) {
      foreignFlows++;
    } else conflict ??= conflictOf(entry);
  }
  return { rules, pairs, pairIds, foreignFlows, hasDefault, conflict };
}

function isDefault(entry: FlowEntry): boolean {
  return isLast(entry) && renderInstructions(entry.instructions) === 'NORMAL';
}

/** What a packet comes to that nothing else in table 0 matches. */
function isLast({ tableId, priority, match }: FlowEntry): boolean {
  return tableId === ACCOUNTING_TABLES.classify && priority === 0 && match.length === 0;
}

function conflictOf(entry: FlowEntry): string | undefined {
  const { tableId, priority } = entry;
  if (OUR_TABLES.includes(tableId)) return `table ${String(tableId)} has flows of somebody else`;
  if (tableId !== ACCOUNTING_TABLES.classify) return undefined;
  if (isLast(entry)) {
    return `its default rule is "${renderInstructions(entry.instructions)}", not NORMAL`;
  }
  return `table 0 has flows of somebody else with priority ${String(priority)}, where ours would come first`;
}
