/** The rows of one table at one moment. Which rows there are: replica.ts. */
import { baseOnly, LayeredMap } from './layeredmap.ts';
import type { Uuid } from './schema.ts';

/** An immutable Map of rows by UUID, with a cheap successor. */
export class TableView<Row> extends LayeredMap<Uuid, Row> {
  /** A view of a map that nobody will change. */
  static of<Row>(rows: ReadonlyMap<Uuid, Row>): TableView<Row> {
    return new TableView(baseOnly(rows));
  }

  /** The view after changes; `undefined` removes a row. */
  override with(changes: ReadonlyMap<Uuid, Row | undefined>): TableView<Row> {
    return new TableView(this.after(changes));
  }
}
