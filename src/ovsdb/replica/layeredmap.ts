/**
 * An immutable Map whose changed successor is cheap: a large base that is shared, and a small layer of changes over it.
 * 20,000 entries are copied once in some 200 steps, not for each.
 */

/** What a map is made of. Nobody changes the two Maps afterwards. */
export interface Layers<K, V> {
  readonly base: ReadonlyMap<K, V>;
  /** Changes over the base; `undefined`: removed. */
  readonly layer: ReadonlyMap<K, V | undefined>;
  readonly size: number;
}

/** No layer is worth less than this. */
const LEAST_LAYER_LIMIT = 16;

export class LayeredMap<K, V> implements ReadonlyMap<K, V> {
  readonly #base: ReadonlyMap<K, V>;
  readonly #layer: ReadonlyMap<K, V | undefined>;
  readonly size: number;

  constructor({ base, layer, size }: Layers<K, V>) {
    this.#base = base;
    this.#layer = layer;
    this.size = size;
  }

  /** The layers after changes; `undefined` removes an entry. */
  protected after(changes: ReadonlyMap<K, V | undefined>): Layers<K, V> {
    // Here the copying of layers at each step costs as much as that of bases now and then.
    const limit = Math.max(LEAST_LAYER_LIMIT, Math.sqrt(2 * this.#base.size));
    if (this.#layer.size + changes.size > limit) {
      const base = new Map(this.#base);
      for (const layer of [this.#layer, changes])
        for (const [key, value] of layer)
          if (value === undefined) base.delete(key);
          else base.set(key, value);
      return baseOnly(base);
    }
    const layer = new Map(this.#layer);
    let { size } = this;
    for (const [key, value] of changes) {
      size += Number(value !== undefined) - Number(this.has(key));
      layer.set(key, value);
    }
    return { base: this.#base, layer, size };
  }

  /** The map after changes; `undefined` removes an entry. */
  with(changes: ReadonlyMap<K, V | undefined>): LayeredMap<K, V> {
    return new LayeredMap(this.after(changes));
  }

  get(key: K): V | undefined {
    // An empty layer is the usual one of a table that hardly changes.
    return this.#layer.size > 0 && this.#layer.has(key) ? this.#layer.get(key) : this.#base.get(key);
  }

  has(key: K): boolean {
    return this.get(key) !== undefined;
  }

  *entries(): MapIterator<[K, V]> {
    for (const entry of this.#base) if (!this.#layer.has(entry[0])) yield entry;
    for (const [key, value] of this.#layer) if (value !== undefined) yield [key, value];
  }

  *keys(): MapIterator<K> {
    for (const key of this.#base.keys()) if (!this.#layer.has(key)) yield key;
    for (const [key, value] of this.#layer) if (value !== undefined) yield key;
  }

  values(): MapIterator<V> {
    return this.#layer.size === 0 ? this.#base.values() : this.#layeredValues();
  }

  *#layeredValues(): MapIterator<V> {
    for (const [key, value] of this.#base) if (!this.#layer.has(key)) yield value;
    for (const value of this.#layer.values()) if (value !== undefined) yield value;
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries();
  }

  forEach(visit: (value: V, key: K, map: ReadonlyMap<K, V>) => void): void {
    for (const [key, value] of this.entries()) visit(value, key, this);
  }
}

/** The layers of a map that nobody will change. */
export function baseOnly<K, V>(base: ReadonlyMap<K, V>): Layers<K, V> {
  return { base, layer: new Map(), size: base.size };
}
