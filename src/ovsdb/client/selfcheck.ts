/**
 * Compares a replica with what the server has at one and the same moment: one transaction of selects (RFC 7047 §5.2.2),
 * whose answer comes after every update before it.
 */
import { fail, toVsbError, type VsbError } from '../../errors.ts';
import type { TableCodec } from '../replica/codecs.ts';
import type { Wheres } from './conditions.ts';
import type { HeldCodecs } from './heldcodecs.ts';
import { refused, type HeldColumns, type Limits, type PresentColumns, type Requester } from './monitor.ts';
import type { DecodedRow, RowCodec } from '../replica/row.ts';
import { isUuid, type Uuid } from '../schema/schema.ts';

/** A row that is not in the replica as it is in the database. */
export interface Difference {
  readonly table: string;
  readonly uuid: Uuid;
  /** `missing`: in the database only; `surplus`: in the replica only. */
  readonly kind: 'missing' | 'surplus' | 'differs';
  /** Of those that differ, the columns. */
  readonly columns: readonly string[];
}

/** The selects of a check, and which table each of them is of. */
export interface CheckPlan {
  readonly operations: readonly Readonly<Record<string, unknown>>[];
  readonly tables: readonly string[];
}

/** One select for each way in which a row can meet its table's condition: in a select all comparisons must be met. */
export function planCheck(held: HeldColumns, present: PresentColumns, wheres: Wheres): CheckPlan {
  const operations: Record<string, unknown>[] = [];
  const tables: string[] = [];
  for (const [table, columns = []] of Object.entries(held)) {
    const there = present.get(table);
    if (!there) continue;
    const where = wheres.get(table) ?? true;
    const clauses =
      where === true
        ? [[]]
        : where === false
          ? []
          : where.filter(([column]) => column === '_uuid' || there.has(column)).map((clause) => [clause]);
    for (const clause of clauses) {
      const wanted = ['_uuid', ...columns.filter((column) => there.has(column))];
      operations.push({ op: 'select', table, where: clause, columns: wanted });
      tables.push(table);
    }
  }
  return { operations, tables };
}

/**
 * Makes the transaction of a check. `compare` gets its result before any later update.
 * @throws OVSDB_REQUEST_REFUSED, OVSDB_LINK_LOST, OVSDB_TIMEOUT, CANCELLED; what `compare` throws
 */
export async function check<T>(
  session: Requester,
  database: string,
  { operations }: CheckPlan,
  limits: Limits,
  compare: (result: unknown) => T,
): Promise<T> {
  let found: { readonly value: T } | { readonly problem: VsbError } | undefined;
  const answer = await session.request('transact', [database, ...operations], {
    ...limits,
    extendWhileReceiving: true,
    onResult: (result) => {
      try {
        found = { value: compare(result) };
      } catch (cause) {
        // Not thrown here, where it would end the session.
        found = { problem: toVsbError(cause) };
      }
    },
  });
  if (answer.kind === 'lost') throw answer.reason;
  if (answer.kind === 'error') throw refused('transact', answer);
  if (!found || 'problem' in found)
    throw found?.problem ?? fail('INTERNAL', { what: 'a result nobody took' });
  return found.value;
}

/**
 * What differs between the rows that the selects gave and those of the replica.
 * @throws OVSDB_PROTOCOL where they gave none
 */
export function compareWith(
  result: unknown,
  plan: CheckPlan,
  codecs: Pick<HeldCodecs, 'tables' | 'rows'>,
  replica: ReadonlyMap<string, ReadonlyMap<Uuid, DecodedRow>>,
): readonly Difference[] {
  const actual = new Map([...codecs.rows.keys()].map((table) => [table, new Map<Uuid, DecodedRow>()]));
  const replies: readonly unknown[] = Array.isArray(result) ? result : [];
  plan.tables.forEach((table, index) => {
    const reply = replies[index];
    if (!isObject(reply) || !Array.isArray(reply['rows']))
      throw fail('OVSDB_PROTOCOL', { where: 'transact', why: `the rows of "${table}" were to come` });
    for (const wire of reply['rows'] as readonly unknown[]) {
      const row = decode(table, codecs.rows.get(table), wire);
      actual.get(table)?.set(row['_uuid'] as Uuid, row);
    }
  });
  return [...actual].flatMap(([table, rows]) => {
    const codec = codecs.tables.get(table);
    return codec ? compareTable(codec, rows, replica.get(table) ?? new Map<Uuid, DecodedRow>()) : [];
  });
}

function compareTable(
  codec: TableCodec,
  actual: ReadonlyMap<Uuid, DecodedRow>,
  held: ReadonlyMap<Uuid, DecodedRow>,
): Difference[] {
  const table = codec.name;
  const differences: Difference[] = [];
  for (const [uuid, row] of actual) {
    const known = held.get(uuid);
    if (!known) {
      differences.push({ table, uuid, kind: 'missing', columns: [] });
      continue;
    }
    const columns = Object.keys(row).filter(
      (name) => codec.columns.get(name)?.equal(row[name], known[name]) === false,
    );
    if (columns.length > 0) differences.push({ table, uuid, kind: 'differs', columns });
  }
  for (const uuid of held.keys())
    if (!actual.has(uuid)) differences.push({ table, uuid, kind: 'surplus', columns: [] });
  return differences;
}

function decode(table: string, codec: RowCodec | undefined, wire: unknown): DecodedRow {
  const pair = isObject(wire) ? wire['_uuid'] : undefined;
  const uuid: unknown = Array.isArray(pair) ? pair[1] : undefined;
  if (!codec || !isObject(wire) || typeof uuid !== 'string' || !isUuid(uuid))
    throw fail('OVSDB_PROTOCOL', { where: table, why: 'a row has no UUID' });
  return codec.decode(uuid, wire);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
