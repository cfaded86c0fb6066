/** The replica at one moment: immutable, whole transactions only. How it comes about: replica.ts. */
import { fail } from '../../errors.ts';
import type { RowIndex } from './indexes.ts';
import type { ColumnName, TableName, Uuid } from '../schema/schema.ts';
import { TableView } from './tableview.ts';

/** The rows of every held table after one and the same transaction. */
export class Snapshot<Tables> {
  readonly #tables: ReadonlyMap<string, ReadonlyMap<Uuid, unknown>>;
  /** Of tables that are other maps, since they were asked for something by index. */
  readonly #views = new Map<string, TableView<unknown>>();

  /** @param tables rows by table name, of the types in `Tables` (kept by replica.ts) */
  constructor(tables: ReadonlyMap<string, ReadonlyMap<Uuid, unknown>>) {
    this.#tables = tables;
  }

  /**
   * The rows of a table by UUID. An unchanged table is the same object in the next snapshot, an unchanged row too.
   * @throws OVSDB_TABLE_NOT_HELD, in place of looking empty
   */
  table<T extends TableName<Tables>>(name: T): ReadonlyMap<Uuid, Tables[T]> {
    // The replica decodes by the schema that Tables was generated from.
    return this.#held(name) as ReadonlyMap<Uuid, Tables[T]>;
  }

  /** One row, or `undefined` where there is none. @throws OVSDB_TABLE_NOT_HELD */
  row<T extends TableName<Tables>>(name: T, uuid: Uuid<NoInfer<T>>): Tables[T] | undefined {
    return this.table(name).get(uuid);
  }

  /**
   * The one row with these values, by an index of the schema: `get('Port', { name: 'tap0' })`.
   * @throws OVSDB_NO_INDEX where the schema does not promise that there is one row only; OVSDB_TABLE_NOT_HELD,
   *   OVSDB_COLUMN_NOT_HELD
   */
  get<T extends TableName<Tables>>(
    name: T,
    match: { readonly [C in ColumnName<Tables[T]>]?: Tables[T][C] },
  ): Tables[T] | undefined {
    const view = this.#view(name);
    const values: Readonly<Record<string, unknown>> = match;
    const columns = Object.keys(values);
    const index = view.uniques.find(
      (unique) =>
        unique.columns.length === columns.length && unique.columns.every((column) => column in values),
    );
    if (!index)
      throw fail('OVSDB_NO_INDEX', { table: name, columns: columns.join(', '), why: 'the schema has none' });
    return view.find(index, index.keyOf(index.columns.map((column) => values[column])))[0] as
      Tables[T] | undefined;
  }

  /**
   * The rows with these values, one for each part of the index, in no particular order: rows whose set has the value, or
   * whose map has it at the key; `undefined` for those that have none. Costs the same in a table of any size, but for the
   * first time.
   * @throws OVSDB_TABLE_NOT_HELD, OVSDB_COLUMN_NOT_HELD
   */
  find<T extends TableName<Tables>, Values extends readonly unknown[]>(
    index: RowIndex<Tables[T], T, Values>,
    ...values: Values
  ): readonly Tables[T][] {
    const view = this.#view(index.table) as TableView<Tables[T]>;
    return view.find(index, index.keyOf(values));
  }

  #held(name: string): ReadonlyMap<Uuid, unknown> {
    const table = this.#tables.get(name);
    if (!table) throw fail('OVSDB_TABLE_NOT_HELD', { table: name });
    return table;
  }

  #view(name: string): TableView<unknown> {
    const table = this.#held(name);
    if (table instanceof TableView) return table;
    const view = this.#views.get(name) ?? TableView.of(table);
    this.#views.set(name, view);
    return view;
  }

  /** Whether the replica holds a table at all. */
  holds(name: string): boolean {
    return this.#tables.has(name);
  }

  /**
   * The snapshot after changes to its rows, for a transaction's view of itself (overlay.ts).
   * @param changes by table and UUID; `undefined` removes a row
   */
  with(changes: ReadonlyMap<string, ReadonlyMap<Uuid, unknown>>): Snapshot<Tables> {
    const tables = new Map(this.#tables);
    for (const [name, rows] of changes) {
      const before = tables.get(name) ?? NO_ROWS;
      tables.set(name, (before instanceof TableView ? before : TableView.of(before)).with(rows));
    }
    return new Snapshot(tables);
  }
}

const NO_ROWS: ReadonlyMap<Uuid, unknown> = new Map();
