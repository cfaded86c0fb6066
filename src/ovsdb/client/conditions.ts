/**
 * Which rows a replica holds: conditions on tables (ovsdb-server(7), 4.1.12 and 4.1.13), and how far the server has taken
 * a change of them: wanted, requested, acked (as lib/ovsdb-cs.c). Pure; who sends is follower.ts.
 */
import { fail } from '../../errors.ts';
import type { TableCodec } from '../replica/codecs.ts';
import { isUuid, type TableName, type Uuid } from '../schema/schema.ts';
import type { Condition } from '../transaction/transaction.ts';

/** A comparison of a column, or of the row's UUID. */
export type MonitorCondition<Row> =
  Condition<Row> | readonly [column: '_uuid', operator: '==' | '!=', value: Uuid];

/**
 * By table, the rows to hold: those that meet at least one of the conditions; `true`: all; `false` or an empty list: none.
 * Tables that are not named: all. (In a transaction several conditions must all be met; here one is enough.)
 */
export type Conditions<Tables> = {
  readonly [T in TableName<Tables>]?: boolean | readonly MonitorCondition<Tables[T]>[];
};

/** One comparison, encoded. */
export type Clause = readonly [column: string, operator: string, value: unknown];
/** `true`, `false`, or one of several. */
export type Where = boolean | readonly Clause[];
/** Conditions by table, encoded; all that are in force together. */
export type Wheres = ReadonlyMap<string, Where>;

/** How far a change of the conditions is; each stage is complete, whatever changes. */
export interface ConditionState {
  /** The highest version that there was. */
  readonly lastVersion: number;
  /** What the replica shows. */
  readonly acked: Stage;
  /** What the server was asked for and has not answered yet. */
  readonly requested: Stage | undefined;
  /** What is to be asked for next. */
  readonly wanted: Stage | undefined;
}

/** Conditions and which version of them they are; versions count up. */
export interface Stage {
  readonly version: number;
  readonly wheres: Wheres;
}

/** The state at first: nothing to change. */
export function initialConditions(wheres: Wheres): ConditionState {
  return { lastVersion: 0, acked: { version: 0, wheres }, requested: undefined, wanted: undefined };
}

/** The newest stage: what the caller wants in the end. */
export function newest(state: ConditionState): Stage {
  return state.wanted ?? state.requested ?? state.acked;
}

/** The state where the caller wants something else for these tables. The same state where it is what is wanted already. */
export function want(state: ConditionState, changes: Wheres): ConditionState {
  const { wheres } = newest(state);
  const different = [...changes].filter(([table, where]) => !sameWhere(wheres.get(table) ?? true, where));
  if (different.length === 0) return state;
  const lastVersion = state.lastVersion + 1;
  const wanted = { version: lastVersion, wheres: new Map([...wheres, ...different]) };
  return { ...state, lastVersion, wanted };
}

/**
 * Takes what is wanted to the server, one request at a time.
 * @returns the tables whose conditions to change, empty where none really does; `undefined` where nothing is to be sent
 */
export function nextRequest(
  state: ConditionState,
): { readonly state: ConditionState; readonly tables: Wheres } | undefined {
  const { acked, requested, wanted } = state;
  if (requested || !wanted) return undefined;
  const tables = new Map(
    [...wanted.wheres].filter(([table, where]) => !sameWhere(acked.wheres.get(table) ?? true, where)),
  );
  return { state: { ...state, requested: wanted, wanted: undefined }, tables };
}

/** The server did what was requested. */
export function acknowledged(state: ConditionState): ConditionState {
  return state.requested ? { ...state, acked: state.requested, requested: undefined } : state;
}

/** The server refused what was requested: it is as if nobody had wanted it. */
export function refusedRequest(state: ConditionState): ConditionState {
  return { ...state, requested: undefined };
}

/** Back to what the replica shows: a server refuses to begin with what is acked. */
export function takenBack(state: ConditionState, shown: Stage): ConditionState {
  return { ...state, acked: shown };
}

/** The link is lost. What was requested may or may not be done: it is wanted again. */
export function interrupted(state: ConditionState): ConditionState {
  return { ...state, requested: undefined, wanted: state.wanted ?? state.requested };
}

/** Everything will be copied anew, so what is wanted can be had at once. */
export function settledAnew(state: ConditionState): ConditionState {
  return { ...state, acked: newest(state), requested: undefined, wanted: undefined };
}

/**
 * Encodes conditions.
 * @throws OVSDB_UNKNOWN_COLUMN, OVSDB_VALUE
 */
export function encodeConditions<Tables>(
  codecs: ReadonlyMap<string, TableCodec>,
  conditions: Conditions<Tables>,
): Wheres {
  const given: Readonly<
    Record<string, boolean | readonly (readonly [string, string, unknown])[] | undefined>
  > = conditions;
  const wheres = new Map<string, Where>();
  for (const [table, where] of Object.entries(given)) {
    const codec = codecs.get(table);
    if (!codec) throw fail('OVSDB_UNKNOWN_COLUMN', { table, column: '*' });
    if (where === undefined) continue;
    wheres.set(
      table,
      typeof where === 'boolean' ? where : where.map((clause) => encodeClause(codec, clause)),
    );
  }
  return wheres;
}

/**
 * A table's condition as it goes over the wire, where `[]` would mean all rows.
 * @param present the columns that the server has: a comparison of one that it lacks is met by no row
 */
export function toWire(where: Where, present: ReadonlySet<string>): readonly unknown[] {
  if (typeof where === 'boolean') return [where];
  const clauses = where.filter(([column]) => column === '_uuid' || present.has(column));
  return clauses.length === 0 ? [false] : clauses;
}

function encodeClause(
  table: TableCodec,
  [column, operator, value]: readonly [string, string, unknown],
): Clause {
  if (column === '_uuid') {
    if (typeof value !== 'string' || !isUuid(value))
      throw fail('OVSDB_VALUE', { where: `${table.name}._uuid`, value: String(value), why: 'it is no UUID' });
    return [column, operator, ['uuid', value]];
  }
  const codec = table.columns.get(column);
  if (!codec) throw fail('OVSDB_UNKNOWN_COLUMN', { table: table.name, column });
  const encodeRef = (ref: { readonly name: string }, where: string): never => {
    throw fail('OVSDB_UNKNOWN_REF', { where, ref: ref.name });
  };
  return [column, operator, codec.encode(value, { encodeRef })];
}

function sameWhere(a: Where, b: Where): boolean {
  const normal = (where: Where) => (typeof where !== 'boolean' && where.length === 0 ? false : where);
  return JSON.stringify(normal(a)) === JSON.stringify(normal(b));
}
