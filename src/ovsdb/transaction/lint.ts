/**
 * What in a transaction the server would take without a word, and hardly anybody means: rows that vanish at commit, changes
 * of rows that are not there. Looks at the operations as they go over the wire, and at the snapshot below where there is
 * one. For tests, reviews and dry runs; nothing of it is an error.
 */
import { referencedBy, referencesTo } from './aftercommit.ts';
import { tableOf } from './overlay.ts';
import type { WireOperation } from './operation.ts';
import type { Ref } from '../schema/ref.ts';
import { isUuid, type ColumnSchema, type DatabaseSchema, type Uuid } from '../schema/schema.ts';
import type { Transaction } from './transaction.ts';

interface At {
  /** The operation, from 0. */
  readonly at: number;
  readonly table: string;
  /** All of it as a sentence, with what to do. */
  readonly message: string;
}

/** One thing that is odd about a transaction; `message` says what to do. */
export type LintFinding =
  /** A row is inserted that goes at commit: its table is not root, and nothing that stays refers to it strongly. */
  | (At & { readonly kind: 'vanishes'; readonly ref: Ref })
  /** A row is inserted that stays, of a table that others refer to, and nothing of the transaction does. */
  | (At & { readonly kind: 'unused'; readonly ref: Ref })
  /** A row is addressed that the snapshot below does not have: nothing happens. */
  | (At & { readonly kind: 'no-such-row'; readonly uuid: Uuid })
  /** A row is deleted to which another refers strongly: the commit fails. */
  | (At & { readonly kind: 'still-referenced'; readonly uuid: Uuid; readonly by: readonly [string, Uuid] })
  /** A `wait` compares a real, which is read with 15 digits: it can fail for ever. */
  | (At & { readonly kind: 'compares-real'; readonly column: string });

/**
 * What is odd about a transaction, in the order of its operations. With conditions on what the replica holds, rows that it
 * does not hold look as if they were not there.
 * @throws as `transaction.snapshot()`, where the transaction has a snapshot below and deletes rows
 */
export function lint<Tables>(transaction: Transaction<Tables>): readonly LintFinding[] {
  const findings = [
    ...insertFindings(transaction),
    ...transaction.operations.flatMap(rowFindings(transaction)),
    ...transaction.operations.flatMap(realFindings(transaction.schema)),
    ...deleteFindings(transaction),
  ];
  return findings.sort((a, b) => a.at - b.at);
}

/** The rows that a transaction inserts and that go at its commit, as far as it shows. */
export function vanishingRefs<Tables>(transaction: Transaction<Tables>): ReadonlySet<Ref> {
  return new Set(
    insertFindings(transaction).flatMap((finding) => (finding.kind === 'vanishes' ? [finding.ref] : [])),
  );
}

function insertFindings<Tables>(transaction: Transaction<Tables>): readonly LintFinding[] {
  const { schema, refs } = transaction;
  const roots: Readonly<Record<string, { readonly isRoot: boolean }>> = schema.tables;
  const { kept, named } = followReferences(transaction);
  const references = referencesTo(schema, 'strong');
  const findings: LintFinding[] = [];
  for (const ref of refs) {
    const { table, index: at } = ref;
    const places = (references.get(table) ?? []).map(placeOf).join(', ');
    if (roots[table]?.isRoot !== true && !kept.has(ref)) {
      const advice = places === '' ? 'No column could refer to it.' : `Name it in ${places}.`;
      const message = `The new row of ${table} (operation ${String(at)}) goes at commit: nothing that stays refers to it. ${advice}`;
      findings.push({ kind: 'vanishes', at, table, ref, message });
    } else if (roots[table]?.isRoot === true && places !== '' && !named.has(ref)) {
      const message = `The new row of ${table} (operation ${String(at)}) stays, and nothing of the transaction refers to it. Name it in ${places}, or leave it out.`;
      findings.push({ kind: 'unused', at, table, ref, message });
    }
  }
  return findings;
}

/** Which of the inserted rows something refers to strongly: anything, and anything that stays. */
function followReferences<Tables>(transaction: Transaction<Tables>): {
  readonly kept: ReadonlySet<Ref>;
  readonly named: ReadonlySet<Ref>;
} {
  const roots: Readonly<Record<string, { readonly isRoot: boolean }>> = transaction.schema.tables;
  const strong = new Set([...referencesTo(transaction.schema, 'strong').values()].flat().map(placeOf));
  const refs = [...transaction.refs];
  const byOperation = new Map(refs.map((ref) => [ref.index, ref]));
  const byName = new Map(refs.flatMap((ref) => [ref.name, ref.uuid ?? ref.name].map((name) => [name, ref])));
  const named = new Set<Ref>();
  const targets = new Map<Ref, Ref[]>(refs.map((ref) => [ref, []]));
  // What stays for sure; what it refers to stays too.
  const queue = refs.filter(({ table }) => roots[table]?.isRoot === true);
  for (const [at, operation] of transaction.operations.entries()) {
    const table = tableIn(operation);
    const from = byOperation.get(at) ?? byName.get(addressed(operation) ?? '');
    for (const [column, wire] of writtenBy(operation))
      if (strong.has(placeOf({ table, column })))
        for (const name of namesIn(wire)) {
          const ref = byName.get(name);
          if (!ref || ref === from) continue;
          named.add(ref);
          (from ? targets.get(from) : queue)?.push(ref);
        }
  }
  const kept = new Set<Ref>();
  for (let ref = queue.pop(); ref; ref = queue.pop()) {
    if (kept.has(ref)) continue;
    kept.add(ref);
    for (const target of targets.get(ref) ?? []) queue.push(target);
  }
  return { kept, named };
}

function rowFindings<Tables>({
  over,
  refs,
}: Transaction<Tables>): (operation: WireOperation, at: number) => readonly LintFinding[] {
  const chosen = new Set([...refs].map(({ uuid }) => uuid));
  return (operation, at) => {
    const table = tableIn(operation);
    const uuid = addressed(operation);
    if (!over?.holds(table) || uuid === undefined || !isUuid(uuid) || chosen.has(uuid)) return [];
    if (tableOf(over, table).has(uuid)) return [];
    const message = `There is no row ${uuid} of ${table} for operation ${String(at)} (${operation.op}) to act on. Plan anew from a new snapshot, or look at the table's name.`;
    return [{ kind: 'no-such-row', at, table, uuid, message }];
  };
}

function realFindings<Tables>(
  schema: DatabaseSchema<Tables>,
): (operation: WireOperation, at: number) => readonly LintFinding[] {
  const tables: Readonly<Record<string, { readonly columns: Readonly<Record<string, ColumnSchema>> }>> =
    schema.tables;
  return (operation, at) => {
    if (operation.op !== 'wait') return [];
    const table = tableIn(operation);
    return (operation['columns'] as readonly string[]).flatMap((column) => {
      const { key, value } = tables[table]?.columns[column] ?? {};
      if (key?.type !== 'real' && value?.type !== 'real') return [];
      const message = `Operation ${String(at)} waits for ${table}.${column}, a real: what was read has 15 digits, so that it can differ for ever. Wait for other columns.`;
      return [{ kind: 'compares-real' as const, at, table, column, message }];
    });
  };
}

/** Rows that are deleted by their UUID, and referred to by others when all is done. */
function deleteFindings<Tables>(transaction: Transaction<Tables>): readonly LintFinding[] {
  const deleted = new Map<string, number>();
  for (const [at, operation] of transaction.operations.entries()) {
    const uuid = operation.op === 'delete' ? addressed(operation) : undefined;
    if (uuid !== undefined && isUuid(uuid)) deleted.set(uuid, at);
  }
  if (!transaction.over || deleted.size === 0) return [];
  const after = transaction.snapshot();
  const findings: LintFinding[] = [];
  for (const [target, columns] of referencesTo(transaction.schema, 'strong'))
    for (const { table, column, schema } of columns)
      for (const row of tableOf(after, table).values())
        for (const uuid of Object.hasOwn(row, column) ? referencedBy(schema, target, row[column]) : []) {
          const at = deleted.get(uuid);
          if (at === undefined || tableIn(transaction.operations[at]) !== target) continue;
          const by = row['_uuid'] as Uuid;
          const message = `Operation ${String(at)} deletes the row ${uuid} of ${target}, which ${table}.${column} of ${by} still names: the commit will fail. Take it out there first.`;
          findings.push({ kind: 'still-referenced', at, table: target, uuid, by: [table, by], message });
        }
  return findings;
}

function placeOf({ table, column }: { readonly table: string; readonly column: string }): string {
  return `${table}.${column}`;
}

function tableIn(operation: WireOperation | undefined): string {
  return String(operation?.['table']);
}

/** The UUID or the name of the one row that an operation acts on; `undefined` where it finds rows by conditions. */
function addressed({ where }: WireOperation): string | undefined {
  const [column, , value] = (Array.isArray(where) ? (where[0] as unknown[] | undefined) : undefined) ?? [];
  return column === '_uuid' && Array.isArray(value) ? String(value[1]) : undefined;
}

/** The columns that an operation gives something to, and what. */
function writtenBy({ row, mutations }: WireOperation): readonly (readonly [column: string, wire: unknown])[] {
  if (typeof row === 'object' && row !== null) return Object.entries(row);
  if (!Array.isArray(mutations)) return [];
  return (mutations as readonly [string, string, unknown][])
    .filter(([, mutator]) => mutator === 'insert')
    .map(([column, , wire]) => [column, wire]);
}

/** The names and UUIDs in a value of a column that refers to rows. */
function namesIn(wire: unknown): readonly string[] {
  if (!Array.isArray(wire)) return [];
  const [form, name] = wire as readonly unknown[];
  if ((form === 'named-uuid' || form === 'uuid') && typeof name === 'string') return [name];
  return wire.flatMap((member: unknown) => namesIn(member));
}
