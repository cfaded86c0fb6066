/**
 * What a database looks like (RFC 7047 §3.2), as a value that decoders are compiled from and as types that rows have.
 * The values are generated (generated/*.ts by scripts/generate-ovsdb-types.ts) or read from a schema file at run time
 * (schemafile.ts). Decoding is datum.ts.
 */
import { fail } from '../../errors.ts';

declare const uuidBrand: unique symbol;

/**
 * The UUID of a row, in lower-case canonical text. Made by {@link toUuid} and by decoding only. `Uuid<'Port'>` names a row
 * of the table Port and goes where that or a plain `Uuid` is wanted, a plain one goes anywhere, and `Uuid<'Bridge'>` does
 * not go where a `Uuid<'Port'>` is wanted.
 */
export type Uuid<Table extends string = string> = string & { readonly [uuidBrand]: TableBrand<Table> };

/** A method's parameter, unlike a property, fits wider and narrower types: that makes the plain `Uuid` fit anywhere. */
export interface TableBrand<Table extends string> {
  of(table: Table): void;
}

/** Types of one atom (RFC 7047 §3.2 `<atomic-type>`). */
export type AtomType = 'integer' | 'real' | 'boolean' | 'string' | 'uuid';

/** One atom: its type, and what the schema allows of it (RFC 7047 §3.2 `<base-type>`). */
export interface AtomSchema {
  readonly type: AtomType;
  /** An integer whose range reaches beyond ±2^53: decoded to bigint. Absent: to number. */
  readonly wide?: true;
  /** Of an integer: the least and the greatest value, where the schema has one. */
  readonly minInteger?: number | bigint;
  readonly maxInteger?: number | bigint;
  /** Of a real, likewise. */
  readonly minReal?: number;
  readonly maxReal?: number;
  /** Of a string: the least and the greatest length, in characters (Unicode code points). */
  readonly minLength?: number;
  readonly maxLength?: number;
  /** The only values there are, decoded. */
  readonly choices?: readonly (string | number | bigint | boolean)[];
  /** Of a uuid: the table whose rows it names. */
  readonly refTable?: string;
  /** Of a reference: does not keep the row alive. */
  readonly weak?: true;
}

/**
 * One column (RFC 7047 §3.2 `<column-schema>`). Without `value` a scalar (min = max = 1), an optional value (min 0, max 1) or a set; with `value` a map.
 */
export interface ColumnSchema {
  readonly key: AtomSchema;
  readonly value?: AtomSchema;
  readonly min: 0 | 1;
  /** How many elements at most; `Infinity` for the schema's "unlimited". */
  readonly max: number;
  /** Can be given at insert only. */
  readonly immutable?: true;
  /** Not kept over a restart of the server. */
  readonly ephemeral?: true;
}

/** One table (RFC 7047 §3.2 `<table-schema>`). */
export interface TableSchema<Row> {
  /** Rows stay without anything referring to them. */
  readonly isRoot: boolean;
  /** How many rows there can be. Absent: any number. */
  readonly maxRows?: number;
  /** Sets of columns, of which no two rows have the same values in all. */
  readonly indexes: readonly (readonly string[])[];
  readonly columns: { readonly [C in Exclude<keyof Row & string, '_uuid'>]: ColumnSchema };
}

/** A database as the code knows it; `Tables` maps table names to the types of their decoded rows. */
export interface DatabaseSchema<Tables> {
  readonly name: string;
  readonly version: string;
  readonly tables: { readonly [T in keyof Tables & string]: TableSchema<Tables[T]> };
}

/** A row of which the code knows no columns. */
export type GenericRow = Readonly<Record<string, unknown>> & { readonly _uuid: Uuid };
/** The tables of a schema that is known at run time only (schemafile.ts). */
export type GenericTables = Readonly<Record<string, GenericRow>>;

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
