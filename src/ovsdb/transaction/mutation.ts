/** What a mutation makes of a decoded value, as ovsdb-server does it (RFC 7047 §5.1 `<mutation>`). */
import { fail, type VsbError } from '../../errors.ts';
import { compileColumn, type ColumnCodec } from '../schema/datum.ts';
import type { ColumnSchema } from '../schema/schema.ts';

/** A column as a transaction's preview needs it. */
export interface KnownColumn {
  /** `Table.column`, for errors. */
  readonly where: string;
  readonly schema: ColumnSchema;
  readonly codec: ColumnCodec;
}

/**
 * The value after a mutation.
 * @param wire the mutation's argument, with UUIDs in place of names
 * @throws OVSDB_VALUE where the server would refuse the result
 */
export function mutate(column: KnownColumn, before: unknown, mutator: string, wire: unknown): unknown {
  if (mutator === 'insert' || mutator === 'delete')
    return ofSize(
      column,
      column.schema.value
        ? mutateMap(column, before as ReadonlyMap<unknown, unknown>, mutator, wire)
        : mutateSet(column, before, mutator, wire),
    );
  const operand = operandOf(column).decode(wire) as number | bigint;
  const members = toMembers(column.schema, before);
  const results = new Set(members.map((member) => calculate(column, member, mutator, operand)));
  if (results.size < members.length) throw refused(column.where, [...results], 'two members became the same');
  const after = toValue(column, [...results]);
  // The limits of the column, by the one who knows them.
  column.codec.encode(after, NO_REFS);
  return after;
}

/** The members of a value: one of a scalar, none or one of an optional value, keys of a map. */
export function toMembers(schema: ColumnSchema, value: unknown): readonly unknown[] {
  if (schema.value) return [...(value as ReadonlyMap<unknown, unknown>).keys()];
  if (schema.max !== 1) return value as readonly unknown[];
  return value === undefined ? [] : [value];
}

/** The value of these members, which are sorted and made distinct. */
export function toValue({ schema, where }: KnownColumn, members: readonly unknown[]): unknown {
  const distinct = [...new Set(members)] as (string | number | bigint | boolean)[];
  if (schema.max !== 1) return Object.freeze(distinct.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
  if (distinct.length > 1) throw refused(where, distinct, 'it holds one value at most');
  if (distinct.length < schema.min) throw refused(where, 'empty', 'it holds one value at least');
  return distinct[0];
}

/** A value that has as many members as it may, which the server checks after each mutation. */
function ofSize({ schema, where }: KnownColumn, value: unknown): unknown {
  const { length } = toMembers(schema, value);
  if (length < schema.min || length > schema.max)
    throw refused(where, length, `it holds ${String(schema.min)} to ${String(schema.max)} members`);
  return value;
}

const NO_REFS = {
  encodeRef: (): never => {
    throw fail('INTERNAL', { what: 'a calculated value has a reference' });
  },
};

function calculate(
  { where, schema }: KnownColumn,
  member: unknown,
  mutator: string,
  operand: number | bigint,
): unknown {
  if (schema.key.type === 'integer') {
    const result = integerResult(where, BigInt(member as number | bigint), mutator, BigInt(operand));
    return schema.key.wide ? result : Number(result);
  }
  if (typeof member !== 'number') throw refused(where, member, `"${mutator}" is for numbers`);
  return realResult(where, member, mutator, Number(operand));
}

function integerResult(where: string, value: bigint, mutator: string, operand: bigint): bigint {
  if (operand === 0n && (mutator === '/=' || mutator === '%='))
    throw refused(where, value, 'it would be divided by zero');
  switch (mutator) {
    case '+=':
      return value + operand;
    case '-=':
      return value - operand;
    case '*=':
      return value * operand;
    case '/=':
      return value / operand;
    case '%=':
      return value % operand;
    default:
      throw refused(where, value, `there is no mutator "${mutator}"`);
  }
}

function realResult(where: string, value: number, mutator: string, operand: number): number {
  switch (mutator) {
    case '+=':
      return value + operand;
    case '-=':
      return value - operand;
    case '*=':
      return value * operand;
    case '/=':
      return value / operand;
    default:
      throw refused(where, value, `there is no mutator "${mutator}" for reals`);
  }
}

function mutateSet(column: KnownColumn, before: unknown, mutator: string, wire: unknown): unknown {
  const members = toMembers(column.schema, before);
  const given = setOf(column).decode(wire) as readonly unknown[];
  if (mutator === 'insert') return toValue(column, [...members, ...given]);
  const gone = new Set(given);
  return toValue(
    column,
    members.filter((member) => !gone.has(member)),
  );
}

function mutateMap(
  column: KnownColumn,
  before: ReadonlyMap<unknown, unknown>,
  mutator: string,
  wire: unknown,
): ReadonlyMap<unknown, unknown> {
  const after = new Map(before);
  if (mutator === 'insert') {
    for (const [key, value] of column.codec.decode(wire) as ReadonlyMap<unknown, unknown>)
      if (!after.has(key)) after.set(key, value);
  } else if (Array.isArray(wire) && wire[0] === 'map') {
    for (const [key, value] of column.codec.decode(wire) as ReadonlyMap<unknown, unknown>)
      if (after.get(key) === value) after.delete(key);
  } else for (const key of setOf(column).decode(wire) as readonly unknown[]) after.delete(key);
  return after;
}

const sets = new WeakMap<ColumnSchema, ColumnCodec>();
const operands = new WeakMap<ColumnSchema, ColumnCodec>();

/** Reads any number of the column's members (of a map: its keys). */
function setOf({ where, schema }: KnownColumn): ColumnCodec {
  return kept(sets, schema, () =>
    compileColumn(where, 'members', { key: schema.key, min: 0, max: Infinity }),
  );
}

/** Reads what is calculated with. */
function operandOf({ where, schema }: KnownColumn): ColumnCodec {
  return kept(operands, schema, () => {
    const { type } = schema.key;
    const key = type === 'integer' ? ({ type, wide: true } as const) : { type };
    return compileColumn(where, 'operand', { key, min: 1, max: 1 });
  });
}

function kept(
  cache: WeakMap<ColumnSchema, ColumnCodec>,
  schema: ColumnSchema,
  make: () => ColumnCodec,
): ColumnCodec {
  const known = cache.get(schema);
  if (known) return known;
  const codec = make();
  cache.set(schema, codec);
  return codec;
}

function refused(where: string, value: unknown, why: string): VsbError {
  return fail('OVSDB_VALUE', { where, value: String(value), why });
}
