/** What a transaction's operations are made of: their arguments by type of the row, and their form on the wire. */
import type { Ref } from '../schema/ref.ts';
import type { ColumnName, Uuid } from '../schema/schema.ts';

/** What may be written where a row has a value of type V: a {@link Ref} where a UUID goes, a number for a bigint. */
export type Input<V> =
  V extends Uuid<infer Table>
    ? V | Ref<Table>
    : V extends bigint
      ? bigint | number
      : V extends readonly (infer E)[]
        ? readonly Input<E>[]
        : V extends ReadonlyMap<infer K, infer W>
          ? ReadonlyMap<Input<K>, Input<W>>
          : V;

/** Columns to write; those left out keep what they have (at insert: their default). */
export type RowInput<Row> = { readonly [C in ColumnName<Row>]?: Input<Row[C]> };

/** A comparison of a column (RFC 7047 §5.1 `<condition>`). */
export type Condition<Row> = {
  [C in ColumnName<Row>]: readonly [
    column: C,
    operator: '==' | '!=' | '<' | '<=' | '>' | '>=' | 'includes' | 'excludes',
    value: Input<Row[C]>,
  ];
}[ColumnName<Row>];

/** A change that depends on what is there (RFC 7047 §5.1 `<mutation>`). Map `insert` keeps an existing key's value. */
export type Mutation<Row> = {
  [C in ColumnName<Row>]:
    | Arithmetic<C, Row[C]>
    | readonly [column: C, mutator: 'insert', value: Input<Row[C]>]
    | readonly [column: C, mutator: 'delete', value: Input<Row[C]> | MapKeys<Row[C]>];
}[ColumnName<Row>];

/** Numbers, alone or each of a set; a column whose type is not known may have them. */
type Arithmetic<C, V> = unknown extends V
  ? ArithmeticOf<C>
  : NonNullable<V> extends number | bigint | readonly (number | bigint)[]
    ? ArithmeticOf<C>
    : never;
type ArithmeticOf<C> = readonly [
  column: C,
  mutator: '+=' | '-=' | '*=' | '/=' | '%=',
  value: bigint | number,
];

type MapKeys<V> = V extends ReadonlyMap<infer K, unknown> ? readonly Input<K>[] : never;

/** The names of the columns that hold maps. */
export type MapColumnName<Row> = {
  [C in ColumnName<Row>]: unknown extends Row[C]
    ? C
    : Row[C] extends ReadonlyMap<unknown, unknown>
      ? C
      : never;
}[ColumnName<Row>];

/** Which rows: one by its UUID (the fast way), one that was just inserted, or all that meet every condition. */
export type Target<Row> = RowName<Row> | readonly Condition<Row>[];
type RowName<Row> = Row extends { readonly _uuid: Uuid<infer Table> } ? Uuid<Table> | Ref<Table> : never;

/** One operation as it goes over the wire. */
export interface WireOperation {
  readonly op: string;
  readonly [member: string]: unknown;
}
