/**
 * The content of a database as text that can be compared: whoever read it (our replica, ovsdb-client, python's IDL), the
 * same content gives the same text. Integers in full, reals as the shortest text of the double, sets and maps sorted.
 */
import type { BaseType, Column, Schema, Table } from '../../differential/schemas.ts';
import { NumberText } from './losslessjson.ts';

/** Rows by UUID, each as `column=value` lines. */
export type TableContent = ReadonlyMap<string, string>;
export type Content = ReadonlyMap<string, TableContent>;

/** Turns a value into the list of its elements' texts. */
type Elements = (column: Column, value: unknown) => string[];

/** Which columns of which tables are compared. */
export type Held = Readonly<Record<string, readonly string[]>>;

/** Every column of every table. */
export function everything(schema: Schema): Held {
  return Object.fromEntries(
    Object.entries(schema.tables).map(([name, { columns }]) => [name, Object.keys(columns)]),
  );
}

/** A row's text. */
export function rowText(
  table: Table,
  held: readonly string[],
  row: Readonly<Record<string, unknown>>,
  elements: Elements,
): string {
  let text = '';
  for (const name of held) {
    const column = table.columns[name];
    if (column) text += `${name}=${elements(column, row[name]).sort().join(', ')}\n`;
  }
  return text;
}

/** The elements of a value of OVSDB's JSON, parsed by `parseLossless`. */
export function wireElements(column: Column, value: unknown): string[] {
  if (Array.isArray(value) && value[0] === 'set')
    return (value[1] as unknown[]).map((atom) => wireAtomText(column.key, atom));
  if (Array.isArray(value) && value[0] === 'map')
    return (value[1] as [unknown, unknown][]).map(
      ([key, member]) =>
        `${wireAtomText(column.key, key)}: ${column.value ? wireAtomText(column.value, member) : '?'}`,
    );
  return [wireAtomText(column.key, value)];
}

function wireAtomText(base: BaseType, value: unknown): string {
  if (value instanceof NumberText)
    return base.type === 'real' ? realText(Number(value.text)) : BigInt(value.text).toString();
  if (Array.isArray(value)) return value.join(' ');
  return JSON.stringify(value);
}

/** The elements of a decoded value of our replica, by the types that it promises for the column. */
export function ourElements(column: Column, value: unknown): string[] {
  if (column.value !== undefined) {
    if (!(value instanceof Map)) return [`no Map: ${String(value)}`];
    const { key, value: base } = column;
    return Array.from(
      value as ReadonlyMap<unknown, unknown>,
      ([name, member]) => `${ourAtomText(key, name)}: ${ourAtomText(base, member)}`,
    );
  }
  if (column.max === 1) {
    if (value === undefined) return column.min === 0 ? [] : ['undefined'];
    return [ourAtomText(column.key, value)];
  }
  if (!Array.isArray(value)) return [`no list: ${String(value)}`];
  for (let index = 1; index < value.length; index += 1)
    if (!(value[index - 1] < value[index])) return [`not sorted: ${value.join(', ')}`];
  return value.map((atom) => ourAtomText(column.key, atom));
}

function ourAtomText(base: BaseType, value: unknown): string {
  switch (base.type) {
    case 'integer':
      if (typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value)))
        return value.toString();
      break;
    case 'real':
      if (typeof value === 'number') return realText(value);
      break;
    case 'boolean':
      if (typeof value === 'boolean') return JSON.stringify(value);
      break;
    case 'string':
      if (typeof value === 'string') return JSON.stringify(value);
      break;
    case 'uuid':
      if (typeof value === 'string') return `uuid ${value}`;
      break;
  }
  return `no ${base.type}: ${String(value)}`;
}

/** -0 and 0 are one and the same to OVSDB. */
export function realText(value: number): string {
  return String(value + 0);
}

/** The content without the columns that are not held. */
export function only(content: Content, held: Held): Content {
  return new Map(
    Array.from(content, ([name, rows]) => {
      const columns = new Set(held[name]);
      const isHeld = (line: string) => columns.has(line.slice(0, line.indexOf('=')));
      const kept = Array.from(
        rows,
        ([uuid, text]) =>
          [
            uuid,
            text
              .split(/(?<=\n)/)
              .filter(isHeld)
              .join(''),
          ] as const,
      );
      return [name, new Map(kept)];
    }),
  );
}

/** How two contents differ, for a person; `undefined` where they do not. */
export function difference(a: Content, b: Content): string | undefined {
  const lines: string[] = [];
  for (const table of new Set([...a.keys(), ...b.keys()])) {
    const [left, right] = [a.get(table), b.get(table)];
    for (const uuid of new Set([...(left?.keys() ?? []), ...(right?.keys() ?? [])])) {
      const [one, other] = [left?.get(uuid), right?.get(uuid)];
      if (one === other) continue;
      lines.push(`${table} ${uuid}`);
      const [ours, theirs] = [one?.split('\n') ?? ['(no row)'], other?.split('\n') ?? ['(no row)']];
      for (const line of ours) if (!theirs.includes(line)) lines.push(`  - ${line}`);
      for (const line of theirs) if (!ours.includes(line)) lines.push(`  + ${line}`);
    }
  }
  return lines.length === 0 ? undefined : lines.join('\n');
}

/** How many rows differ. */
export function changedRows(a: Content, b: Content): number {
  let count = 0;
  for (const table of new Set([...a.keys(), ...b.keys()])) {
    const [left, right] = [a.get(table) ?? new Map(), b.get(table) ?? new Map()];
    for (const uuid of new Set<string>([...left.keys(), ...right.keys()]))
      if (left.get(uuid) !== right.get(uuid)) count += 1;
  }
  return count;
}
