/**
 * What a commit does beyond the operations (RFC 7047 §3.2 `refType`, `isRoot`): rows of tables that are not root go when
 * nothing refers to them strongly any more, and weak references to rows that went or never were go too. Done for what a
 * transaction touched, over a snapshot that was so consistent before.
 */
import { toMembers, toValue, type KnownColumn } from './mutation.ts';
import { tableOf, type RowChanges } from './overlay.ts';
import type { TableCodec } from '../replica/codecs.ts';
import type { DecodedRow } from '../replica/row.ts';
import type { AtomSchema, ColumnSchema, DatabaseSchema, Uuid } from '../schema/schema.ts';
import type { Snapshot } from '../replica/snapshot.ts';

/** A column whose keys or values refer to rows. */
export interface ReferenceColumn {
  readonly table: string;
  readonly column: string;
  readonly schema: ColumnSchema;
}

/** The columns that refer to rows, strongly or weakly, by the table that they refer to. */
export function referencesTo<Tables>(
  schema: DatabaseSchema<Tables>,
  kind: 'strong' | 'weak',
): ReadonlyMap<string, readonly ReferenceColumn[]> {
  const references = new Map<string, ReferenceColumn[]>();
  for (const [table, { columns }] of Object.entries(tablesOf(schema)))
    for (const [column, type] of Object.entries(columns)) {
      const targets = new Set(
        [type.key, type.value].flatMap((atom) =>
          atom?.refTable !== undefined && (atom.weak === true) === (kind === 'weak') ? [atom.refTable] : [],
        ),
      );
      for (const target of targets) {
        const known = references.get(target) ?? [];
        references.set(target, known);
        known.push({ table, column, schema: type });
      }
    }
  return references;
}

/** The rows of one table that a value refers to, each as often as it does. */
export function referencedBy(schema: ColumnSchema, target: string, value: unknown): readonly Uuid[] {
  const keys = schema.key.refTable === target ? toMembers(schema, value) : [];
  const values =
    schema.value?.refTable === target ? [...(value as ReadonlyMap<unknown, unknown>).values()] : [];
  return [...keys, ...values] as readonly Uuid[];
}

/**
 * The snapshot as it is after the commit.
 * @param before what the transaction began with
 * @param after with its operations
 * @param touched the rows that it inserted, changed or removed
 */
export function afterCommit<Tables>(
  schema: DatabaseSchema<Tables>,
  codecs: ReadonlyMap<string, TableCodec>,
  before: Snapshot<Tables>,
  after: Snapshot<Tables>,
  touched: ReadonlyMap<string, ReadonlySet<Uuid>>,
): Snapshot<Tables> {
  const collected = collect(schema, before, after, touched);
  const gone = new Map<string, Set<Uuid>>();
  const note = (table: string, uuid: Uuid) => gone.set(table, (gone.get(table) ?? new Set()).add(uuid));
  for (const [table, rows] of collected) for (const uuid of rows.keys()) note(table, uuid);
  for (const [table, uuids] of touched)
    for (const uuid of uuids) if (!tableOf(after, table).has(uuid)) note(table, uuid);
  const left = gone.size === 0 ? after : after.with(collected);
  const whole = gone.size === 0 ? left : left.with(withoutWeak(schema, codecs, left, gone));
  const changes = withoutDangling(schema, codecs, before, whole, touched);
  return changes.size === 0 ? whole : whole.with(changes);
}

interface AnyTable {
  readonly isRoot: boolean;
  readonly columns: Readonly<Record<string, ColumnSchema>>;
}

function tablesOf<Tables>(schema: DatabaseSchema<Tables>): Readonly<Record<string, AnyTable>> {
  return schema.tables;
}

/** The rows that nothing keeps. */
function collect<Tables>(
  schema: DatabaseSchema<Tables>,
  before: Snapshot<Tables>,
  after: Snapshot<Tables>,
  touched: ReadonlyMap<string, ReadonlySet<Uuid>>,
): RowChanges {
  const references = referencesTo(schema, 'strong');
  const tables = tablesOf(schema);
  const collected: RowChanges = new Map();
  const counts = new Map<string, Map<Uuid, number> | undefined>();
  const countsOf = (table: string) => {
    if (!counts.has(table))
      counts.set(table, countReferences(references.get(table) ?? [], table, before, after));
    return counts.get(table);
  };
  const queue: (readonly [table: string, uuid: Uuid])[] = [];
  const suspect = (row: DecodedRow, from: string, isGone: boolean) => {
    for (const [target, columns] of references)
      for (const { table, column, schema: type } of columns) {
        if (table !== from || !Object.hasOwn(row, column)) continue;
        for (const uuid of referencedBy(type, target, row[column])) {
          if (uuid === row['_uuid']) continue;
          const count = isGone ? countsOf(target) : undefined;
          count?.set(uuid, (count.get(uuid) ?? 0) - 1);
          queue.push([target, uuid]);
        }
      }
  };
  for (const [table, uuids] of touched)
    for (const uuid of uuids) {
      queue.push([table, uuid]);
      const row = tableOf(before, table).get(uuid);
      if (row) suspect(row, table, false);
    }
  for (let next = queue.pop(); next; next = queue.pop()) {
    const [table, uuid] = next;
    const row = tableOf(after, table).get(uuid);
    if (!row || tables[table]?.isRoot !== false || collected.get(table)?.has(uuid)) continue;
    const count = countsOf(table);
    if (!count || (count.get(uuid) ?? 0) > 0) continue;
    collected.set(table, (collected.get(table) ?? new Map<Uuid, undefined>()).set(uuid, undefined));
    suspect(row, table, true);
  }
  return collected;
}

/** How often each row of a table is referred to; `undefined` where a column that could do so is not held. */
function countReferences<Tables>(
  columns: readonly ReferenceColumn[],
  target: string,
  before: Snapshot<Tables>,
  after: Snapshot<Tables>,
): Map<Uuid, number> | undefined {
  const counts = new Map<Uuid, number>();
  for (const { table, column, schema } of columns) {
    if (!before.holds(table)) return undefined;
    for (const row of tableOf(after, table).values()) {
      if (!Object.hasOwn(row, column)) return undefined;
      // A row does not keep itself.
      for (const uuid of referencedBy(schema, target, row[column]))
        if (uuid !== row['_uuid']) counts.set(uuid, (counts.get(uuid) ?? 0) + 1);
    }
  }
  return counts;
}

/** The rows that refer weakly to rows that went, without those references. */
function withoutWeak<Tables>(
  schema: DatabaseSchema<Tables>,
  codecs: ReadonlyMap<string, TableCodec>,
  left: Snapshot<Tables>,
  gone: ReadonlyMap<string, ReadonlySet<Uuid>>,
): RowChanges {
  const changes: RowChanges = new Map();
  for (const [target, columns] of referencesTo(schema, 'weak')) {
    const uuids = gone.get(target);
    if (!uuids) continue;
    for (const { table, column, schema: type } of columns) {
      const codec = codecs.get(table)?.columns.get(column);
      const known = changes.get(table) ?? new Map<Uuid, DecodedRow | undefined>();
      changes.set(table, known);
      for (const [uuid, original] of tableOf(left, table)) {
        const row = known.get(uuid) ?? original;
        if (!codec || !Object.hasOwn(row, column)) continue;
        if (!referencedBy(type, target, row[column]).some((referred) => uuids.has(referred))) continue;
        const value = without(
          { where: `${table}.${column}`, schema: type, codec },
          target,
          row[column],
          uuids,
        );
        known.set(uuid, changedRow(row, column, value));
      }
    }
  }
  return changes;
}

/** The rows that were made to refer weakly to rows that are not there, without those references. */
function withoutDangling<Tables>(
  schema: DatabaseSchema<Tables>,
  codecs: ReadonlyMap<string, TableCodec>,
  before: Snapshot<Tables>,
  left: Snapshot<Tables>,
  touched: ReadonlyMap<string, ReadonlySet<Uuid>>,
): RowChanges {
  const changes: RowChanges = new Map();
  for (const [target, columns] of referencesTo(schema, 'weak')) {
    if (!before.holds(target)) continue;
    const there = tableOf(left, target);
    for (const { table, column, schema: type } of columns) {
      const codec = codecs.get(table)?.columns.get(column);
      for (const uuid of codec ? (touched.get(table) ?? []) : []) {
        const row = changes.get(table)?.get(uuid) ?? tableOf(left, table).get(uuid);
        if (!codec || !row || !Object.hasOwn(row, column)) continue;
        const old = tableOf(before, table).get(uuid)?.[column];
        // What it referred to before is the server's to know: conditions may keep such a row from us.
        const known = new Set(old === undefined ? [] : referencedBy(type, target, old));
        const dangling = new Set(
          referencedBy(type, target, row[column]).filter((each) => !there.has(each) && !known.has(each)),
        );
        if (dangling.size === 0) continue;
        const value = without(
          { where: `${table}.${column}`, schema: type, codec },
          target,
          row[column],
          dangling,
        );
        changes.set(
          table,
          (changes.get(table) ?? new Map<Uuid, DecodedRow>()).set(uuid, changedRow(row, column, value)),
        );
      }
    }
  }
  return changes;
}

function changedRow(row: DecodedRow, column: string, value: unknown): DecodedRow {
  const changed = { ...row, [column]: value };
  Object.setPrototypeOf(changed, Object.getPrototypeOf(row) as object | null);
  return Object.freeze(changed);
}

function without(column: KnownColumn, target: string, value: unknown, gone: ReadonlySet<unknown>): unknown {
  const { key, value: mapped } = column.schema;
  const isGone = (atom: AtomSchema | undefined, member: unknown) =>
    atom?.refTable === target && atom.weak === true && gone.has(member);
  if (!mapped)
    return toValue(
      column,
      toMembers(column.schema, value).filter((member) => !isGone(key, member)),
    );
  const pairs = [...(value as ReadonlyMap<unknown, unknown>)];
  return new Map(pairs.filter(([name, member]) => !isGone(key, name) && !isGone(mapped, member)));
}
