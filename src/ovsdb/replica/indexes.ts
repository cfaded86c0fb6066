/**
 * Indexes over the rows of a table: what a row is found by, as a value that is declared once and used with any snapshot.
 * Each table view builds one when it is first asked, and its successors keep it up (tableview.ts).
 */
import { fail } from '../../errors.ts';
import { baseOnly, LayeredMap } from './layeredmap.ts';
import type { ColumnName, ColumnSchema, DatabaseSchema, TableName, Uuid } from '../schema/schema.ts';

/** What rows are found by: a column, or a key of a map column. Of a column whose type is not known, either. */
export type IndexPart<Row> = {
  [C in ColumnName<Row>]: unknown extends Row[C]
    ? C | readonly [column: C, key: string | number | bigint]
    : Row[C] extends ReadonlyMap<infer K, unknown>
      ? readonly [column: C, key: K]
      : C;
}[ColumnName<Row>];

/** What to ask for in one part: of a set any member, of a map's key its value; `undefined` where there may be none. */
export type IndexValue<Row, P> = P extends readonly [infer C extends keyof Row, unknown]
  ? Row[C] extends ReadonlyMap<unknown, infer V>
    ? V | undefined
    : unknown
  : P extends keyof Row
    ? Row[P] extends ReadonlyMap<unknown, unknown>
      ? never
      : Row[P] extends readonly (infer E)[]
        ? E
        : Row[P]
    : never;

/** One value of one part, or the text of several. */
export type IndexKey = string | number | bigint | boolean | undefined;
/** The rows by key. */
export type IndexState = LayeredMap<IndexKey, readonly Uuid[]>;

type AnyRow = Readonly<Record<string, unknown>>;
type Part = { readonly column: string } & (
  { readonly by: 'value' | 'member' } | { readonly by: 'key'; readonly key: unknown }
);

/** An index of a table. Made by {@link rowIndex}. */
export class RowIndex<
  Row = AnyRow,
  T extends string = string,
  Values extends readonly unknown[] = readonly unknown[],
> {
  readonly table: T;
  readonly #parts: readonly Part[];

  constructor(table: T, parts: readonly Part[]) {
    this.table = table;
    this.#parts = parts;
  }

  /** The columns, in their order. */
  get columns(): readonly string[] {
    return this.#parts.map(({ column }) => column);
  }

  /** The keys that a row is found by, ascending; several where a part is a set. @throws OVSDB_COLUMN_NOT_HELD */
  keysOf(row: Row): readonly IndexKey[] {
    const [part, ...more] = this.#parts;
    if (!part) return [];
    const first = valuesOf(part, row as AnyRow);
    // Sets are sorted as they are decoded.
    if (more.length === 0) return part.by === 'member' ? (first as readonly IndexKey[]) : [toKey(first)];
    const rest = more.map((one) => valuesOf(one, row as AnyRow));
    const combinations = rest.reduce<readonly (readonly unknown[])[]>(
      (before, values) => before.flatMap((list) => values.map((value) => [...list, value])),
      first.map((value) => [value]),
    );
    return combinations.map(toKey).sort();
  }

  /** The key of what is asked for, one value for each part. */
  keyOf(values: Values): IndexKey {
    return toKey(values);
  }
}

const declared = new WeakMap<object, Map<string, RowIndex<never, string, never>>>();

/**
 * Declares an index: `rowIndex(openVSwitch, 'Interface', ['external_ids', 'iface-id'])`, several columns for one by all of
 * them together. A row is found by the value of a column; by each member of a set (so not at all by an empty one); by the
 * value of a map's key. `undefined` finds the rows that have no value, or not that key. The same declaration gives the same
 * object.
 * @throws OVSDB_UNKNOWN_COLUMN; OVSDB_NO_INDEX for a map without a key
 */
export function rowIndex<
  Tables,
  T extends TableName<Tables>,
  const P extends readonly [IndexPart<Tables[T]>, ...IndexPart<Tables[T]>[]],
>(
  schema: DatabaseSchema<Tables>,
  table: T,
  ...parts: P
): RowIndex<Tables[T], T, { [I in keyof P]: IndexValue<Tables[T], P[I]> }> {
  const known = declared.get(schema) ?? new Map<string, RowIndex<never, string, never>>();
  declared.set(schema, known);
  const name = toText([table, ...parts]);
  const columns = (schema.tables[table] as { columns?: Readonly<Record<string, ColumnSchema>> } | undefined)
    ?.columns;
  const index =
    known.get(name) ??
    new RowIndex(
      table,
      parts.map((part) => toPart(table, columns, part)),
    );
  known.set(name, index);
  return index as RowIndex<Tables[T], T, { [I in keyof P]: IndexValue<Tables[T], P[I]> }>;
}

/** The index behind a schema's promise that no two rows have the same values in all of these columns (RFC 7047 §3.2). */
export function uniqueIndex(table: string, columns: readonly string[]): RowIndex {
  return new RowIndex(
    table,
    columns.map((column) => ({ column, by: 'value' })),
  );
}

function toPart(
  table: string,
  columns: Readonly<Record<string, ColumnSchema>> | undefined,
  part: string | readonly [column: string, key: unknown],
): Part {
  const [column, key] = typeof part === 'string' ? [part] : part;
  const schema = columns?.[column];
  if (!schema || (typeof part !== 'string' && !schema.value))
    throw fail('OVSDB_UNKNOWN_COLUMN', { table, column: columns ? column : '*' });
  if (typeof part !== 'string') return { column, by: 'key', key };
  if (schema.value)
    throw fail('OVSDB_NO_INDEX', { table, columns: column, why: 'a map is indexed by one of its keys' });
  return { column, by: schema.max === 1 ? 'value' : 'member' };
}

function valuesOf(part: Part, row: AnyRow): readonly unknown[] {
  const value = row[part.column];
  if (part.by === 'member') return value as readonly unknown[];
  return [part.by === 'key' ? (value as ReadonlyMap<unknown, unknown>).get(part.key) : value];
}

function toKey(values: readonly unknown[]): IndexKey {
  const [value] = values;
  return values.length === 1 && typeof value !== 'object' ? (value as IndexKey) : toText(values);
}

/** A text that no other values have, where those in the same place are of the same type. */
function toText(value: unknown): string {
  if (typeof value === 'string') return `${String(value.length)}:${value}`;
  if (Array.isArray(value)) return `[${value.map(toText).join()}]`;
  if (value instanceof Map) return `{${Array.from(value, toText).sort().join()}}`;
  return String(value);
}

/** Goes through all rows. @throws OVSDB_COLUMN_NOT_HELD */
export function buildIndex<Row>(index: RowIndex<Row>, rows: ReadonlyMap<Uuid, Row>): IndexState {
  const found = new Map<IndexKey, Uuid[]>();
  for (const [uuid, row] of rows)
    for (const key of index.keysOf(row)) {
      const bucket = found.get(key);
      if (bucket) bucket.push(uuid);
      else found.set(key, [uuid]);
    }
  return new LayeredMap(baseOnly(found));
}

/** The index after changes of rows; the same object where they change none of its keys. @throws OVSDB_COLUMN_NOT_HELD */
export function updateIndex<Row>(
  index: RowIndex<Row>,
  state: IndexState,
  before: ReadonlyMap<Uuid, Row>,
  changed: ReadonlyMap<Uuid, Row | undefined>,
): IndexState {
  const gone = new Map<IndexKey, Set<Uuid>>();
  const come = new Map<IndexKey, Set<Uuid>>();
  for (const [uuid, after] of changed) {
    const known = before.get(uuid);
    const keysBefore = known === undefined ? [] : index.keysOf(known);
    const keysAfter = after === undefined ? [] : index.keysOf(after);
    forEachOther(keysBefore, keysAfter, (key, isNew) => {
      const side = isNew ? come : gone;
      const uuids = side.get(key);
      if (uuids) uuids.add(uuid);
      else side.set(key, new Set([uuid]));
    });
  }
  if (gone.size + come.size === 0) return state;
  const buckets = new Map<IndexKey, readonly Uuid[] | undefined>();
  for (const key of new Set([...gone.keys(), ...come.keys()])) {
    const leaving = gone.get(key);
    const bucket = (state.get(key) ?? []).filter((uuid) => leaving?.has(uuid) !== true);
    for (const uuid of come.get(key) ?? []) bucket.push(uuid);
    buckets.set(key, bucket.length === 0 ? undefined : bucket);
  }
  return state.with(buckets);
}

/** The keys that one list has and the other has not; both ascending, so that large sets are gone through once. */
function forEachOther(
  before: readonly IndexKey[],
  after: readonly IndexKey[],
  visit: (key: IndexKey, isNew: boolean) => void,
): void {
  let at = 0;
  for (const key of before) {
    while (at < after.length && isBelow(after[at], key)) visit(after[at++], true);
    if (at < after.length && after[at] === key) at += 1;
    else visit(key, false);
  }
  for (; at < after.length; at += 1) visit(after[at], true);
}

/** Keys of one index are of one type, but for `undefined`, which stands alone. */
function isBelow(a: IndexKey, b: IndexKey): boolean {
  return a !== undefined && b !== undefined && a < b;
}
