/** The rules of the accounting pipeline that a bridge lacks or has too many, and the bundle that mends it. Pure. */
import {
  ACCOUNTING_TABLES,
  decodeCookie,
  pairCookie,
  OUR_COOKIE,
  OUR_COOKIE_MASK,
} from '../../openflow/accounting.ts';
import { pairKey, pairOf, type BridgeFlows } from './bridgeflows.ts';
import { bridgeMode } from './bridgemode.ts';
import { pairRule, toPipeline, type Pipeline, type PipelineRule } from './pipeline.ts';
import type { PipelineBridge } from './pipelinebridge.ts';

export interface PipelineDiff {
  readonly missing: readonly PipelineRule[];
  /** Cookies of rules that nothing wants. */
  readonly stale: readonly bigint[];
  /** Ids that no port of the bridge has any more: rows of pairs with them go too. */
  readonly goneIds: readonly number[];
  /** How many of those rows were written. */
  readonly gonePairs: number;
  /** True where the bridge is to have no pipeline. */
  readonly leavesNothing: boolean;
}

/** What to do so that a bridge has the rules that its rows ask for: none, where it is not in the mode `pairs`. */
export function diffPipeline(bridge: PipelineBridge, flows: BridgeFlows): PipelineDiff {
  const wanted = bridgeMode(bridge, flows).mode === 'pairs' ? toPipeline(bridge) : NOTHING;
  const cookies = new Set(wanted.rules.map(({ cookie }) => cookie));
  const isGone = (id: number): boolean => !wanted.ids.has(id);
  return {
    missing: [
      ...wanted.rules.filter(({ cookie }) => !flows.rules.has(cookie)),
      ...wanted.pairs.filter((pair) => !flows.pairs.has(pairKey(...pair))).map(pairRule),
    ],
    stale: [...flows.rules].filter((cookie) => !cookies.has(cookie)).sort(byValue),
    goneIds: [...flows.pairIds].filter(isGone).sort((a, b) => a - b),
    gonePairs: [...flows.pairs].filter((key) => pairOf(key).some(isGone)).length,
    leavesNothing: wanted.rules.length === 0,
  };
}

const NOTHING: Pipeline = Object.freeze({ rules: [], ids: new Set<number>(), pairs: [] });

/** True where there is something to write. */
export function isDifferent(diff: PipelineDiff): boolean {
  return diff.missing.length + diff.stale.length + diff.goneIds.length > 0;
}

/**
 * How many written rules come and go; without those that follow addresses of the host, which Open vSwitch changes by
 * itself (a bridge takes the lowest address of its ports), so that they alone make no plan.
 */
export function countRules(diff: PipelineDiff): { readonly come: number; readonly go: number } {
  const counts = (cookie: bigint): boolean => decodeCookie(cookie)?.kind !== 'address';
  return {
    come: diff.missing.filter(({ cookie }) => counts(cookie)).length,
    go: diff.stale.filter(counts).length + diff.gonePairs,
  };
}

/** The input of `ovs-ofctl bundle`: what goes before what comes, all at once. Writing it twice does no harm. */
export function renderBundle(diff: PipelineDiff): string {
  const lines = diff.leavesNothing ? clearance() : [...removals(diff), ...additions(diff)];
  return `${lines.join('\n')}\n`;
}

const OURS = `cookie=${hex(OUR_COOKIE)}/${hex(OUR_COOKIE_MASK)}`;

function clearance(): string[] {
  return [`flow delete ${OURS}`];
}

function removals({ stale, goneIds: ids }: PipelineDiff): string[] {
  const table = `table=${String(ACCOUNTING_TABLES.account)}`;
  return [
    ...stale.map((cookie) => `flow delete cookie=${hex(cookie)}/-1`),
    ...ids.flatMap((id) => [
      `flow delete cookie=${hex(pairCookie(id))}/-1`,
      `flow delete ${table},${OURS},reg1=${String(id)}`,
    ]),
  ];
}

function additions({ missing }: PipelineDiff): string[] {
  return missing.map(({ cookie, text }) => `flow add cookie=${hex(cookie)},${text}`);
}

function hex(cookie: bigint): string {
  return `0x${cookie.toString(16)}`;
}

function byValue(a: bigint, b: bigint): number {
  return a < b ? -1 : Number(a > b);
}
