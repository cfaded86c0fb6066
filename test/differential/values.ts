/**
 * Random values of columns, as neither our client nor a peer holds them: typed atoms, with integers as bigint. They are
 * turned to the wire's JSON (RFC 7047 §5.1) by a way of their own, which is compared with ours.
 */
import type { Random } from './random.ts';
import type { BaseType, Column } from './schemas.ts';

/** One atom. `named-uuid` names a row that the same transaction inserts. */
export type Atom =
  | { readonly type: 'integer'; readonly value: bigint }
  | { readonly type: 'real'; readonly value: number }
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'uuid'; readonly value: string }
  | { readonly type: 'named-uuid'; readonly value: string };

/** What a column can hold: a scalar and an optional value are sets. */
export type Datum =
  | { readonly kind: 'set'; readonly atoms: readonly Atom[] }
  | { readonly kind: 'map'; readonly pairs: readonly (readonly [Atom, Atom])[] };

/** Which rows a reference could name. */
export interface Rows {
  /** UUIDs of rows of a table. */
  uuids(table: string): readonly string[];
  /** Names of rows that the transaction inserts into a table. */
  names(table: string): readonly string[];
}

const NO_ROWS: Rows = { uuids: () => [], names: () => [] };

const INT64_MAX = 2n ** 63n - 1n;
const INTEGERS = [
  0n,
  1n,
  -1n,
  2n ** 53n,
  2n ** 53n + 1n,
  -(2n ** 53n) - 1n,
  INT64_MAX,
  -INT64_MAX - 1n,
  INT64_MAX - 1n,
];
/** ovsdb-server prints 15 digits, and python's IDL fails where two values look the same then; reals.test.ts goes beyond. */
const REALS = [0, -0, 1, -1, 0.5, 1e300, -1e300, 1e-300, 1234567890, -1e9, 4096];
const TEXTS = [
  '',
  'a',
  'b',
  'true',
  '["set",[]]',
  'Straße',
  '交换机',
  '😀 switch',
  'quote " \\ / \b\f\n\r\t',
  '\u0001\u001f\u007f\u0080',
  '\u2028\u2029\ufeff',
  'e\u0301',
  '\uffff\u{10ffff}',
  '1234567890123456789',
  '\\u0000',
  'long '.repeat(50),
];

export function someInteger(random: Random): bigint {
  return random.percent(40) ? random.pick(INTEGERS) : BigInt(random.below(40) - 8);
}

export function someReal(random: Random): number {
  return random.percent(40) ? random.pick(REALS) : (random.below(4000) - 1000) / 4;
}

function someText(random: Random): string {
  return random.percent(60) ? random.pick(TEXTS) : `n${String(random.below(12))}`;
}

/** An atom of a type, which mostly meets its constraints. */
export function someAtom(random: Random, base: BaseType, rows: Rows = NO_ROWS): Atom {
  if (base.enum !== undefined && base.enum.length > 0 && random.percent(97)) return random.pick(base.enum);
  const { type } = base;
  switch (type) {
    case 'integer': {
      const value = someInteger(random);
      const [least, most] = [base.minInteger ?? -INT64_MAX - 1n, base.maxInteger ?? INT64_MAX];
      if ((value >= least && value <= most) || random.percent(3)) return { type, value };
      return { type, value: random.percent(50) ? least : most };
    }
    case 'real': {
      const value = someReal(random);
      const [least, most] = [base.minReal ?? -Infinity, base.maxReal ?? Infinity];
      if ((value >= least && value <= most) || random.percent(3)) return { type, value };
      return { type, value: Number.isFinite(least) ? least : most };
    }
    case 'boolean':
      return { type, value: random.percent(50) };
    case 'string': {
      const value = someText(random);
      const { length } = Array.from(value);
      const fits = length >= (base.minLength ?? 0) && length <= (base.maxLength ?? Infinity);
      return { type, value: fits || random.percent(3) ? value : 'a' };
    }
    case 'uuid': {
      if (base.refTable === undefined) return { type, value: random.uuid() };
      const names = rows.names(base.refTable);
      if (names.length > 0 && random.percent(60)) return { type: 'named-uuid', value: random.pick(names) };
      const uuids = rows.uuids(base.refTable);
      return { type, value: uuids.length > 0 && random.percent(98) ? random.pick(uuids) : random.uuid() };
    }
  }
}

/** A value of a column; rarely with too many elements. */
export function someDatum(random: Random, column: Column, rows: Rows): Datum {
  const most = column.max === 'unlimited' ? (random.percent(3) ? 60 : 5) : column.max;
  const hasNone = hasNoAtom(column, rows);
  const length = hasNone ? 0 : column.min + random.below(most - column.min + 1) + Number(random.percent(1));
  return datumOf(
    column,
    random.list(length, () => someElement(random, column, rows)),
  );
}

/** A value for the mutators `insert` and `delete`: elements of the column's type. */
export function someElements(random: Random, column: Column, rows: Rows): Datum {
  const length = hasNoAtom(column, rows) ? 0 : random.below(4);
  return datumOf(
    column,
    random.list(length, () => someElement(random, column, rows)),
  );
}

/** Whether there is no row that a reference of this column could name. */
function hasNoAtom(column: Column, rows: Rows): boolean {
  return [column.key, column.value].some(
    (base) =>
      base?.refTable !== undefined &&
      rows.uuids(base.refTable).length === 0 &&
      rows.names(base.refTable).length === 0,
  );
}

function someElement(random: Random, column: Column, rows: Rows): readonly [Atom, Atom | undefined] {
  return [
    someAtom(random, column.key, rows),
    column.value === undefined ? undefined : someAtom(random, column.value, rows),
  ];
}

/** Elements without doubles: the server refuses them in a set, and two values of one key in a map. */
function datumOf(column: Column, elements: readonly (readonly [Atom, Atom | undefined])[]): Datum {
  const distinct = new Map(elements.map((element) => [keyText(element[0]), element]));
  if (column.value === undefined)
    return { kind: 'set', atoms: Array.from(distinct.values(), ([key]) => key) };
  const pairs = [...distinct.values()].flatMap(([key, value]) => (value ? [[key, value] as const] : []));
  return { kind: 'map', pairs };
}

function keyText({ type, value }: Atom): string {
  // The server holds -0 and 0 for one and the same.
  return `${type} ${String(type === 'real' ? value + 0 : value)}`;
}

/** An atom as JSON; integers stay bigint, see {@link atomToJson}. */
function wireAtom({ type, value }: Atom): unknown {
  return type === 'uuid' || type === 'named-uuid' ? [type, value] : value;
}

/** A value as JSON; integers stay bigint. */
export function wireDatum(datum: Datum): unknown {
  return datum.kind === 'set'
    ? datum.atoms.length === 1 && datum.atoms[0]
      ? wireAtom(datum.atoms[0])
      : ['set', datum.atoms.map(wireAtom)]
    : ['map', datum.pairs.map((pair) => pair.map(wireAtom))];
}

/** The JSON text of a value with bigints in it, which are written as numbers. */
export function atomToJson(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return `[${value.map(atomToJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${atomToJson(member)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}
