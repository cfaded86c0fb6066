/**
 * What became of a transaction: a closed set, each saying what the caller can do. Reads the server's reply
 * (RFC 7047 §4.1.3), whose failures are inside of a successful answer.
 */
import { fail, type VsbError } from '../../errors.ts';
import type { Answer } from '../../jsonrpc/session.ts';
import type { TableCodec } from '../replica/codecs.ts';
import { isUuid, type Uuid } from '../schema/schema.ts';
import type { Ref } from '../schema/ref.ts';
import type { WireOperation } from './transaction.ts';

/** What one operation gave. */
export type OperationResult =
  | { readonly kind: 'insert'; readonly uuid: Uuid }
  /** Rows touched by update, mutate, delete. */
  | { readonly kind: 'count'; readonly count: number }
  /** Rows of a select: decoded columns by name. */
  | { readonly kind: 'select'; readonly rows: readonly Readonly<Record<string, unknown>>[] }
  | { readonly kind: 'done' };

/** What became of a transaction: a closed set, to be gone through with a `switch` on `outcome`. */
export type TransactionOutcome =
  /** There was nothing to send. */
  | { readonly outcome: 'unchanged' }
  /** Committed; the replica shows it. */
  | {
      readonly outcome: 'success';
      /** The UUIDs of the inserted rows. */
      readonly uuids: ReadonlyMap<Ref, Uuid>;
      /** One for each operation, by its index. */
      readonly results: readonly OperationResult[];
    }
  /** Nothing was done, because a `wait` did not come true or the link is down: plan anew from a new snapshot. */
  | { readonly outcome: 'try-again'; readonly reason: string }
  /** Nothing was done: the asserted lock is not ours. */
  | { readonly outcome: 'not-locked'; readonly reason: string }
  /** Nothing was done: the transaction has an `abort`. */
  | { readonly outcome: 'aborted' }
  /** Nothing was done: the server refuses an operation, the whole at commit, or the request. Repeating does not help. */
  | {
      readonly outcome: 'error';
      readonly at: number | 'commit' | 'request';
      /** RFC 7047 §3.1 `<error>`, for example `constraint violation`. */
      readonly error: string;
      readonly details: string | undefined;
      readonly syntax: string | undefined;
      /** All of it as a sentence part, with the operation named. */
      readonly message: string;
    }
  /** The link was lost, or patience was, with the request on its way: read back what is there before anything else. */
  | { readonly outcome: 'unknown'; readonly reason: VsbError };

/** What the reading of a reply needs to know of what was sent. */
export interface SentTransaction {
  readonly operations: readonly WireOperation[];
  readonly refs: Iterable<Ref>;
}

/**
 * Reads the reply to a transaction.
 * @throws OVSDB_PROTOCOL
 */
export function readOutcome(
  answer: Answer,
  sent: SentTransaction,
  codecs: ReadonlyMap<string, TableCodec>,
): TransactionOutcome {
  if (answer.kind === 'lost') return { outcome: 'unknown', reason: answer.reason };
  if (answer.kind === 'error') return toFailure('request', answer.error, sent);
  const { operations } = sent;
  const { result } = answer;
  if (!Array.isArray(result)) throw fail('OVSDB_PROTOCOL', { where: 'transact', why: 'a list was to come' });
  const replies: readonly unknown[] = result;
  // One that fails has an error object in its place, those after it null; a failure at commit is one element more.
  const failed = replies.findIndex((reply) => isObject(reply) && 'error' in reply);
  if (failed >= 0) return toFailure(failed < operations.length ? failed : 'commit', replies[failed], sent);
  if (replies.length !== operations.length || !replies.every(isObject))
    throw fail('OVSDB_PROTOCOL', { where: 'transact', why: 'not every operation has a result' });
  for (const ref of sent.refs) uuidIn(replies[ref.index]);
  let uuids: Map<Ref, Uuid> | undefined;
  let results: readonly OperationResult[] | undefined;
  return {
    outcome: 'success',
    // Made on demand: most callers look at a few or none, and there can be ten thousands.
    get uuids() {
      uuids ??= new Map(Array.from(sent.refs, (ref) => [ref, uuidIn(replies[ref.index])]));
      return uuids;
    },
    get results() {
      results ??= replies.map((reply, index) => toResult(reply, operations[index], codecs));
      return results;
    },
  };
}

function toFailure(
  at: number | 'commit' | 'request',
  reply: unknown,
  { operations }: SentTransaction,
): TransactionOutcome {
  const member = (name: string) => {
    const value = isObject(reply) ? reply[name] : undefined;
    return typeof value === 'string' ? value : undefined;
  };
  const error = typeof reply === 'string' ? reply : (member('error') ?? 'unknown error');
  const details = member('details');
  const reason = details === undefined ? error : `${error}: ${details}`;
  // The names are RFC 7047's, §5.2.6 (wait), §5.2.10 (assert), §5.2.8 (abort).
  if (error === 'timed out') return { outcome: 'try-again', reason };
  if (error === 'not owner') return { outcome: 'not-locked', reason };
  if (error === 'aborted') return { outcome: 'aborted' };
  const operation = typeof at === 'number' ? operations[at] : undefined;
  const table = typeof operation?.['table'] === 'string' ? ` on ${operation['table']}` : '';
  const place =
    typeof at === 'number' ? `operation ${String(at)} (${operation?.op ?? '?'}${table})` : `the ${at}`;
  const message = `${place} failed with ${reason}`;
  return { outcome: 'error', at, error, details, syntax: member('syntax'), message };
}

function toResult(
  reply: unknown,
  operation: WireOperation | undefined,
  codecs: ReadonlyMap<string, TableCodec>,
): OperationResult {
  if (!isObject(reply) || !operation) return { kind: 'done' };
  if (operation.op === 'insert') return { kind: 'insert', uuid: uuidIn(reply) };
  if (operation.op === 'select') {
    const columns = codecs.get(String(operation['table']))?.columns;
    const rows: readonly unknown[] = Array.isArray(reply['rows']) ? reply['rows'] : [];
    return {
      kind: 'select',
      rows: rows
        .filter(isObject)
        .map((row) =>
          Object.fromEntries(
            Object.entries(row).map(([name, wire]) => [
              name,
              name === '_uuid' ? uuidIn({ uuid: wire }) : columns?.get(name)?.decode(wire),
            ]),
          ),
        ),
    };
  }
  return typeof reply['count'] === 'number' ? { kind: 'count', count: reply['count'] } : { kind: 'done' };
}

/** The UUID in `{"uuid":["uuid", …]}`. */
function uuidIn(reply: unknown): Uuid {
  const pair = isObject(reply) ? reply['uuid'] : undefined;
  const uuid: unknown = Array.isArray(pair) ? pair[1] : undefined;
  if (typeof uuid !== 'string' || !isUuid(uuid))
    throw fail('OVSDB_PROTOCOL', { where: 'transact', why: 'an inserted row has no UUID' });
  return uuid;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
