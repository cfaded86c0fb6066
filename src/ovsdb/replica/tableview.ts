/** The rows of one table at one moment, and what they can be found by. Which rows there are: replica.ts. */
import { buildIndex, updateIndex, type IndexKey, type IndexState, type RowIndex } from './indexes.ts';
import { baseOnly, LayeredMap, type Layers } from './layeredmap.ts';
import type { Uuid } from '../schema/schema.ts';

/** An immutable Map of rows by UUID, with a cheap successor. */
export class TableView<Row> extends LayeredMap<Uuid, Row> {
  /** Of the schema: by what no two rows can be the same. */
  readonly uniques: readonly RowIndex[];
  /** Those that this view or one before it was asked for. */
  readonly #indexes: Map<RowIndex<Row>, IndexState>;

  private constructor(
    layers: Layers<Uuid, Row>,
    uniques: readonly RowIndex[],
    indexes: Map<RowIndex<Row>, IndexState>,
  ) {
    super(layers);
    this.uniques = uniques;
    this.#indexes = indexes;
  }

  /** A view of a map that nobody will change. */
  static of<Row>(rows: ReadonlyMap<Uuid, Row>, uniques: readonly RowIndex[] = []): TableView<Row> {
    return new TableView(baseOnly(rows), uniques, new Map());
  }

  /** The view after changes; `undefined` removes a row. Indexes in use follow, at a cost by the change, not the table. */
  override with(changes: ReadonlyMap<Uuid, Row | undefined>): TableView<Row> {
    const indexes = new Map<RowIndex<Row>, IndexState>();
    for (const [index, state] of this.#indexes) {
      try {
        indexes.set(index, updateIndex(index, state, this, changes));
      } catch {
        // A column that is not held, which shows with the first row: the next to ask for the index is told.
      }
    }
    return new TableView(this.after(changes), this.uniques, indexes);
  }

  /** The rows with this key, in no particular order. @throws OVSDB_COLUMN_NOT_HELD */
  find(index: RowIndex<Row>, key: IndexKey): readonly Row[] {
    let state = this.#indexes.get(index);
    if (!state) {
      state = buildIndex(index, this);
      this.#indexes.set(index, state);
    }
    return (state.get(key) ?? []).flatMap((uuid) => this.get(uuid) ?? []);
  }
}
