/** Rows of one held table: made from the wire, changed by copying, compared. Which rows there are: replica.ts. */
import { fail } from '../../errors.ts';
import type { TableCodec } from './codecs.ts';
import type { ColumnCodec } from '../schema/datum.ts';
import type { RowIndex } from './indexes.ts';
import type { Uuid } from '../schema/schema.ts';

/** A decoded row, frozen; its type by column is in the generated types. */
export type DecodedRow = Readonly<Record<string, unknown>>;

/** What a row says on the wire: columns by name. */
export type WireRow = Readonly<Record<string, unknown>>;

type RowClass = new (values: readonly unknown[]) => DecodedRow;

/** The codec of the columns that the replica holds of one table. */
export class RowCodec {
  readonly table: string;
  /** By what no two rows can be the same. */
  readonly uniques: readonly RowIndex[];
  /** By name: the codec, and the place of the value among a row's values. */
  readonly #columns = new Map<string, { readonly at: number; readonly column: ColumnCodec }>();
  /** The values of a new row, `_uuid` first. */
  readonly #initial: readonly unknown[];
  readonly #Row: RowClass;

  /** @param held the columns to hold; the others throw OVSDB_COLUMN_NOT_HELD where a row is asked for them */
  constructor(codec: TableCodec, held: readonly string[]) {
    this.table = codec.name;
    this.uniques = codec.uniques;
    for (const name of held) {
      const column = codec.columns.get(name);
      if (!column) throw fail('OVSDB_UNKNOWN_COLUMN', { table: codec.name, column: name });
      if (!this.#columns.has(name)) this.#columns.set(name, { at: this.#columns.size + 1, column });
    }
    this.#initial = ['', ...Array.from(this.#columns.values(), ({ column }) => column.initial)];
    this.#Row = rowClass(codec, [...this.#columns.keys()]);
  }

  /** Whether rows of the two can be compared: they hold the same columns. */
  hasSameColumns(other: RowCodec): boolean {
    return this.#Row === other.#Row;
  }

  /** A new row; columns left out have their initial value. @throws OVSDB_PROTOCOL */
  decode(uuid: Uuid, wire: WireRow): DecodedRow {
    const values = this.#initial.slice();
    values[0] = uuid;
    for (const name in wire) {
      const known = this.#columns.get(name);
      if (known) values[known.at] = known.column.decode(wire[name]);
    }
    return new this.#Row(values);
  }

  /** The row after a `modify` of update2; the same object where nothing changes. @throws OVSDB_PROTOCOL */
  applyDiff(before: DecodedRow, diff: WireRow): DecodedRow {
    let values: unknown[] | undefined;
    for (const name in diff) {
      const known = this.#columns.get(name);
      if (!known) continue;
      const after = known.column.applyDiff(before[name], diff[name]);
      if (after === before[name]) continue;
      values ??= Object.values(before);
      values[known.at] = after;
    }
    return values ? new this.#Row(values) : before;
  }

  /** `before` where `after` equals it, so that who compares by identity sees no change; else `after`. */
  sameOr(before: DecodedRow, after: DecodedRow): DecodedRow {
    for (const [name, { column }] of this.#columns)
      if (!column.equal(before[name], after[name])) return after;
    return before;
  }
}

const classes = new WeakMap<TableCodec, Map<string, RowClass>>();

/**
 * The class of a table's rows, the same one for the same columns. One class, filled in one order, is one hidden class in
 * V8: reading a column of 20,000 rows stays a plain load, and freezing them costs next to nothing.
 */
function rowClass(codec: TableCodec, held: readonly string[]): RowClass {
  const known = classes.get(codec) ?? new Map<string, RowClass>();
  classes.set(codec, known);
  const key = held.join();
  const made = known.get(key) ?? makeRowClass(codec, held);
  known.set(key, made);
  return made;
}

function makeRowClass(codec: TableCodec, held: readonly string[]): RowClass {
  const Row = writeRowClass(['_uuid', ...held]);
  Object.defineProperty(Row, 'name', { value: codec.name });
  // Columns that are not held say so, instead of looking empty.
  for (const column of codec.columns.keys())
    if (!held.includes(column))
      Object.defineProperty(Row.prototype, column, {
        get: () => {
          throw fail('OVSDB_COLUMN_NOT_HELD', { table: codec.name, column });
        },
      });
  return Row;
}

/**
 * The class, with each column written out: V8 takes a quarter of the time that it takes for a loop over the names, which
 * is a tenth of a first copy. Names are written as JSON texts, so that none can be more than a name.
 */
function writeRowClass(names: readonly string[]): RowClass {
  const lines = names.map((name, at) => `this[${JSON.stringify(name)}] = values[${String(at)}];`);
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval
    const make = new Function(
      `return class { constructor(values) { ${lines.join(' ')} Object.freeze(this); } }`,
    ) as () => RowClass;
    return make();
  } catch (cause) {
    if (!(cause instanceof EvalError)) throw cause;
    // Node was started with --disallow-code-generation-from-strings.
    return class {
      [column: string]: unknown;
      constructor(values: readonly unknown[]) {
        for (let at = 0; at < names.length; at += 1) this[names[at] as string] = values[at];
        Object.freeze(this);
      }
    };
  }
}
