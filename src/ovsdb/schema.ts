/**
 * What a database looks like (RFC 7047 §3.2), as a value that decoders are compiled from and as types that rows have.
 * The values are generated (generated/vswitch.ts by scripts/generate-ovsdb-types.ts). Decoding is datum.ts.
 */
import { fail } from '../errors.ts';

declare const uuidBrand: unique symbol;

/** The UUID of a row, in lower-case canonical text. Made by {@link toUuid} and by decoding only. */
export type Uuid = string & { readonly [uuidBrand]: true };

/** Types of one atom (RFC 7047 §3.2 `<atomic-type>`). */
export type AtomType = 'integer' | 'real' | 'boolean' | 'string' | 'uuid';

export interface AtomSchema {
  readonly type: AtomType;
  /** An integer whose range reaches beyond ±2^53: decoded to bigint. Absent: to number. */
  readonly wide?: true;
  /** Of an integer: the least and the greatest value, where the schema has one. */
  readonly minInteger?: number;
  readonly maxInteger?: number;
  /** The only values there are. */
  readonly choices?: readonly string[];
  /** Of a uuid: the table whose rows it names. */
  readonly refTable?: string;
  /** Of a reference: does not keep the row alive. */
  readonly weak?: true;
}

/**
 * One column. Without `value` a scalar (min = max = 1), an optional value (min 0, max 1) or a set; with `value` a map.
 */
export interface ColumnSchema {
  readonly key: AtomSchema;
  readonly value?: AtomSchema;
  readonly min: 0 | 1;
  /** How many elements at most; `Infinity` for the schema's "unlimited". */
  readonly max: number;
  /** Can be given at insert only. */
  readonly immutable?: true;
}

export interface TableSchema<Row> {
  /** Rows stay without anything referring to them. */
  readonly isRoot: boolean;
  readonly columns: { readonly [C in Exclude<keyof Row & string, '_uuid'>]: ColumnSchema };
}

/** A database as the code knows it; `Tables` maps table names to the types of their decoded rows. */
export interface DatabaseSchema<Tables> {
  readonly name: string;
  readonly version: string;
  readonly tables: { readonly [T in keyof Tables & string]: TableSchema<Tables[T]> };
}

/** The names of the tables. */
export type TableName<Tables> = keyof Tables & string;
/** The names of a row's columns, `_uuid` left out. */
export type ColumnName<Row> = Exclude<keyof Row & string, '_uuid'>;

/** Which columns of which tables a replica holds; tables left out are not held. */
export type ColumnChoice<Tables> = {
  readonly [T in TableName<Tables>]?: readonly ColumnName<Tables[T]>[];
};

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether a text is a UUID in lower-case canonical form. */
export function isUuid(text: string): text is Uuid {
  return UUID.test(text);
}

/**
 * A text as a row's UUID.
 * @throws OVSDB_VALUE where it is none
 */
export function toUuid(text: string): Uuid {
  const lower = text.toLowerCase();
  if (!isUuid(lower)) throw fail('OVSDB_VALUE', { where: 'UUID', value: text, why: 'it is no UUID' });
  return lower;
}
