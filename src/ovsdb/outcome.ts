/**
 * What became of a transaction: a closed set, each saying what the caller can do. Reads the server's reply
 * (RFC 7047 §4.1.3), whose failures are inside of a successful answer.
 */
import type { VsbError } from '../errors.ts';
import type { Uuid } from './schema.ts';
import type { Ref } from './ref.ts';

/** What one operation gave. */
export type OperationResult =
  | { readonly kind: 'insert'; readonly uuid: Uuid }
  /** Rows touched by update, mutate, delete. */
  | { readonly kind: 'count'; readonly count: number }
  /** Rows of a select: decoded columns by name. */
  | { readonly kind: 'select'; readonly rows: readonly Readonly<Record<string, unknown>>[] }
  | { readonly kind: 'done' };

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
