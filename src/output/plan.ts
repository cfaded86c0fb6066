/** A plan and what became of it, for people and for programs. Pure. */
import type { Change, FailedChange, Finding } from '../domain.ts';
import type { Plan } from '../plan/plan.ts';
import { toPrintable } from '../units/printable.ts';
import { FORMAT_VERSION } from '../units/formatversion.ts';
import { paint, type Paint } from './paint.ts';

const SIGNS = { create: '+', update: '~', remove: '-' } as const;
const COLOURS = { create: 'green', update: 'yellow', remove: 'red' } as const;

/** The plan as text: one line for each change, what it does to traffic, and the settings that differ. */
export function renderPlan(plan: Plan, options: { readonly colour: boolean }): string {
  const draw = paint(options.colour);
  const lines = [`${draw('bold', plan.topology)}: ${summary(plan.changes, 'future')}`];
  const widths = {
    kind: widest(plan.changes.map((change) => change.kind)),
    name: widest(plan.changes.map((change) => change.name)),
    nic: widest(plan.changes.map((change) => change.nic ?? '')),
  };
  if (plan.changes.length > 0) lines.push('');
  for (const change of plan.changes) lines.push(...changeLines(change, widths, draw));
  if (plan.refusals.length > 0)
    lines.push('', draw('red', 'Refused; nothing can be applied until these are mended:'));
  for (const { error } of plan.refusals)
    lines.push(`  ${draw('red', `[${error.code}]`)} ${toPrintable(error.message)}`);
  if (plan.notes.length > 0) lines.push('');
  for (const note of plan.notes) lines.push(`  ${draw('dim', 'note:')} ${toPrintable(note)}`);
  return `${lines.join('\n')}\n`;
}

/** What became of applying: failures and findings by name, then one line that sums up. */
export function renderReport(
  report: {
    readonly outcome: 'unchanged' | 'applied';
    readonly failed: readonly FailedChange[];
    readonly findings: readonly Finding[];
    readonly plan: Plan;
  },
  options: { readonly colour: boolean; readonly isVerified: boolean },
): string {
  const draw = paint(options.colour);
  const lines: string[] = [];
  for (const { change, error } of report.failed) {
    const what = toPrintable(`${change.kind} ${change.name}: [${error.code}] ${error.message}`);
    lines.push(`${draw('red', 'failed')} ${what}`);
  }
  for (const finding of report.findings) {
    const nic = finding.nic === undefined ? '' : ` (${finding.nic})`;
    const what = toPrintable(`${finding.kind} ${finding.name}${nic}: [${finding.code}] ${finding.message}`);
    lines.push(`${draw('red', 'not in effect')} ${what}`);
  }
  const problems = report.failed.length + report.findings.length;
  const failed = new Set(report.failed.map(({ change }) => change));
  const made = report.plan.changes.filter((change) => !failed.has(change));
  const end =
    problems > 0
      ? draw('red', `${String(problems)} not in effect`)
      : draw('green', options.isVerified ? 'in effect' : 'written, not verified');
  lines.push(
    `${draw('bold', report.plan.topology)}: ${report.outcome === 'unchanged' ? 'nothing to change' : summary(made, 'past')}; ${end}`,
  );
  return `${lines.join('\n')}\n`;
}

/** A plan as data. */
export function toPlanDocument(plan: Plan): Readonly<Record<string, unknown>> {
  return {
    formatVersion: FORMAT_VERSION,
    topology: plan.topology,
    summary: counts(plan.changes),
    changes: plan.changes.map(toChangeDocument),
    refusals: plan.refusals.map(({ domain, kind, name, error }) => ({
      domain,
      kind,
      name,
      code: error.code,
      message: error.message,
    })),
    notes: plan.notes,
  };
}

/** What became of a plan, as data. */
export function toReportDocument(report: {
  readonly outcome: 'unchanged' | 'applied';
  readonly failed: readonly FailedChange[];
  readonly findings: readonly Finding[];
  readonly plan: Plan;
}): Readonly<Record<string, unknown>> {
  return {
    ...toPlanDocument(report.plan),
    outcome: report.outcome,
    failed: report.failed.map(({ change, error }) => ({
      domain: change.domain,
      kind: change.kind,
      name: change.name,
      code: error.code,
      message: error.message,
    })),
    findings: report.findings,
  };
}

function toChangeDocument(change: Change): Readonly<Record<string, unknown>> {
  const { domain, verb, kind, name, nic, reason, impact, collateral, fields } = change;
  return { domain, verb, kind, name, nic, reason, impact, collateral: collateral ?? [], fields };
}

function summary(changes: readonly Change[], tense: 'future' | 'past'): string {
  if (changes.length === 0) return tense === 'future' ? 'nothing to change' : 'nothing changed';
  const { create, update, remove } = counts(changes);
  return tense === 'future'
    ? `${String(create)} to create, ${String(update)} to update, ${String(remove)} to remove`
    : `${String(create)} created, ${String(update)} updated, ${String(remove)} removed`;
}

function counts(changes: readonly Change[]): Record<Change['verb'], number> {
  const count = { create: 0, update: 0, remove: 0 };
  for (const change of changes) count[change.verb] += 1;
  return count;
}

function changeLines(
  change: Change,
  widths: { readonly kind: number; readonly name: number; readonly nic: number },
  draw: Paint,
): string[] {
  const sign = draw(COLOURS[change.verb], SIGNS[change.verb]);
  const columns = [
    change.kind.padEnd(widths.kind),
    change.name.padEnd(widths.name),
    ...(widths.nic > 0 ? [(change.nic ?? '').padEnd(widths.nic)] : []),
  ]
    .map(toPrintable)
    .join('  ');
  const impact = change.impact === 'none' ? '' : `  ${draw('yellow', `impact: ${change.impact}`)}`;
  const lines = [`  ${sign} ${columns}  ${draw('dim', toPrintable(change.reason))}${impact}`];
  for (const { field, from, to } of change.fields) {
    const text = from === undefined ? (to ?? '') : `${from} → ${to ?? '(none)'}`;
    lines.push(toPrintable(`        ${field}: ${text}`));
  }
  for (const touched of change.collateral ?? [])
    lines.push(`      ${draw('yellow', '!')} ${toPrintable(touched)}`);
  return lines;
}

function widest(texts: readonly string[]): number {
  return texts.reduce((width, text) => Math.max(width, text.length), 0);
}
