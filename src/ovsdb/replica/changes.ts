/**
 * What one transaction really changed: rows before and after, none that stayed equal. A value that outlives the replica's
 * next steps, read only when it is asked for. Made by replica.ts.
 */
import type { TableName, Uuid } from '../schema/schema.ts';

/** One row that came, differs, or went; `before` and `after` are the very objects of the snapshots on both sides. */
export type RowChange<Tables, T extends TableName<Tables> = TableName<Tables>> = {
  readonly [N in T]: { readonly table: N; readonly uuid: Uuid } & (
    | { readonly kind: 'insert'; readonly before: undefined; readonly after: Tables[N] }
    | { readonly kind: 'modify'; readonly before: Tables[N]; readonly after: Tables[N] }
    | { readonly kind: 'delete'; readonly before: Tables[N]; readonly after: undefined }
  );
}[T];

/** One table's part of the changes. */
export interface TableChange<Row = unknown> {
  readonly before: ReadonlyMap<Uuid, Row>;
  /** The rows after, which differ from those in `before`; `undefined`: it went, and was in `before`. */
  readonly changed: ReadonlyMap<Uuid, Row | undefined>;
}

/** The true changes of one transaction (or of a new copy against the old one), in no particular order inside of a table. */
export class Changes<Tables> implements Iterable<RowChange<Tables>> {
  readonly #tables: ReadonlyMap<string, TableChange>;
  /** How many rows came, differ, or went; never 0. */
  readonly size: number;

  /** @param tables by name, of the types in `Tables`; nobody changes them any more */
  constructor(tables: ReadonlyMap<string, TableChange>) {
    this.#tables = tables;
    let size = 0;
    for (const { changed } of tables.values()) size += changed.size;
    this.size = size;
  }

  /** The tables that have changes. */
  get tables(): readonly TableName<Tables>[] {
    return [...this.#tables.keys()] as TableName<Tables>[];
  }

  /** The changes of one table. */
  *of<T extends TableName<Tables>>(table: T): IterableIterator<RowChange<Tables, T>> {
    const change = this.#tables.get(table);
    if (!change) return;
    // The replica decodes by the schema that Tables was generated from.
    for (const [uuid, after] of change.changed) {
      const before = change.before.get(uuid);
      const kind = after === undefined ? 'delete' : before === undefined ? 'insert' : 'modify';
      yield { table, uuid, kind, before, after } as RowChange<Tables, T>;
    }
  }

  /** All changes, table by table. */
  *[Symbol.iterator](): IterableIterator<RowChange<Tables>> {
    for (const table of this.tables) yield* this.of(table);
  }
}
