/** What is in the tables of a bridge, as far as the accounting pipeline has to know: which rules are ours, and whether others leave it room. */
import { ACCOUNTING_TABLES, decodeCookie } from '../openflow/accounting.ts';
import { HIGHEST_CLASSIFY_PRIORITY } from './pipeline.ts';

/** A flow of a bridge; match and actions in ovs-ofctl's words, asked for only where they matter. */
export interface FlowEntry {
  readonly tableId: number;
  readonly priority: number;
  readonly cookie: bigint;
  readonly match: () => string;
  readonly actions: () => string;
}

export interface BridgeFlows {
  /** Cookies of our rules that were written, not learned. */
  readonly rules: ReadonlySet<bigint>;
  /** Sources that have learned rows. */
  readonly learnedSources: ReadonlySet<number>;
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

/** Pure. */
export function toBridgeFlows(entries: Iterable<FlowEntry>): BridgeFlows {
  const rules = new Set<bigint>();
  const learnedSources = new Set<number>();
  let foreignFlows = 0;
  let hasDefault = false;
  let conflict: string | undefined;
  for (const entry of entries) {
    const meaning = decodeCookie(entry.cookie);
    if (meaning?.kind === 'learned') learnedSources.add(meaning.source);
    else if (meaning) rules.add(entry.cookie);
    else if (isDefault(entry)) hasDefault = true;
    else if (entry.tableId === ACCOUNTING_TABLES.classify && entry.priority > HIGHEST_CLASSIFY_PRIORITY) {
      foreignFlows++;
    } else conflict ??= conflictOf(entry);
  }
  return { rules, learnedSources, foreignFlows, hasDefault, conflict };
}

function isDefault({ tableId, priority, match, actions }: FlowEntry): boolean {
  const isLast = tableId === ACCOUNTING_TABLES.classify && priority === 0;
  return isLast && match() === '' && actions() === 'NORMAL';
}

function conflictOf({ tableId, priority, match, actions }: FlowEntry): string | undefined {
  if (OUR_TABLES.includes(tableId)) return `table ${String(tableId)} has flows of somebody else`;
  if (tableId !== ACCOUNTING_TABLES.classify) return undefined;
  if (priority === 0 && match() === '') return `its default rule is "${actions()}", not NORMAL`;
  return `table 0 has flows of somebody else with priority ${String(priority)}, where ours would come first`;
}
