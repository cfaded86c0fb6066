/**
 * What goes over a session to follow a database: its schema, the newest kind of monitor that the server knows, changes of
 * its conditions, and what its notifications say (RFC 7047 §4.1.5 to 4.1.7; ovsdb-server(7), 4.1.12 to 4.1.16).
 * When to do which of it is follower.ts's.
 */
import { fail, type VsbError } from '../../errors.ts';
import type { Answer, RequestOptions } from '../../jsonrpc/session.ts';
import type { Steps } from '../../jsonrpc/steps.ts';
import { toWire, type Wheres } from './conditions.ts';
import type { UpdateForm } from '../replica/replica.ts';

/** What following a database needs of a session. */
export interface Requester {
  request(method: string, params: readonly unknown[], options: RequestOptions): Promise<Answer>;
}

/** For each answer. */
export interface Limits {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** The tables of a database as the server has it, and the names of their columns. */
export type PresentColumns = ReadonlyMap<string, ReadonlySet<string>>;
/** By table, the columns to hold. */
export type HeldColumns = Readonly<Record<string, readonly string[] | undefined>>;

/** The kinds of monitor, newest first. */
export const MONITOR_METHODS = ['monitor_cond_since', 'monitor_cond', 'monitor'] as const;
export type MonitorMethod = (typeof MONITOR_METHODS)[number];

/** The id of no transaction: nothing was seen yet, or the server keeps no history. */
export const NO_TRANSACTION = '00000000-0000-0000-0000-000000000000';

/** What is to be followed. */
export interface MonitorRequest {
  readonly database: string;
  /** Names the monitor in its notifications; one of a kind on the session. */
  readonly id: string;
  readonly held: HeldColumns;
  readonly present: PresentColumns;
  readonly wheres: Wheres;
  /** False: the first copy and no updates. */
  readonly isFollowed: boolean;
  /** The last transaction that the replica has seen, under the same conditions; else {@link NO_TRANSACTION}. */
  readonly since: string;
}

/** Rows that a monitor sent. */
export interface MonitorContent {
  readonly updates: unknown;
  readonly form: UpdateForm;
  /** What changed since the transaction that was named, not a complete copy. */
  readonly isDifference: boolean;
  /** The transaction that they are as of. */
  readonly lastTransaction: string;
}

/**
 * Starts a monitor. `take` gets the first content before any later message is handled.
 * @returns which kind of monitor it is
 * @throws OVSDB_REQUEST_REFUSED, OVSDB_PROTOCOL, OVSDB_TIMEOUT, OVSDB_LINK_LOST, CANCELLED; what `take` throws
 */
export async function startMonitor(
  session: Requester,
  request: MonitorRequest,
  limits: Limits,
  take: (content: MonitorContent) => Steps | undefined,
): Promise<MonitorMethod> {
  for (const method of MONITOR_METHODS) {
    const params = [request.database, request.id, toTableRequests(request, method)];
    const answer = await session.request(
      method,
      method === 'monitor_cond_since' ? [...params, request.since] : params,
      {
        ...limits,
        extendWhileReceiving: true,
        takesMembers: true,
        onResult: (result) => take(readContent(method, result)),
      },
    );
    if (answer.kind === 'result') return method;
    if (answer.kind === 'lost') throw answer.reason;
    if (answer.text !== 'unknown method' || method === 'monitor') throw refused(method, answer);
  }
  throw fail('INTERNAL', { what: 'every kind of monitor was tried' });
}

/** The parameter of `monitor_cond_change` for these tables; those that the server does not have are left out. */
export function toConditionRequests(tables: Wheres, present: PresentColumns): Record<string, unknown> {
  const requests: Record<string, unknown> = {};
  for (const [table, where] of tables) {
    const columns = present.get(table);
    if (columns) requests[table] = [{ where: toWire(where, columns) }];
  }
  return requests;
}

/** What a monitor's notification says, and of which monitor; `undefined` where it is another notification. */
export function readUpdate(
  method: string,
  params: readonly unknown[],
): (MonitorContent & { readonly id: unknown }) | undefined {
  const isDifference = true;
  switch (method) {
    case 'update':
      return { id: params[0], updates: params[1], form: 1, isDifference, lastTransaction: NO_TRANSACTION };
    case 'update2':
      return { id: params[0], updates: params[1], form: 2, isDifference, lastTransaction: NO_TRANSACTION };
    case 'update3':
      return { id: params[0], updates: params[2], form: 2, isDifference, lastTransaction: String(params[1]) };
    default:
      return undefined;
  }
}

/**
 * Asks for the schema.
 * @returns `undefined` where the server has no such database
 * @throws OVSDB_REQUEST_REFUSED, OVSDB_PROTOCOL, OVSDB_TIMEOUT, OVSDB_LINK_LOST, CANCELLED
 */
export async function fetchSchema(
  session: Requester,
  database: string,
  limits: Limits,
): Promise<PresentColumns | undefined> {
  const answer = await session.request('get_schema', [database], { ...limits, extendWhileReceiving: true });
  if (answer.kind === 'lost') throw answer.reason;
  if (answer.kind === 'result') return readSchema(answer.result);
  if (answer.text === 'unknown database') return undefined;
  throw refused('get_schema', answer);
}

/** The databases of a server, for a message. */
export async function listDatabases(session: Requester, limits: Limits): Promise<readonly string[]> {
  const answer = await session.request('list_dbs', [], limits);
  return answer.kind === 'result' && Array.isArray(answer.result) ? answer.result.map(String) : [];
}

/** As {@link fetchSchema}, from the text that `_Server` has. @throws OVSDB_PROTOCOL */
export function readSchemaText(text: string): PresentColumns {
  try {
    return readSchema(JSON.parse(text));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw fail('OVSDB_PROTOCOL', { where: '_Server', why: 'a schema is no JSON' }, { cause });
  }
}

/** The tables and columns of a schema in JSON (RFC 7047 §3.2). @throws OVSDB_PROTOCOL */
function readSchema(schema: unknown): PresentColumns {
  return new Map(
    Object.entries(member(schema, 'tables')).map(([name, table]) => [
      name,
      new Set(Object.keys(member(table, 'columns'))),
    ]),
  );
}

/** The tables and columns to hold that a server does not have, as `Table` and `Table.column`. */
export function missingOf(held: HeldColumns, present: PresentColumns): readonly string[] {
  return Object.entries(held).flatMap(([table, columns = []]) => {
    const there = present.get(table);
    return there
      ? columns.filter((column) => !there.has(column)).map((column) => `${table}.${column}`)
      : [table];
  });
}

/** A refusal as an error. */
export function refused(
  method: string,
  answer: { readonly text: string; readonly error: unknown },
): VsbError {
  const error = typeof answer.error === 'string' ? answer.text.trim() : JSON.stringify(answer.error);
  return fail('OVSDB_REQUEST_REFUSED', { method, error });
}

/** RFC 7047 §4.1.5 `<monitor-select>`. */
const FIRST_COPY_ONLY = { initial: true, insert: false, delete: false, modify: false };

/** Older servers lack tables and columns: asking for one would be refused as a whole. */
function toTableRequests(
  { held, present, wheres, isFollowed }: MonitorRequest,
  method: MonitorMethod,
): Record<string, unknown> {
  const requests: Record<string, unknown> = {};
  for (const [table, wanted = []] of Object.entries(held)) {
    const there = present.get(table);
    if (!there) continue;
    requests[table] = [
      {
        columns: wanted.filter((column) => there.has(column)),
        ...(method === 'monitor' ? {} : { where: toWire(wheres.get(table) ?? true, there) }),
        ...(isFollowed ? {} : { select: FIRST_COPY_ONLY }),
      },
    ];
  }
  return requests;
}

function readContent(method: MonitorMethod, result: unknown): MonitorContent {
  if (method !== 'monitor_cond_since') {
    const form = method === 'monitor' ? 1 : 2;
    return { updates: result, form, isDifference: false, lastTransaction: NO_TRANSACTION };
  }
  if (!Array.isArray(result) || result.length !== 3)
    throw fail('OVSDB_PROTOCOL', { where: method, why: 'three values were to come' });
  const [found, last, updates] = result as [unknown, unknown, unknown];
  return { updates, form: 2, isDifference: found === true, lastTransaction: String(last) };
}

function member(value: unknown, name: string): Readonly<Record<string, unknown>> {
  const inner: unknown =
    typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  if (typeof inner !== 'object' || inner === null)
    throw fail('OVSDB_PROTOCOL', { where: 'the schema', why: `"${name}" is missing` });
  return inner as Readonly<Record<string, unknown>>;
}
