/**
 * An immutable Map of rows whose changed successor is cheap: a large base that is shared, and a small layer of changes
 * over it. 20,000 rows are copied once in hundreds of updates, not for each.
 */
import type { Uuid } from './schema.ts';

/** Changes that may lie over a base before both are made one; the copying of layers stays below that of bases. */
const LAYER_LIMIT = 256;

export class TableView<Row> implements ReadonlyMap<Uuid, Row> {
  readonly #base: ReadonlyMap<Uuid, Row>;
  /** `undefined`: removed. */
  readonly #layer: ReadonlyMap<Uuid, Row | undefined>;
  readonly size: number;

  private constructor(base: ReadonlyMap<Uuid, Row>, layer: ReadonlyMap<Uuid, Row | undefined>, size: number) {
    this.#base = base;
    this.#layer = layer;
    this.size = size;
  }

  /** A view of a map that nobody will change. */
  static of<Row>(rows: ReadonlyMap<Uuid, Row>): TableView<Row> {
    return new TableView<Row>(rows, new Map(), rows.size);
  }

  /** The view after changes; `undefined` removes a row. */
  with(changes: ReadonlyMap<Uuid, Row | undefined>): TableView<Row> {
    if (this.#layer.size + changes.size > LAYER_LIMIT) {
      const rows = new Map(this.#base);
      for (const layer of [this.#layer, changes])
        for (const [uuid, row] of layer)
          if (row === undefined) rows.delete(uuid);
          else rows.set(uuid, row);
      return TableView.of(rows);
    }
    const layer = new Map(this.#layer);
    let size = this.size;
    for (const [uuid, row] of changes) {
      size += Number(row !== undefined) - Number(this.has(uuid));
      layer.set(uuid, row);
    }
    return new TableView(this.#base, layer, size);
  }

  get(uuid: Uuid): Row | undefined {
    return this.#layer.has(uuid) ? this.#layer.get(uuid) : this.#base.get(uuid);
  }

  has(uuid: Uuid): boolean {
    return this.get(uuid) !== undefined;
  }

  *entries(): MapIterator<[Uuid, Row]> {
    for (const [uuid, row] of this.#base) {
      if (!this.#layer.has(uuid)) yield [uuid, row];
    }
    for (const [uuid, row] of this.#layer) if (row !== undefined) yield [uuid, row];
  }

  *keys(): MapIterator<Uuid> {
    for (const [uuid] of this.entries()) yield uuid;
  }

  *values(): MapIterator<Row> {
    for (const [, row] of this.entries()) yield row;
  }

  [Symbol.iterator](): MapIterator<[Uuid, Row]> {
    return this.entries();
  }

  forEach(visit: (row: Row, uuid: Uuid, map: ReadonlyMap<Uuid, Row>) => void): void {
    for (const [uuid, row] of this.entries()) visit(row, uuid, this);
  }
}
