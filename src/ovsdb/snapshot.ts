/** The replica at one moment: immutable, whole transactions only. How it comes about: replica.ts. */
import type { TableName, Uuid } from './schema.ts';

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
}

const NO_ROWS: ReadonlyMap<Uuid, unknown> = new Map();
