/** What the doctor found, as lines for people and as data. Pure. */
import { FORMAT_VERSION } from '../units/formatversion.ts';
import { toPrintable } from '../units/printable.ts';
import { paint } from './paint.ts';

export interface ShownCheck {
  readonly name: string;
  readonly state: 'ok' | 'warning' | 'problem';
  readonly found: string;
  readonly why: string;
  readonly remedy: string | undefined;
}

const COLOUR = { ok: 'green', warning: 'yellow', problem: 'red' } as const;

/** A line for each check; below those that are not well, why it matters and what mends it. */
export function renderDoctor(checks: readonly ShownCheck[], options: { readonly colour: boolean }): string {
  const draw = paint(options.colour);
  const width = Math.max(0, ...checks.map(({ name }) => name.length));
  const indent = ' '.repeat('problem'.length + width + 4);
  const lines = checks.flatMap(({ name, state, found, why, remedy }) => [
    `${draw(COLOUR[state], state.padEnd('problem'.length))}  ${name.padEnd(width)}  ${toPrintable(found)}`,
    ...(state === 'ok' ? [] : [`${indent}${draw('dim', `why:  ${why}`)}`]),
    ...(remedy === undefined ? [] : [`${indent}mend: ${toPrintable(remedy)}`]),
  ]);
  const count = (wanted: ShownCheck['state']): string =>
    String(checks.filter(({ state }) => state === wanted).length);
  return `${lines.join('\n')}\n${count('ok')} ok, ${count('warning')} to be warned of, ${count('problem')} with a problem\n`;
}

/** The same as data. */
export function toDoctorDocument(checks: readonly ShownCheck[]): Readonly<Record<string, unknown>> {
  return { formatVersion: FORMAT_VERSION, isWell: isWell(checks), checks };
}

/** No check found a problem. */
export function isWell(checks: readonly ShownCheck[]): boolean {
  return checks.every(({ state }) => state !== 'problem');
}
