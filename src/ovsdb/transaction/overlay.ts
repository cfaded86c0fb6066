/**
 * A snapshot with a transaction's own writes over it: its operations are replayed, as they go over the wire, on decoded
 * rows. Nothing is done before somebody asks, and each operation is replayed once. What a commit adds to it (rows that
 * nothing refers to go): aftercommit.ts.
 */
import { fail } from '../../errors.ts';
import type { TableCodec } from '../replica/codecs.ts';
import type { ColumnCodec } from '../schema/datum.ts';
import { meets } from './matching.ts';
import { mutate, type KnownColumn } from './mutation.ts';
import type { WireOperation } from './operation.ts';
import type { DecodedRow } from '../replica/row.ts';
import type { AtomSchema, ColumnSchema, DatabaseSchema, TableName, Uuid } from '../schema/schema.ts';
import type { Snapshot } from '../replica/snapshot.ts';

/** Rows by table and UUID; `undefined`: removed. */
export type RowChanges = Map<string, Map<Uuid, DecodedRow | undefined>>;

export class Overlay<Tables> {
  readonly #schema: DatabaseSchema<Tables>;
  readonly #codecs: ReadonlyMap<string, TableCodec>;
  #snapshot: Snapshot<Tables>;
  #applied = 0;
  /** What the operations that are being replayed have changed so far. */
  #changes: RowChanges = new Map();
  /** Columns that were needed, by table and name. */
  readonly #columns = new Map<string, Map<string, KnownColumn>>();
  /** Rows of initial values, by table. */
  readonly #templates = new Map<string, Readonly<Record<string, unknown>>>();
  readonly #touched = new Map<string, Set<Uuid>>();
  #uuids: ReadonlyMap<string, Uuid> = new Map();

  constructor(
    schema: DatabaseSchema<Tables>,
    codecs: ReadonlyMap<string, TableCodec>,
    over: Snapshot<Tables>,
  ) {
    this.#schema = schema;
    this.#codecs = codecs;
    this.#snapshot = over;
  }

  /** Which rows were inserted, changed or removed, by table. */
  get touched(): ReadonlyMap<string, ReadonlySet<Uuid>> {
    return this.#touched;
  }

  /**
   * The snapshot after these operations, of which those before were given last time.
   * @param uuids under which UUID each inserted row is, by its name in the transaction
   * @throws OVSDB_COLUMN_NOT_HELD where a condition or a mutation needs a column that the snapshot has not; OVSDB_VALUE
   *   where a mutation's result is none that the column can have
   */
  after(operations: readonly WireOperation[], uuids: ReadonlyMap<string, Uuid>): Snapshot<Tables> {
    if (this.#applied === operations.length) return this.#snapshot;
    this.#uuids = uuids;
    try {
      for (const operation of operations.slice(this.#applied)) {
        this.#apply(operation);
        this.#applied += 1;
      }
    } finally {
      // Also where one cannot be replayed: what was before it is not replayed again.
      this.#snapshot = this.#snapshot.with(this.#changes);
      this.#changes = new Map();
    }
    return this.#snapshot;
  }

  #apply(operation: WireOperation): void {
    const table = String(operation['table']);
    switch (operation.op) {
      case 'insert':
        this.#insert(table, operation);
        break;
      case 'update': {
        const values = this.#decodeRow(table, operation['row']);
        this.#change(table, operation['where'], () => values);
        break;
      }
      case 'mutate':
        this.#change(table, operation['where'], (row) => this.#mutated(table, row, operation['mutations']));
        break;
      case 'delete':
        for (const row of this.#matching(table, operation['where'])) this.#set(table, uuidOf(row), undefined);
        break;
    }
  }

  #insert(table: string, operation: WireOperation): void {
    const uuid = operation['uuid'] ?? this.#uuids.get(String(operation['uuid-name']));
    const template = this.#templates.get(table) ?? templateOf(this.#codecs.get(table));
    this.#templates.set(table, template);
    const row = { ...template };
    row['_uuid'] = uuid;
    const values = this.#decodeRow(table, operation['row']);
    for (const name in values) row[name] = values[name];
    this.#set(table, uuid as Uuid, Object.freeze(row));
  }

  #change(
    table: string,
    where: unknown,
    valuesFor: (row: DecodedRow) => Readonly<Record<string, unknown>>,
  ): void {
    for (const row of [...this.#matching(table, where)]) {
      const values = valuesFor(row);
      const isChanged = Object.entries(values).some(
        ([name, value]) =>
          !Object.hasOwn(row, name) || !this.#column(table, name).codec.equal(row[name], value),
      );
      // The same object where nothing changes, as in the replica.
      if (!isChanged) continue;
      const after = { ...row, ...values };
      // What rows inherit says which columns are not held.
      Object.setPrototypeOf(after, Object.getPrototypeOf(row) as object | null);
      this.#set(table, uuidOf(row), Object.freeze(after));
    }
  }

  #mutated(table: string, row: DecodedRow, mutations: unknown): Readonly<Record<string, unknown>> {
    const values: Record<string, unknown> = {};
    for (const [name, mutator, wire] of mutations as readonly [string, string, unknown][]) {
      const column = this.#column(table, name);
      const before = name in values ? values[name] : row[name];
      values[name] = mutate(column, before, mutator, this.#resolve(column.schema, wire));
    }
    return values;
  }

  #decodeRow(table: string, wire: unknown): Readonly<Record<string, unknown>> {
    const values: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(wire as Readonly<Record<string, unknown>>)) {
      const { schema, codec } = this.#column(table, name);
      values[name] = codec.decode(this.#resolve(schema, value));
    }
    return values;
  }

  /** The rows that meet every condition. */
  *#matching(table: string, where: unknown): Generator<DecodedRow> {
    const conditions = where as readonly (readonly [string, string, unknown])[];
    const [first] = conditions;
    if (first?.[0] === '_uuid') {
      const [, uuid] = toNamedRow(first[2], this.#uuids) as readonly [string, Uuid];
      const row = this.#row(table, uuid);
      if (row) yield row;
      return;
    }
    const tests = conditions.map(([name, operator, wire]) => {
      const column = this.#column(table, name);
      const value = column.codec.decode(this.#resolve(column.schema, wire));
      return (row: DecodedRow) => meets(column, row[name], operator, value);
    });
    for (const row of this.#rows(table)) if (tests.every((test) => test(row))) yield row;
  }

  *#rows(table: string): Generator<DecodedRow> {
    const changes = this.#changes.get(table);
    for (const [uuid, row] of tableOf(this.#snapshot, table)) if (!changes?.has(uuid)) yield row;
    for (const row of changes?.values() ?? []) if (row) yield row;
  }

  #row(table: string, uuid: Uuid): DecodedRow | undefined {
    const changes = this.#changes.get(table);
    return changes?.has(uuid) ? changes.get(uuid) : tableOf(this.#snapshot, table).get(uuid);
  }

  #set(table: string, uuid: Uuid, row: DecodedRow | undefined): void {
    const changes = this.#changes.get(table) ?? new Map<Uuid, DecodedRow | undefined>();
    this.#changes.set(table, changes.set(uuid, row));
    const touched = this.#touched.get(table) ?? new Set();
    this.#touched.set(table, touched.add(uuid));
  }

  #column(table: string, name: string): KnownColumn {
    const known = this.#columns.get(table) ?? new Map<string, KnownColumn>();
    const column = known.get(name) ?? this.#compiled(table, name);
    this.#columns.set(table, known.set(name, column));
    return column;
  }

  #compiled(table: string, name: string): KnownColumn {
    const tables: Readonly<Record<string, { readonly columns: Readonly<Record<string, ColumnSchema>> }>> =
      this.#schema.tables;
    const schema = tables[table]?.columns[name];
    const codec = this.#codecs.get(table)?.columns.get(name);
    if (!schema || !codec) throw fail('OVSDB_UNKNOWN_COLUMN', { table, column: name });
    return { where: `${table}.${name}`, schema, codec };
  }

  /** A value, or its members or keys, with UUIDs for names. By type: a set of two texts looks like a name. */
  #resolve({ key, value }: ColumnSchema, wire: unknown): unknown {
    if (key.type !== 'uuid' && value?.type !== 'uuid') return wire;
    const atom = ({ type }: AtomSchema, given: unknown) =>
      type === 'uuid' ? toNamedRow(given, this.#uuids) : given;
    const [form, members] = wire as readonly [unknown, unknown];
    if (form === 'map' && value)
      return [form, (members as Pairs).map(([name, member]) => [atom(key, name), atom(value, member)])];
    if (form === 'set') return [form, (members as readonly unknown[]).map((member) => atom(key, member))];
    return atom(key, wire);
  }
}

/** A row of initial values. */
function templateOf(table: TableCodec | undefined): Readonly<Record<string, unknown>> {
  const columns = table?.columns ?? new Map<string, ColumnCodec>();
  // JSON.parse makes an object that V8 clones faster than one that was given as many members by name (see row.ts).
  const empty = Object.fromEntries(['_uuid', ...columns.keys()].map((name) => [name, '']));
  const template = JSON.parse(JSON.stringify(empty)) as Record<string, unknown>;
  for (const [name, column] of columns) template[name] = column.initial;
  return template;
}

/** The rows of a table by its name; none where it is not held. */
export function tableOf<Tables>(snapshot: Snapshot<Tables>, table: string): ReadonlyMap<Uuid, DecodedRow> {
  if (!snapshot.holds(table)) return NO_ROWS;
  return snapshot.table(table as TableName<Tables>) as ReadonlyMap<Uuid, DecodedRow>;
}

const NO_ROWS: ReadonlyMap<Uuid, DecodedRow> = new Map();

function uuidOf(row: DecodedRow): Uuid {
  return row['_uuid'] as Uuid;
}

type Pairs = readonly (readonly [unknown, unknown])[];

/** A UUID on the wire, that of the row for a name. */
function toNamedRow(wire: unknown, uuids: ReadonlyMap<string, Uuid>): unknown {
  const [form, name] = wire as readonly [string, string];
  return form === 'named-uuid' ? ['uuid', uuids.get(name)] : wire;
}
