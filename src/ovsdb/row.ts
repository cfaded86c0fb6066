/** Rows of one held table: made from the wire, changed by copying, compared. Which rows there are: replica.ts. */
import { fail } from '../errors.ts';
import type { TableCodec } from './codecs.ts';
import type { ColumnCodec } from './datum.ts';
import type { Uuid } from './schema.ts';

/** A decoded row; its type by column is in the generated types. */
export type DecodedRow = Readonly<Record<string, unknown>>;

/** What a row says on the wire: columns by name. */
export type WireRow = Readonly<Record<string, unknown>>;

/** The codec of the columns that the replica holds of one table. */
export class RowCodec {
  readonly table: string;
  readonly #columns: ReadonlyMap<string, ColumnCodec>;
  /** A row of initial values; a clone of it starts each new row. */
  readonly #template: Record<string, unknown>;
  readonly #prototype: object;

  /** @param held the columns to hold; the others throw OVSDB_COLUMN_NOT_HELD where a row is asked for them */
  constructor(codec: TableCodec, held: readonly string[]) {
    this.table = codec.name;
    this.#columns = new Map(
      held.map((column) => {
        const columnCodec = codec.columns.get(column);
        if (!columnCodec) throw fail('OVSDB_UNKNOWN_COLUMN', { table: codec.name, column });
        return [column, columnCodec];
      }),
    );
    this.#prototype = guard(codec, this.#columns);
    // JSON.parse makes an object that V8 clones 20 times faster than one that was given as many members by name.
    const empty = Object.fromEntries(['_uuid', ...this.#columns.keys()].map((name) => [name, '']));
    this.#template = JSON.parse(JSON.stringify(empty)) as Record<string, unknown>;
    for (const [name, column] of this.#columns) this.#template[name] = column.initial;
  }

  /** Whether rows of the two can be compared: they hold the same columns. */
  hasSameColumns(other: RowCodec): boolean {
    if (this.#columns.size !== other.#columns.size) return false;
    for (const [name, column] of this.#columns) if (other.#columns.get(name) !== column) return false;
    return true;
  }

  /** A new row; columns left out have their initial value. @throws OVSDB_PROTOCOL */
  decode(uuid: Uuid, wire: WireRow): DecodedRow {
    const row = this.#clone(this.#template);
    row['_uuid'] = uuid;
    for (const name in wire) {
      const column = this.#columns.get(name);
      if (column) row[name] = column.decode(wire[name]);
    }
    return Object.freeze(row);
  }

  /** The row after a `modify` of update2; the same object where nothing changes. @throws OVSDB_PROTOCOL */
  applyDiff(before: DecodedRow, diff: WireRow): DecodedRow {
    const row = this.#clone(before);
    for (const name in diff) {
      const column = this.#columns.get(name);
      if (column) row[name] = column.applyDiff(row[name], diff[name]);
    }
    return this.sameOr(before, row);
  }

  /** `before` where `after` equals it, so that who compares by identity sees no change; else `after`. */
  sameOr(before: DecodedRow, after: Record<string, unknown>): DecodedRow {
    for (const [name, column] of this.#columns)
      if (!column.equal(before[name], after[name])) return Object.freeze(after);
    return before;
  }

  #clone(row: DecodedRow): Record<string, unknown> {
    const copy = { ...row };
    Object.setPrototypeOf(copy, this.#prototype);
    return copy;
  }
}

/** What rows inherit: columns that are not held say so, instead of looking empty. */
function guard(codec: TableCodec, held: ReadonlyMap<string, unknown>): object {
  const prototype = {};
  for (const column of codec.columns.keys())
    if (!held.has(column))
      Object.defineProperty(prototype, column, {
        get: () => {
          throw fail('OVSDB_COLUMN_NOT_HELD', { table: codec.name, column });
        },
      });
  return prototype;
}
