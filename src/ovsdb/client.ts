/**
 * An OVSDB client: one database, replicated (replica.ts), followed (monitor.ts), changed by transactions.
 * Keeps the link up by itself (jsonrpc/session.ts, jsonrpc/reconnect.ts).
 */
import type { Observable } from 'rxjs';
import { fail, type VsbError } from '../errors.ts';
import type { TransactionOutcome } from './outcome.ts';
import type { ColumnChoice, DatabaseSchema } from './schema.ts';
import type { Snapshot } from './snapshot.ts';
import type { Transaction } from './transaction.ts';

/** How the link is. Only in `live` is the replica known to be current. */
export type LinkStatus =
  | { readonly at: 'connecting' }
  | { readonly at: 'synchronising' }
  | { readonly at: 'live' }
  | { readonly at: 'backoff'; readonly retryInMs: number; readonly reason: VsbError }
  | { readonly at: 'closed' };

export interface ConnectOptions<Tables> {
  /** `unix:PATH`, `tcp:HOST:PORT`, `tcp:[IPV6]:PORT`. */
  readonly remote: string;
  readonly schema: DatabaseSchema<Tables>;
  /** What the replica holds. Reading a column of a row that is not named here throws OVSDB_COLUMN_NOT_HELD. */
  readonly columns: ColumnChoice<Tables>;
  /** For the socket to connect. */
  readonly connectTimeoutMs: number;
  /** For an answer; while one is being received the time starts anew. */
  readonly requestTimeoutMs: number;
  /** Ends connecting, not the client. */
  readonly signal?: AbortSignal;
  readonly log?: (level: 'debug' | 'info' | 'warn' | 'error', message: string) => void;
}

/** Limits of one wait. */
export interface WaitForOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export class OvsdbClient<Tables> implements AsyncDisposable {
  /**
   * Connects, and resolves when the replica is complete. Later losses of the link are mended silently, see `status$`.
   * @throws REMOTE_INVALID, REMOTE_UNSUPPORTED, OVSDB_UNREACHABLE, OVSDB_TIMEOUT, OVSDB_PROTOCOL, OVSDB_NO_DATABASE,
   *   OVSDB_REQUEST_REFUSED, CANCELLED
   */
  static connect<Tables>(options: ConnectOptions<Tables>): Promise<OvsdbClient<Tables>> {
    return Promise.reject(fail('INTERNAL', { what: `not written yet: ${options.remote}` }));
  }

  /** The replica now. */
  snapshot(): Snapshot<Tables> {
    throw fail('INTERNAL', { what: 'not written yet' });
  }

  /** The replica now, then after every change; completes at close. */
  get snapshots$(): Observable<Snapshot<Tables>> {
    throw fail('INTERNAL', { what: 'not written yet' });
  }

  /** The link now, then after every change; completes at close. */
  get status$(): Observable<LinkStatus> {
    throw fail('INTERNAL', { what: 'not written yet' });
  }

  /**
   * Sends a transaction. When it resolves with `success`, `snapshot()` shows what it did.
   * @throws CANCELLED where the signal came before it was sent; JSONRPC_UNSENDABLE
   */
  transact(
    transaction: Transaction<Tables>,
    options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
  ): Promise<TransactionOutcome> {
    return Promise.reject(
      fail('INTERNAL', { what: `not written yet: ${transaction.database} ${String(options.timeoutMs)}` }),
    );
  }

  /**
   * Waits until `read` finds something in the replica.
   * @throws OVSDB_TIMEOUT, CANCELLED
   */
  waitFor<T>(read: (snapshot: Snapshot<Tables>) => T | undefined, options: WaitForOptions): Promise<T> {
    return Promise.reject(
      fail('INTERNAL', { what: `not written yet: ${String(read)} ${String(options.timeoutMs)}` }),
    );
  }

  /** Ends the link and completes the observables. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
