/** The replica at one moment: immutable, whole transactions only. How it comes about: replica.ts. */
import type { TableName, Uuid } from './schema.ts';
import { TableView } from './tableview.ts';

/** The rows of every held table after one and the same transaction. */
export class Snapshot<Tables> {
  readonly #tables: ReadonlyMap<string, ReadonlyMap<Uuid, unknown>>;

  /** @param tables rows by table name, of the types in `Tables` (kept by replica.ts) */
  constructor(tables: ReadonlyMap<string, ReadonlyMap<Uuid, unknown>>) {
    this.#tables = tables;
  }

  /**
   * The rows of a table by UUID; empty where the replica does not hold the table.
   * An unchanged table is the same object in the next snapshot, an unchanged row too.
   */
  table<T extends TableName<Tables>>(name: T): ReadonlyMap<Uuid, Tables[T]> {
    // The replica decodes by the schema that Tables was generated from.
    return (this.#tables.get(name) ?? NO_ROWS) as ReadonlyMap<Uuid, Tables[T]>;
  }

  /** One row, or `undefined` where there is none. */
  row<T extends TableName<Tables>>(name: T, uuid: Uuid): Tables[T] | undefined {
    return this.table(name).get(uuid);
  }

  /** Whether the replica holds a table at all; one that it does not hold looks empty. */
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
