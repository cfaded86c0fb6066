/**
 * A transaction as a value (RFC 7047 §4.1.3, §5.2): operations are encoded as they are added, nothing is sent here.
 * Sending and what becomes of it: client.ts and outcome.ts. Its own writes over a snapshot: overlay.ts. Encoding of
 * values: datum.ts.
 */
import { randomUUID } from 'node:crypto';
import { fail } from '../../errors.ts';
import { afterCommit } from './aftercommit.ts';
import { codecsOf, type TableCodec } from '../replica/codecs.ts';
import { Encoder } from './encoder.ts';
import type { MapColumnName, Mutation, RowInput, Target, WireOperation } from './operation.ts';
import { Overlay } from './overlay.ts';
import { Ref } from '../schema/ref.ts';
import { toUuid, type ColumnName, type DatabaseSchema, type TableName, type Uuid } from '../schema/schema.ts';
import type { Snapshot } from '../replica/snapshot.ts';

export type { Condition, Input, Mutation, RowInput, Target, WireOperation } from './operation.ts';

/** Operations in the order in which they will be made, all of them or none. */
export class Transaction<Tables> {
  readonly #schema: DatabaseSchema<Tables>;
  readonly #codecs: ReadonlyMap<string, TableCodec>;
  readonly #operations: WireOperation[] = [];
  readonly #encoder: Encoder;
  readonly #over: Snapshot<Tables> | undefined;
  /** The UUIDs of inserted rows in the snapshots, by name; chosen when somebody asks. */
  readonly #uuids = new Map<string, Uuid>();
  #overlay: Overlay<Tables> | undefined;
  #effects = 0;

  /**
   * @param schema what the values are encoded by
   * @param options.over what it is planned over: makes {@link snapshot}, {@link preview} and {@link expect} possible, and
   *   costs nothing until they are called
   * @throws OVSDB_SCHEMA_INVALID where the schema is the JSON of a file, not what parseSchema made of it
   */
  constructor(schema: DatabaseSchema<Tables>, options: { readonly over?: Snapshot<Tables> } = {}) {
    this.#schema = schema;
    this.#codecs = codecsOf(schema);
    this.#over = options.over;
    this.#encoder = new Encoder(this.#codecs);
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
    return this.#encoder.refs.values();
  }

  /** What its values are encoded by. */
  get schema(): DatabaseSchema<Tables> {
    return this.#schema;
  }

  /** What it is planned over, where that was given. */
  get over(): Snapshot<Tables> | undefined {
    return this.#over;
  }

  /**
   * The snapshot below with everything that was added to the transaction so far: what a `select` would find at this point.
   * Inserted rows have every column, and the UUID that {@link uuidOf} tells, which may be used in further operations.
   * @throws OVSDB_NO_SNAPSHOT; OVSDB_COLUMN_NOT_HELD where a condition or a mutation needs a column that the snapshot below
   *   does not have; OVSDB_VALUE where a mutation's result is none that the column can have
   */
  snapshot(): Snapshot<Tables> {
    const overlay = this.#preparedOverlay('snapshot()');
    return overlay.after(this.#operations, this.#uuids);
  }

  /**
   * What the replica will show when it has succeeded and nobody else wrote: {@link snapshot} without the rows that nothing
   * refers to, and without weak references to rows that went (RFC 7047 §3.2). Exact where the columns that refer to the
   * rows in question are held, without conditions; where one is not, rows are kept. Rows that were inserted have their
   * UUID of the preview, unless they were given one; reals have all their digits, of which the server shows 15; and
   * ovsdb-server 3.1 may leave a weak reference that should go, in a row that the transaction changes otherwise.
   * @throws as {@link snapshot}
   */
  preview(): Snapshot<Tables> {
    const overlay = this.#preparedOverlay('preview()');
    const after = overlay.after(this.#operations, this.#uuids);
    return afterCommit(this.#schema, this.#codecs, this.#below('preview()'), after, overlay.touched);
  }

  /** Under which UUID {@link snapshot} and {@link preview} show an inserted row: its own, else one chosen for the purpose. */
  uuidOf<T extends string>(ref: Ref<T>): Uuid<T> {
    this.#encoder.encodeRef(ref, ref.table);
    const known = this.#uuids.get(ref.name);
    if (known !== undefined) return known;
    const uuid = ref.uuid ?? toUuid(randomUUID());
    this.#uuids.set(ref.name, uuid);
    if (ref.uuid === undefined) this.#encoder.addProvisional(uuid, ref);
    return uuid;
  }

  /**
   * Adds a new row (RFC 7047 §5.2.1). Rows of tables that are not root vanish at commit unless something refers to them.
   * @param options.uuid the UUID to give the row, so that a repeated insert fails instead of doubling it
   * @returns what names the row in this transaction, and finds its UUID in the outcome
   * @throws OVSDB_VALUE, OVSDB_UNKNOWN_COLUMN, OVSDB_UNKNOWN_REF
   */
  insert<T extends TableName<Tables>>(
    table: T,
    row: RowInput<Tables[T]>,
    options: { readonly uuid?: Uuid<T> } = {},
  ): Ref<T> {
    const index = this.#operations.length;
    const uuid = options.uuid === undefined ? undefined : (toUuid(options.uuid) as Uuid<T>);
    const ref = new Ref(table, `row${String(index)}`, index, uuid);
    const encoded = this.#encoder.row(table, row);
    this.#encoder.add(ref);
    const operation = { op: 'insert', table, row: encoded, 'uuid-name': ref.name };
    this.#add(uuid === undefined ? operation : { ...operation, uuid });
    if (this.#overlay) this.uuidOf(ref);
    return ref;
  }

  /**
   * Sets columns of rows (RFC 7047 §5.2.3). A target that finds no row is no error: see the count in the result.
   * @returns the operation's index in the outcome's results
   * @throws OVSDB_UNKNOWN_COLUMN, OVSDB_VALUE, OVSDB_UNKNOWN_REF
   */
  update<T extends TableName<Tables>>(table: T, target: Target<Tables[T]>, row: RowInput<Tables[T]>): number {
    return this.#add({
      op: 'update',
      table,
      where: this.#encoder.target(table, target),
      row: this.#encoder.row(table, row),
    });
  }

  /**
   * Changes columns depending on what they hold (RFC 7047 §5.2.4): the cheap way to add to a large set.
   * @returns the operation's index in the outcome's results
   * @throws OVSDB_UNKNOWN_COLUMN, OVSDB_VALUE, OVSDB_UNKNOWN_REF
   */
  mutate<T extends TableName<Tables>>(
    table: T,
    target: Target<Tables[T]>,
    mutations: readonly Mutation<Tables[T]>[],
  ): number {
    const encoded = mutations.map(([column, mutator, value]) =>
      this.#encoder.mutation(table, column, mutator, value),
    );
    return this.#add({ op: 'mutate', table, where: this.#encoder.target(table, target), mutations: encoded });
  }

  /**
   * Gives keys of a map column these values, and leaves its other keys as they are: a mutation that deletes the keys, and
   * inserts them, since `insert` alone keeps the value of a key that is there (RFC 7047 §5.1).
   * @returns the operation's index in the outcome's results
   * @throws OVSDB_UNKNOWN_COLUMN, OVSDB_VALUE, OVSDB_UNKNOWN_REF
   */
  setKeys<T extends TableName<Tables>, C extends MapColumnName<Tables[T]>>(
    table: T,
    target: Target<Tables[T]>,
    column: C,
    entries: RowInput<Tables[T]>[C] & ReadonlyMap<unknown, unknown>,
  ): number {
    const mutations = [
      this.#encoder.mutation(table, column, 'delete', [...entries.keys()]),
      this.#encoder.mutation(table, column, 'insert', entries),
    ];
    return this.#add({ op: 'mutate', table, where: this.#encoder.target(table, target), mutations });
  }

  /**
   * Removes rows (RFC 7047 §5.2.5). What still refers to them strongly makes the commit fail.
   * @returns the operation's index in the outcome's results
   * @throws OVSDB_UNKNOWN_COLUMN, OVSDB_VALUE, OVSDB_UNKNOWN_REF
   */
  delete<T extends TableName<Tables>>(table: T, target: Target<Tables[T]>): number {
    return this.#add({ op: 'delete', table, where: this.#encoder.target(table, target) });
  }

  /**
   * Goes on only when the rows found have (`==`) or have not (`!=`) these values (RFC 7047 §5.2.6); else the outcome is
   * `try-again`.
   * @param options.timeoutMs how long the server may wait for it; 0: not at all
   * @returns the operation's index in the outcome's results
   * @throws OVSDB_UNKNOWN_COLUMN, OVSDB_VALUE, OVSDB_UNKNOWN_REF
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
      where: this.#encoder.target(table, target),
      columns: columns.map((column) => this.#encoder.column(table, column).name),
      until,
      rows: rows.map((row) => this.#encoder.row(table, row)),
      timeout: options.timeoutMs,
    });
  }

  /**
   * Goes on only when a row still has the values that it has in the snapshot below; else the outcome is `try-again`, and
   * nothing is written. That makes an optimistic update: read, expect, write. To be called before what writes to the row.
   * @param columns what the new values depend on; none: only that the row is there
   * @returns the operation's index in the outcome's results
   * @throws OVSDB_NO_SNAPSHOT, OVSDB_COLUMN_NOT_HELD; OVSDB_NOT_EXPECTABLE where the snapshot has no such row, and for
   *   reals: the server prints them with 15 digits, so that a comparison with what was read can fail for ever
   */
  expect<T extends TableName<Tables>>(
    table: T,
    uuid: Uuid,
    columns: readonly ColumnName<Tables[T]>[],
  ): number {
    const row = this.#below('expect()').row(table, uuid) as Readonly<Record<string, unknown>> | undefined;
    if (!row)
      throw fail('OVSDB_NOT_EXPECTABLE', { where: `row ${uuid} of ${table}`, why: 'the snapshot has none' });
    const values: Record<string, unknown> = {};
    for (const column of columns) {
      const { key, value } = this.#schema.tables[table].columns[column];
      if (key.type === 'real' || value?.type === 'real')
        throw fail('OVSDB_NOT_EXPECTABLE', {
          where: `"${table}.${column}"`,
          why: 'reals are read with 15 digits, so that comparing them can fail for ever',
        });
      values[column] = row[column];
    }
    const where = [['_uuid', '==', ['uuid', uuid]]];
    const rows = [this.#encoder.row(table, values)];
    return this.#add({ op: 'wait', table, where, columns, until: '==', rows, timeout: 0 });
  }

  /**
   * Reads columns as they are at this point of the transaction (RFC 7047 §5.2.2).
   * @returns the operation's index in the outcome's results
   * @throws OVSDB_UNKNOWN_COLUMN, OVSDB_VALUE, OVSDB_UNKNOWN_REF
   */
  select<T extends TableName<Tables>>(
    table: T,
    target: Target<Tables[T]>,
    columns: readonly (ColumnName<Tables[T]> | '_uuid')[],
  ): number {
    const names = columns.map((column) =>
      column === '_uuid' ? column : this.#encoder.column(table, column as ColumnName<Tables[T]>).name,
    );
    return this.#add({ op: 'select', table, where: this.#encoder.target(table, target), columns: names });
  }

  /** Leaves a note in the database's log (`ovsdb-tool show-log`; RFC 7047 §5.2.9). Alone it is nothing to send. */
  comment(text: string): void {
    this.#operations.push({ op: 'comment', comment: text });
  }

  /** Makes the server undo all of it (RFC 7047 §5.2.8): the outcome is `aborted`. */
  abort(): void {
    this.#add({ op: 'abort' });
  }

  /**
   * Goes on only if this client holds the lock (RFC 7047 §5.2.10); else the outcome is `not-locked`. For a lock of the
   * client's own, `transact(transaction, { lock })` does it.
   */
  assert(lock: string): void {
    this.#add({ op: 'assert', lock });
  }

  #below(what: string): Snapshot<Tables> {
    if (!this.#over) throw fail('OVSDB_NO_SNAPSHOT', { what });
    return this.#over;
  }

  /** The overlay; from when it is there, each inserted row has a UUID to be shown under. */
  #preparedOverlay(what: string): Overlay<Tables> {
    if (!this.#overlay) {
      this.#overlay = new Overlay(this.#schema, this.#codecs, this.#below(what));
      for (const ref of this.#encoder.refs.values()) this.uuidOf(ref);
    }
    return this.#overlay;
  }

  #add(operation: WireOperation): number {
    this.#effects += 1;
    return this.#operations.push(operation) - 1;
  }
}
