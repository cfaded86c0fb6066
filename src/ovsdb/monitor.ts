/**
 * Brings a replica up to date over a new session and names the notifications that keep it so: schema first, then the
 * newest kind of monitor that the server knows (ovsdb-server(7), "Monitor_Cond_Since", RFC 7047 §4.1.5).
 */
import { fail, type VsbError } from '../errors.ts';
import type { Answer, RequestOptions } from '../jsonrpc/session.ts';
import type { TableCodec } from './codecs.ts';
import type { UpdateForm } from './replica.ts';
import { RowCodec } from './row.ts';

/** What following a database needs of a session. */
export interface Requester {
  request(method: string, params: readonly unknown[], options: RequestOptions): Promise<Answer>;
}

/** What is to be followed. */
export interface Following {
  readonly remote: string;
  readonly database: string;
  readonly codecs: ReadonlyMap<string, TableCodec>;
  readonly columns: Readonly<Record<string, readonly string[] | undefined>>;
  /** False: the first copy and no updates. */
  readonly isFollowed: boolean;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Takes the first copy, in the order of arrival. */
  readonly load: (codecs: ReadonlyMap<string, RowCodec>, updates: unknown, form: UpdateForm) => void;
}

/** The kinds of monitor, newest first. */
export const MONITOR_METHODS = ['monitor_cond_since', 'monitor_cond', 'monitor'] as const;
export type MonitorMethod = (typeof MONITOR_METHODS)[number];

/** No transaction was seen yet. A host's own database keeps no history, so it is never worth giving another. */
const NO_TRANSACTION = '00000000-0000-0000-0000-000000000000';

/**
 * Follows a database.
 * @returns which kind of monitor it is, and the tables and columns that the server does not have
 * @throws OVSDB_NO_DATABASE, OVSDB_REQUEST_REFUSED, OVSDB_PROTOCOL, OVSDB_TIMEOUT, OVSDB_LINK_LOST, CANCELLED
 */
export async function follow(
  session: Requester,
  following: Following,
): Promise<{ readonly method: MonitorMethod; readonly missing: readonly string[] }> {
  const { database, timeoutMs, signal } = following;
  const limits = { timeoutMs, signal, extendWhileReceiving: true };
  const { requests, missing } = choosePresent(following, await readSchema(session, following));
  const codecs = new Map(
    Object.entries(following.columns).map(([name, held]) => {
      const codec = following.codecs.get(name);
      if (!codec) throw fail('OVSDB_UNKNOWN_COLUMN', { table: name, column: '*' });
      return [name, new RowCodec(codec, held ?? [])] as const;
    }),
  );
  for (const method of MONITOR_METHODS) {
    const params = [database, method, requests];
    const answer = await session.request(
      method,
      method === 'monitor_cond_since' ? [...params, NO_TRANSACTION] : params,
      {
        ...limits,
        onResult: (result) => {
          following.load(
            codecs,
            method === 'monitor_cond_since' ? thirdOf(result) : result,
            method === 'monitor' ? 1 : 2,
          );
        },
      },
    );
    if (answer.kind === 'result') return { method, missing };
    if (answer.kind === 'lost') throw answer.reason;
    if (answer.text !== 'unknown method' || method === 'monitor') throw refused(method, answer);
  }
  throw fail('INTERNAL', { what: 'every kind of monitor was tried' });
}

/** The updates in a notification of a monitor, and their form; `undefined` where it is another notification. */
export function readUpdate(
  method: string,
  params: readonly unknown[],
): { readonly updates: unknown; readonly form: UpdateForm } | undefined {
  switch (method) {
    case 'update':
      return { updates: params[1], form: 1 };
    case 'update2':
      return { updates: params[1], form: 2 };
    case 'update3':
      return { updates: params[2], form: 2 };
    default:
      return undefined;
  }
}

type ServerSchema = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** The tables and columns that the server has. */
async function readSchema(session: Requester, following: Following): Promise<ServerSchema> {
  const { database, remote, timeoutMs, signal } = following;
  const limits = { timeoutMs, signal, extendWhileReceiving: true };
  const answer = await session.request('get_schema', [database], limits);
  if (answer.kind === 'lost') throw answer.reason;
  if (answer.kind === 'error') {
    if (answer.text !== 'unknown database') throw refused('get_schema', answer);
    const list = await session.request('list_dbs', [], limits);
    const present = list.kind === 'result' && Array.isArray(list.result) ? list.result.join(', ') : 'unknown';
    throw fail('OVSDB_NO_DATABASE', { remote, database, present });
  }
  const tables = member(answer.result, 'tables');
  return Object.fromEntries(Object.entries(tables).map(([name, table]) => [name, member(table, 'columns')]));
}

function member(value: unknown, name: string): Readonly<Record<string, unknown>> {
  const inner: unknown =
    typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  if (typeof inner !== 'object' || inner === null)
    throw fail('OVSDB_PROTOCOL', { where: 'the schema', why: `"${name}" is missing` });
  return inner as Readonly<Record<string, unknown>>;
}

/** RFC 7047 §4.1.5 `<monitor-select>`. */
const FIRST_COPY_ONLY = { initial: true, insert: false, delete: false, modify: false };

/** Older servers lack tables and columns: asking for one would be refused as a whole. */
function choosePresent(
  { columns, isFollowed }: Following,
  server: ServerSchema,
): { readonly requests: Readonly<Record<string, unknown>>; readonly missing: readonly string[] } {
  const requests: Record<string, unknown> = {};
  const missing: string[] = [];
  for (const [table, wanted] of Object.entries(columns)) {
    const present = server[table];
    if (!present) missing.push(table);
    else {
      const names = (wanted ?? []).filter((column) => column in present);
      requests[table] = [isFollowed ? { columns: names } : { columns: names, select: FIRST_COPY_ONLY }];
      for (const column of wanted ?? []) if (!(column in present)) missing.push(`${table}.${column}`);
    }
  }
  return { requests, missing };
}

function thirdOf(result: unknown): unknown {
  if (!Array.isArray(result) || result.length !== 3)
    throw fail('OVSDB_PROTOCOL', { where: 'monitor_cond_since', why: 'three values were to come' });
  return result[2];
}

function refused(method: string, answer: { readonly text: string; readonly error: unknown }): VsbError {
  const error = typeof answer.error === 'string' ? answer.text : JSON.stringify(answer.error);
  return fail('OVSDB_REQUEST_REFUSED', { method, error });
}
