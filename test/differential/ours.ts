/** Our client in the comparison: random operations as its calls, its outcomes beside the raw reply, its rows as text. */
import { expect } from 'chai';
import { VsbError } from '../../src/errors.ts';
import { codecsOf } from '../../src/ovsdb/replica/codecs.ts';
import { encodeConditions, type Conditions } from '../../src/ovsdb/client/conditions.ts';
import type { TransactionOutcome } from '../../src/ovsdb/transaction/outcome.ts';
import type { Ref } from '../../src/ovsdb/schema/ref.ts';
import type { DatabaseSchema, GenericTables, Uuid } from '../../src/ovsdb/schema/schema.ts';
import type { Snapshot } from '../../src/ovsdb/replica/snapshot.ts';
import { Transaction } from '../../src/ovsdb/transaction/transaction.ts';
import { ourElements, rowText, wireElements, type Content, type Held } from '../support/peers/content.ts';
import type { Seen } from '../support/peers/proxy.ts';
import { NumberText, parseLossless } from '../support/peers/losslessjson.ts';
import {
  columnOf,
  tableOf,
  wireOperation,
  type Operation,
  type RowChoice,
  type Where,
} from './operations.ts';
import type { Column, Schema, Table } from './schemas.ts';
import { atomToJson, type Atom, type Datum } from './values.ts';

/** A transaction, or why our client does not make it. */
export type Built =
  | { readonly transaction: Transaction<GenericTables> }
  /** `undefined`: not refused, but there is no way to write it. */
  | { readonly refusal: string | undefined };

/** What the types of our client do not let one write: two values for a scalar. */
class Inexpressible extends Error {}

/** The operations as calls of our client. */
export function build(
  ours: DatabaseSchema<GenericTables>,
  schema: Schema,
  operations: readonly Operation[],
  over: Snapshot<GenericTables>,
): Built {
  const transaction = new Transaction(ours, { over });
  const refs = new Map<string, Ref>();
  try {
    for (const operation of operations) add(transaction, schema, operation, refs);
    return { transaction };
  } catch (cause) {
    if (cause instanceof Inexpressible) return { refusal: undefined };
    if (cause instanceof VsbError && cause.code === 'OVSDB_VALUE') return { refusal: cause.message };
    throw cause;
  }
}

// The row types are known at run time only.
type Untyped = Transaction<Record<string, never>>;

function add(
  typed: Transaction<GenericTables>,
  schema: Schema,
  operation: Operation,
  refs: Map<string, Ref>,
): void {
  const transaction = typed as unknown as Untyped & {
    insert(table: string, row: object, options: { uuid?: Uuid }): Ref;
    update(table: string, target: unknown, row: object): number;
    mutate(table: string, target: unknown, mutations: unknown): number;
    delete(table: string, target: unknown): number;
    select(table: string, target: unknown, columns: readonly string[]): number;
    wait(
      table: string,
      target: unknown,
      until: string,
      columns: unknown,
      rows: unknown,
      options: object,
    ): number;
  };
  const rowOf = (table: Table, row: Readonly<Record<string, Datum>>) =>
    Object.fromEntries(
      Object.entries(row).map(([name, datum]) => [name, ourValue(columnOf(table, name), datum, refs)]),
    );
  if (operation.op === 'comment') {
    transaction.comment(operation.text);
    return;
  }
  if (operation.op === 'abort') {
    transaction.abort();
    return;
  }
  if (operation.op === 'assert') {
    transaction.assert(operation.lock);
    return;
  }
  const table = tableOf(schema, operation.table);
  if (operation.op === 'insert') {
    const { uuid } = operation;
    const options = uuid === undefined ? {} : { uuid: uuid as Uuid };
    refs.set(operation.name, transaction.insert(operation.table, rowOf(table, operation.row), options));
    return;
  }
  const target = ourTarget(table, operation.where, refs);
  switch (operation.op) {
    case 'update':
      transaction.update(operation.table, target, rowOf(table, operation.row));
      return;
    case 'mutate':
      transaction.mutate(
        operation.table,
        target,
        operation.mutations.map(([name, mutator, datum]) => [
          name,
          mutator,
          ourOperand(columnOf(table, name), mutator, datum, refs),
        ]),
      );
      return;
    case 'delete':
      transaction.delete(operation.table, target);
      return;
    case 'select':
      transaction.select(operation.table, target, operation.columns);
      return;
    case 'wait': {
      const rows = operation.rows.map((row) => rowOf(table, row));
      transaction.wait(operation.table, target, operation.until, operation.columns, rows, { timeoutMs: 0 });
    }
  }
}

function ourTarget(table: Table, where: Where, refs: ReadonlyMap<string, Ref>): unknown {
  if ('uuid' in where) return where.uuid;
  if ('name' in where) return refs.get(where.name);
  return where.conditions.map(([name, operator, datum]) => [
    name,
    operator,
    ourValue(columnOf(table, name), datum, refs),
  ]);
}

function ourOperand(column: Column, mutator: string, datum: Datum, refs: ReadonlyMap<string, Ref>): unknown {
  if (mutator !== 'insert' && mutator !== 'delete') return ourAtom(theOne(datum), refs);
  if (column.value !== undefined && datum.kind === 'set')
    return datum.atoms.map((atom) => ourAtom(atom, refs));
  return ourValue(column, datum, refs);
}

/** A value as our client takes it: scalar, optional, list or Map. */
function ourValue(column: Column, datum: Datum, refs: ReadonlyMap<string, Ref>): unknown {
  if (datum.kind === 'map') {
    // Keys that name new rows have no UUID yet, and our types have no Map for them.
    return new Map(datum.pairs.map((pair) => [ourAtom(pair[0], refs), ourAtom(pair[1], refs)]));
  }
  if (column.value === undefined && column.max !== 1) return datum.atoms.map((atom) => ourAtom(atom, refs));
  if (datum.atoms.length === 0 && column.min === 0) return undefined;
  return ourAtom(theOne(datum), refs);
}

function theOne(datum: Datum): Atom {
  if (datum.kind === 'set' && datum.atoms.length === 1 && datum.atoms[0]) return datum.atoms[0];
  throw new Inexpressible('not one value where there must be one');
}

function ourAtom(atom: Atom, refs: ReadonlyMap<string, Ref>): unknown {
  if (atom.type === 'named-uuid') return refs.get(atom.value);
  // Both forms are taken; the last digit decides, so that both are tried.
  if (atom.type === 'integer' && Number.isSafeInteger(Number(atom.value)) && atom.value % 2n === 0n)
    return Number(atom.value);
  return atom.value;
}

/** Choices of rows as our client takes them; `undefined` where it cannot say one of them. */
export function ourConditions(
  ours: DatabaseSchema<GenericTables>,
  schema: Schema,
  choices: Readonly<Record<string, RowChoice>>,
): Conditions<GenericTables> | undefined {
  try {
    const conditions = Object.fromEntries(
      Object.entries(choices).map(([name, choice]) => [
        name,
        typeof choice === 'boolean'
          ? choice
          : ourTarget(tableOf(schema, name), { conditions: choice }, new Map()),
      ]),
    ) as Conditions<GenericTables>;
    encodeConditions(codecsOf(ours), conditions);
    return conditions;
  } catch (cause) {
    if (cause instanceof Inexpressible || (cause instanceof VsbError && cause.code === 'OVSDB_VALUE'))
      return undefined;
    throw cause;
  }
}

/** That what went over the wire means what was to be sent. */
export function expectSameOperations(schema: Schema, seen: Seen, operations: readonly Operation[]): void {
  const wanted = operations.map((operation) => parseLossless(atomToJson(wireOperation(operation))));
  const [database, ...sent] = seen.params;
  expect(database).to.equal(schema.name);
  expect(sent.map((operation) => meaning(schema, operation))).to.deep.equal(
    wanted.map((operation) => meaning(schema, operation)),
  );
}

type Json = Readonly<Record<string, unknown>>;

/** An operation with each value as text, so that different ways to write the same are the same. */
function meaning(schema: Schema, operation: unknown): unknown {
  const wire = operation as Json;
  const table = schema.tables[String(wire['table'])];
  if (!table) return wire;
  const rowMeaning = (row: unknown) =>
    Object.entries(row as Json)
      .map(([name, value]) => `${name}=${wireElements(columnOf(table, name), value).sort().join(', ')}`)
      .sort();
  const triples = (value: unknown) =>
    (value as [string, string, unknown][]).map(([name, word, operand]) => {
      if (name === '_uuid') return [name, word, operand];
      const column = columnOf(table, name);
      const isKeys = column.value !== undefined && !(Array.isArray(operand) && operand[0] === 'map');
      const type = isKeys ? ({ ...column, value: undefined } as unknown as Column) : column;
      return [name, word, wireElements(type, operand).sort()];
    });
  return {
    ...wire,
    timeout: wire['timeout'] instanceof NumberText ? wire['timeout'].text : undefined,
    row: wire['row'] === undefined ? undefined : rowMeaning(wire['row']),
    rows: wire['rows'] === undefined ? undefined : (wire['rows'] as unknown[]).map(rowMeaning),
    where: wire['where'] === undefined ? undefined : triples(wire['where']),
    mutations: wire['mutations'] === undefined ? undefined : triples(wire['mutations']),
  };
}

/** That an outcome says what the raw reply said. */
export function expectOutcome(
  schema: Schema,
  seen: Seen,
  outcome: TransactionOutcome,
  operations: readonly Operation[],
): void {
  const { reply } = seen;
  if (reply.error !== null && reply.error !== undefined) {
    expect(outcome).to.include({ outcome: 'error', at: 'request' });
    return;
  }
  const replies = reply.result as Json[];
  const failed = replies.findIndex((each) => (each as Json | null)?.['error'] !== undefined);
  const failure = replies[failed];
  if (failure) {
    const error = failure['error'];
    if (error === 'timed out') expect(outcome.outcome).to.equal('try-again');
    else if (error === 'not owner') expect(outcome.outcome).to.equal('not-locked');
    else if (error === 'aborted') expect(outcome.outcome).to.equal('aborted');
    else
      expect(outcome).to.include({
        outcome: 'error',
        at: failed === operations.length ? 'commit' : failed,
        error,
        details: failure['details'],
        syntax: failure['syntax'],
      });
    return;
  }
  if (outcome.outcome !== 'success') throw new Error(`it was committed, not ${outcome.outcome}`);
  expect(replies).to.have.length(operations.length);
  const uuids = new Map(Array.from(outcome.uuids, ([ref, uuid]) => [ref.index, uuid]));
  expect(outcome.results).to.have.length(operations.length);
  for (const [index, operation] of operations.entries()) {
    const [wire, result] = [replies[index] ?? {}, outcome.results[index]];
    if (!result) throw new Error('a result is missing');
    if (operation.op === 'insert') {
      const uuid = (wire['uuid'] as [string, string])[1];
      expect(result).to.deep.equal({ kind: 'insert', uuid });
      expect(uuids.get(index)).to.equal(uuid);
    } else if (operation.op === 'select') {
      const table = tableOf(schema, operation.table);
      const columns = operation.columns.filter((name) => name !== '_uuid');
      const wanted = (wire['rows'] as Json[]).map((row) => rowText(table, columns, row, wireElements));
      if (result.kind !== 'select') throw new Error(`a select gave a ${result.kind}`);
      expect(result.rows.map((row) => rowText(table, columns, row, ourElements))).to.deep.equal(wanted);
      if (operation.columns.includes('_uuid'))
        expect(result.rows.map((row) => row['_uuid'])).to.deep.equal(
          (wire['rows'] as Json[]).map((row) => (row['_uuid'] as [string, string])[1]),
        );
    } else if (wire['count'] instanceof NumberText)
      expect(result).to.deep.equal({ kind: 'count', count: Number(wire['count'].text) });
    else expect(result).to.deep.equal({ kind: 'done' });
  }
}

/** A snapshot as text. */
export function contentOf(snapshot: Snapshot<GenericTables>, schema: Schema, held: Held): Content {
  return new Map(
    Object.entries(held).map(([name, columns]) => {
      const table = tableOf(schema, name);
      const rows = Array.from(
        snapshot.table(name),
        ([uuid, row]) => [uuid, rowText(table, columns, row, ourElements)] as const,
      );
      return [name, new Map(rows)];
    }),
  );
}
