/**
 * A transaction as a value (RFC 7047 §4.1.3, §5.2): operations are encoded as they are added, nothing is sent here.
 * Sending and what becomes of it: client.ts and outcome.ts. Encoding of values: datum.ts.
 */
import { fail } from '../errors.ts';
import type { ColumnCodec, EncodeContext, Wire } from './datum.ts';
import { codecsOf, type TableCodec } from './codecs.ts';
import { Ref } from './ref.ts';
import { isUuid, toUuid, type ColumnName, type DatabaseSchema, type TableName, type Uuid } from './schema.ts';

/** What may be written where a row has a value of type V: a {@link Ref} where a UUID goes, a number for a bigint. */
export type Input<V> = V extends Uuid
  ? Uuid | Ref
  : V extends bigint
    ? bigint | number
    : V extends readonly (infer E)[]
      ? readonly Input<E>[]
      : V extends ReadonlyMap<infer K, infer W>
        ? ReadonlyMap<K, Input<W>>
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
    | readonly [column: C, mutator: '+=' | '-=' | '*=' | '/=' | '%=', value: bigint | number]
    | readonly [column: C, mutator: 'insert', value: Input<Row[C]>]
    | readonly [column: C, mutator: 'delete', value: Input<Row[C]> | MapKeys<Row[C]>];
}[ColumnName<Row>];

type MapKeys<V> = V extends ReadonlyMap<infer K, unknown> ? readonly K[] : never;

/** Which rows: one by its UUID (the fast way), one that was just inserted, or all that meet every condition. */
export type Target<Row> = Uuid | Ref | readonly Condition<Row>[];

/** One operation as it goes over the wire. */
export interface WireOperation {
  readonly op: string;
  readonly [member: string]: unknown;
}

/** Operations in the order in which they will be made, all of them or none. */
export class Transaction<Tables> {
  readonly #schema: DatabaseSchema<Tables>;
  readonly #codecs: ReadonlyMap<string, TableCodec>;
  readonly #operations: WireOperation[] = [];
  readonly #refs = new Map<string, Ref>();
  readonly #context: EncodeContext;
  #effects = 0;

  /** @param schema what the values are encoded by */
  constructor(schema: DatabaseSchema<Tables>) {
    this.#schema = schema;
    this.#codecs = codecsOf(schema);
    this.#context = { encodeRef: (ref, where) => this.#encodeRef(ref, where) };
  }

  /** The database that it is for. */
  get database(): string {
    return this.#schema.name;
  }

  /** Whether there is nothing to send: no operation but comments. */
  get isEmpty(): boolean {
    return this.#effects === 0;
  }

  /** The operations as they go over the wire, in order. */
  get operations(): readonly WireOperation[] {
    return this.#operations;
  }

  /** The rows that it inserts, in order. */
  get refs(): Iterable<Ref> {
    return this.#refs.values();
  }

  /**
   * Adds a new row. Rows of tables that are not root vanish at commit unless something refers to them.
   * @param options.uuid the UUID to give the row, so that a repeated insert fails instead of doubling it
   * @returns what names the row in this transaction, and finds its UUID in the outcome
   * @throws OVSDB_VALUE, OVSDB_UNKNOWN_COLUMN, OVSDB_UNKNOWN_REF
   */
  insert<T extends TableName<Tables>>(
    table: T,
    row: RowInput<Tables[T]>,
    options: { readonly uuid?: Uuid } = {},
  ): Ref {
    const ref = new Ref(table, `row${String(this.#operations.length)}`, this.#operations.length);
    const encoded = this.#encodeRow(table, row);
    this.#refs.set(ref.name, ref);
    const operation = { op: 'insert', table, row: encoded, 'uuid-name': ref.name };
    this.#add(options.uuid === undefined ? operation : { ...operation, uuid: toUuid(options.uuid) });
    return ref;
  }

  /**
   * Sets columns of rows.
   * @returns the operation's index in the outcome's results
   */
  update<T extends TableName<Tables>>(table: T, target: Target<Tables[T]>, row: RowInput<Tables[T]>): number {
    return this.#add({
      op: 'update',
      table,
      where: this.#encodeTarget(table, target),
      row: this.#encodeRow(table, row),
    });
  }

  /**
   * Changes columns depending on what they hold: the cheap way to add to a large set.
   * @returns the operation's index in the outcome's results
   */
  mutate<T extends TableName<Tables>>(
    table: T,
    target: Target<Tables[T]>,
    mutations: readonly Mutation<Tables[T]>[],
  ): number {
    const encoded = mutations.map(([column, mutator, value]) => [
      column,
      mutator,
      this.#column(table, column).encodeMutation(mutator, value, this.#context),
    ]);
    return this.#add({ op: 'mutate', table, where: this.#encodeTarget(table, target), mutations: encoded });
  }

  /**
   * Removes rows.
   * @returns the operation's index in the outcome's results
   */
  delete<T extends TableName<Tables>>(table: T, target: Target<Tables[T]>): number {
    return this.#add({ op: 'delete', table, where: this.#encodeTarget(table, target) });
  }

  /**
   * Goes on only when the rows found have (`==`) or have not (`!=`) these values; else the outcome is `try-again`.
   * @param options.timeoutMs how long the server may wait for it; 0: not at all
   * @returns the operation's index in the outcome's results
   */
  wait<T extends TableName<Tables>, C extends ColumnName<Tables[T]>>(
    table: T,
    target: Target<Tables[T]>,
    until: '==' | '!=',
    columns: readonly C[],
    rows: readonly Pick<RowInput<Tables[T]>, C>[],
    options: { readonly timeoutMs: number },
  ): number {
    return this.#add({
      op: 'wait',
      table,
      where: this.#encodeTarget(table, target),
      columns: columns.map((column) => this.#column(table, column).name),
      until,
      rows: rows.map((row) => this.#encodeRow(table, row)),
      timeout: options.timeoutMs,
    });
  }

  /**
   * Reads columns as they are at this point of the transaction.
   * @returns the operation's index in the outcome's results
   */
  select<T extends TableName<Tables>>(
    table: T,
    target: Target<Tables[T]>,
    columns: readonly (ColumnName<Tables[T]> | '_uuid')[],
  ): number {
    const names = columns.map((column) =>
      column === '_uuid' ? column : this.#column(table, column as ColumnName<Tables[T]>).name,
    );
    return this.#add({ op: 'select', table, where: this.#encodeTarget(table, target), columns: names });
  }

  /** Leaves a note in the database's log (`ovsdb-tool show-log`). Alone it is nothing to send. */
  comment(text: string): void {
    this.#operations.push({ op: 'comment', comment: text });
  }

  /** Makes the server undo all of it: the outcome is `aborted`. */
  abort(): void {
    this.#add({ op: 'abort' });
  }

  /** Goes on only if this client holds the lock; else the outcome is `not-locked`. */
  assert(lock: string): void {
    this.#add({ op: 'assert', lock });
  }

  #add(operation: WireOperation): number {
    this.#effects += 1;
    return this.#operations.push(operation) - 1;
  }

  #column(table: string, column: string): ColumnCodec {
    const codec = this.#codecs.get(table)?.columns.get(column);
    if (!codec) throw fail('OVSDB_UNKNOWN_COLUMN', { table, column });
    return codec;
  }

  #encodeRow(table: string, row: Readonly<Record<string, unknown>>): Record<string, Wire> {
    const encoded: Record<string, Wire> = {};
    for (const column in row)
      encoded[column] = this.#column(table, column).encode(row[column], this.#context);
    return encoded;
  }

  #encodeTarget(table: string, target: string | Ref | readonly (readonly [string, string, unknown])[]): Wire {
    if (target instanceof Ref) return [['_uuid', '==', this.#encodeRef(target, table)]];
    if (typeof target === 'string') {
      if (!isUuid(target))
        throw fail('OVSDB_VALUE', { where: `${table}._uuid`, value: target, why: 'it is no UUID' });
      return [['_uuid', '==', ['uuid', target]]];
    }
    return target.map(([column, operator, value]) => [
      column,
      operator,
      this.#column(table, column).encode(value, this.#context),
    ]);
  }

  /** The server makes a fresh UUID of a name that it does not know, silently; so the check is here. */
  #encodeRef(ref: Ref, where: string): Wire {
    if (this.#refs.get(ref.name) !== ref) throw fail('OVSDB_UNKNOWN_REF', { where, ref: ref.name });
    return ['named-uuid', ref.name];
  }
}
