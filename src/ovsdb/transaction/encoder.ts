/**
 * The arguments of a transaction's operations as they go over the wire (RFC 7047 §5.1), and the names of the rows that it
 * inserts. Encoding of single values: datum.ts.
 */
import { fail } from '../../errors.ts';
import type { EncodeContext, Wire } from '../schema/atom.ts';
import type { TableCodec } from '../replica/codecs.ts';
import type { ColumnCodec } from '../schema/datum.ts';
import { Ref } from '../schema/ref.ts';
import { isUuid, type Uuid } from '../schema/schema.ts';

/** Rows by conditions, as {@link Target} has them, of a table whose type is forgotten. */
type AnyTarget = string | Ref | readonly (readonly [string, string, unknown])[];

export class Encoder implements EncodeContext {
  readonly #codecs: ReadonlyMap<string, TableCodec>;
  readonly #refs = new Map<string, Ref>();
  readonly #provisional = new Map<string, Wire>();

  constructor(codecs: ReadonlyMap<string, TableCodec>) {
    this.#codecs = codecs;
  }

  /** The rows that are inserted, in order. */
  get refs(): ReadonlyMap<string, Ref> {
    return this.#refs;
  }

  get provisional(): ReadonlyMap<string, Wire> {
    return this.#provisional;
  }

  /** From now on the row can be named. */
  add(ref: Ref): void {
    this.#refs.set(ref.name, ref);
  }

  /** From now on this UUID stands for the row, too. */
  addProvisional(uuid: Uuid, ref: Ref): void {
    this.#provisional.set(uuid, this.encodeRef(ref, ref.table));
  }

  /** @throws OVSDB_UNKNOWN_COLUMN */
  column(table: string, column: string): ColumnCodec {
    const known = this.#codecs.get(table);
    const codec = known?.columns.get(column);
    if (!codec) throw fail('OVSDB_UNKNOWN_COLUMN', { table, column: known ? column : '*' });
    return codec;
  }

  /** @throws OVSDB_UNKNOWN_COLUMN, OVSDB_VALUE, OVSDB_UNKNOWN_REF */
  row(table: string, row: Readonly<Record<string, unknown>>): Record<string, Wire> {
    const encoded: Record<string, Wire> = {};
    for (const column in row) encoded[column] = this.column(table, column).encode(row[column], this);
    return encoded;
  }

  /** A `where`. @throws OVSDB_UNKNOWN_COLUMN, OVSDB_VALUE, OVSDB_UNKNOWN_REF */
  target(table: string, target: AnyTarget): Wire {
    if (target instanceof Ref) return [['_uuid', '==', this.encodeRef(target, table)]];
    if (typeof target === 'string') {
      if (!isUuid(target))
        throw fail('OVSDB_VALUE', { where: `${table}._uuid`, value: target, why: 'it is no UUID' });
      return [['_uuid', '==', this.#provisional.get(target) ?? ['uuid', target]]];
    }
    return target.map(([column, operator, value]) => [
      column,
      operator,
      this.column(table, column).encode(value, this),
    ]);
  }

  /** @throws OVSDB_UNKNOWN_COLUMN, OVSDB_VALUE, OVSDB_UNKNOWN_REF */
  mutation(table: string, column: string, mutator: string, value: unknown): Wire {
    return [column, mutator, this.column(table, column).encodeMutation(mutator, value, this)];
  }

  /** The server makes a fresh UUID of a name that it does not know, silently; so the check is here. */
  encodeRef(ref: Ref, where: string): Wire {
    if (this.#refs.get(ref.name) !== ref) throw fail('OVSDB_UNKNOWN_REF', { where, ref: ref.name });
    return ['named-uuid', ref.name];
  }
}
