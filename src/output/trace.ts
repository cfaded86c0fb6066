/** A trace for people, and as a document. Pure. */
import type { PairEnd } from '../traffic/pairs/pair.ts';
import type { Delivery, RuleMaker, TracedRule, TraceVerdict } from '../traffic/trace/traceverdict.ts';
import { FORMAT_VERSION } from '../units/formatversion.ts';
import { toPrintable } from '../units/printable.ts';
import { paint, type Paint } from './paint.ts';

/** A trace with what was asked. */
export interface ShownTrace extends TraceVerdict {
  readonly from: PairEnd;
  readonly to: PairEnd;
  readonly bridge: string;
  readonly packet: string;
  readonly remarks: readonly string[];
  readonly raw: string;
}

const MAKERS: Readonly<Record<RuleMaker, string>> = {
  vswitchboard: 'vsb',
  default: 'the rule that a new bridge has',
  other: "somebody else's rule",
  nobody: 'no rule of this table matches',
};

/** The answer first, then the rules that the packet met. */
export function renderTrace(trace: ShownTrace, options: { readonly colour: boolean }): string {
  const colour = paint(options.colour);
  const rules = trace.rules.filter(({ counts }) => !counts);
  const matches = rules.map((rule) => toPrintable(renderRule(rule)));
  const width = Math.max(...matches.map((text) => text.length), 4);
  const head = `${renderEnd(trace.from)} → ${renderEnd(trace.to)} on ${trace.bridge}: `;
  const details = [
    ...(trace.decidedBy ? [`  by ${renderDecision(trace.decidedBy)}`] : []),
    ...(trace.why === undefined ? [] : [`  Open vSwitch: ${trace.why}`]),
    '',
    `packet: ${trace.packet}`,
    ...trace.remarks,
    '',
  ];
  const lines = [
    `${toPrintable(head)}${renderOutcome(trace, colour)}`,
    ...details.map(toPrintable),
    colour('bold', `table  ${'rule'.padEnd(width)}  made by`),
    ...rules.map(
      (rule, index) =>
        `${String(rule.table).padStart(5)}  ${(matches[index] ?? '').padEnd(width)}  ${toPrintable(renderMaker(rule))}`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

/** With formatVersion; cookies as hexadecimal text, since JSON's numbers have no 64 bits. */
export function toTraceDocument(trace: ShownTrace): unknown {
  return {
    formatVersion: FORMAT_VERSION,
    from: toEndDocument(trace.from),
    to: toEndDocument(trace.to),
    bridge: trace.bridge,
    packet: trace.packet,
    remarks: trace.remarks,
    outcome: trace.outcome,
    why: trace.why,
    toController: trace.toController,
    deliveries: trace.deliveries.map((delivery) => ({ ...delivery, end: toEndDocument(delivery.end) })),
    decidedBy: trace.decidedBy ? toRuleDocument(trace.decidedBy) : undefined,
    rules: trace.rules.map(toRuleDocument),
  };
}

function toRuleDocument(rule: TracedRule): unknown {
  const { bridge, table, match, priority, cookie, maker, topology, counts, actions, notes } = rule;
  return { bridge, table, match, priority, cookie: toHex(cookie), maker, topology, counts, actions, notes };
}

function toEndDocument(end: PairEnd): unknown {
  if (typeof end === 'string') return end;
  return { vm: end.vm, nic: /^\d+$/.test(end.nic) ? Number(end.nic) : end.nic };
}

function renderOutcome({ outcome, deliveries, to, toController }: ShownTrace, colour: Paint): string {
  const receivers = [...deliveries.map(renderDelivery), ...(toController ? ['a controller'] : [])];
  const whom = toPrintable(receivers.join(', '));
  switch (outcome) {
    case 'delivered':
      return `${colour('green', 'delivered')} to ${whom}`;
    case 'flooded':
      return `${colour('green', 'flooded')} to ${whom}`;
    case 'elsewhere':
      return `${colour('yellow', `not to ${toPrintable(renderEnd(to))}`)}, but to ${whom}`;
    case 'dropped':
      return colour('red', 'dropped');
    case 'unknown':
      return colour('yellow', 'not to be told');
  }
}

function renderDelivery({ device, end }: Delivery): string {
  return `${renderEnd(end)} (${device})`;
}

function renderEnd(end: PairEnd): string {
  return typeof end === 'string' ? end : `${end.vm}:${end.nic}`;
}

function renderDecision(rule: TracedRule): string {
  const cookie = rule.cookie === 0n ? '' : `, cookie ${toHex(rule.cookie)}`;
  return `table ${String(rule.table)}: ${renderRule(rule)} (${renderMaker(rule)}${cookie})`;
}

function renderMaker({ maker, topology }: TracedRule): string {
  return topology === undefined ? MAKERS[maker] : `${MAKERS[maker]} for "${topology}"`;
}

function renderRule({ match, priority, actions }: TracedRule): string {
  if (priority === undefined) return match;
  const what = match === '' ? 'any packet' : match;
  return `priority ${String(priority)}, ${what}: ${actions.join(',')}`;
}

function toHex(cookie: bigint): string {
  return `0x${cookie.toString(16)}`;
}
