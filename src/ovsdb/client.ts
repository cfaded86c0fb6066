/**
 * An OVSDB client: one database, replicated (replica.ts), followed (monitor.ts), changed by transactions.
 * Keeps the link up by itself (jsonrpc/session.ts, jsonrpc/reconnect.ts).
 */
import { BehaviorSubject, Subscription, type Observable } from 'rxjs';
import { fail, toVsbError, type VsbError } from '../errors.ts';
import { FIRST_TRY, linkDown, linkUp, type Reconnect } from '../jsonrpc/reconnect.ts';
import { isPassive, parseRemote, type ActiveRemote } from '../jsonrpc/remote.ts';
import { Session, type SessionListener } from '../jsonrpc/session.ts';
import { codecsOf, type TableCodec } from './codecs.ts';
import { follow, readUpdate } from './monitor.ts';
import { readOutcome, type TransactionOutcome } from './outcome.ts';
import { Replica } from './replica.ts';
import type { ColumnChoice, DatabaseSchema } from './schema.ts';
import { Snapshot } from './snapshot.ts';
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
  /**
   * False: the replica stays as it was at the time of connecting. For who reads once and writes once: the server need not
   * tell it what it wrote, which for thousands of rows takes as long as writing them. Default: true.
   */
  readonly follow?: boolean;
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

/** One database of one server: its replica, its link, its transactions. The owner ends it with `close` or `await using`. */
export class OvsdbClient<Tables> implements AsyncDisposable {
  readonly #options: ConnectOptions<Tables>;
  readonly #remote: ActiveRemote;
  readonly #codecs: ReadonlyMap<string, TableCodec>;
  readonly #replica = new Replica<Tables>();
  readonly #status: BehaviorSubject<LinkStatus> = new BehaviorSubject<LinkStatus>({ at: 'connecting' });
  readonly #snapshots = new BehaviorSubject(new Snapshot<Tables>(new Map()));
  readonly #closing = new AbortController();
  #session: Session | undefined;
  #reconnect: Reconnect = FIRST_TRY;
  #retry: NodeJS.Timeout | undefined;

  /**
   * Connects, and resolves when the replica is complete. Later losses of the link are mended silently, see `status$`.
   * @throws REMOTE_INVALID, REMOTE_UNSUPPORTED, OVSDB_UNREACHABLE, OVSDB_TIMEOUT, OVSDB_LINK_LOST, OVSDB_PROTOCOL,
   *   OVSDB_NO_DATABASE, OVSDB_REQUEST_REFUSED, OVSDB_UNKNOWN_COLUMN, CANCELLED
   */
  static async connect<Tables>(options: ConnectOptions<Tables>): Promise<OvsdbClient<Tables>> {
    const client = new OvsdbClient(options);
    await client.#establish(options.signal);
    return client;
  }

  private constructor(options: ConnectOptions<Tables>) {
    this.#options = options;
    const remote = parseRemote(options.remote);
    if (isPassive(remote)) throw fail('REMOTE_UNSUPPORTED', { remote: remote.text, method: remote.method });
    this.#remote = remote;
    this.#codecs = codecsOf(options.schema);
  }

  /** The replica now. While the link is down: as it was when it was lost. */
  snapshot(): Snapshot<Tables> {
    return this.#snapshots.value;
  }

  /** The replica now, then after every real change; completes at close. */
  get snapshots$(): Observable<Snapshot<Tables>> {
    return this.#snapshots.asObservable();
  }

  /** The link now, then after every change; completes at close. */
  get status$(): Observable<LinkStatus> {
    return this.#status.asObservable();
  }

  /**
   * Sends a transaction. When it resolves with `success`, `snapshot()` shows what it did (with `follow`).
   * @throws CANCELLED where the signal came before it was sent; JSONRPC_UNSENDABLE; OVSDB_PROTOCOL
   */
  async transact(
    transaction: Transaction<Tables>,
    options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
  ): Promise<TransactionOutcome> {
    if (transaction.isEmpty) return { outcome: 'unchanged' };
    const status = this.#status.value;
    if (!this.#session || status.at !== 'live')
      return {
        outcome: 'try-again',
        reason:
          status.at === 'backoff'
            ? status.reason.message
            : `the link to "${this.#remote.text}" is ${status.at}`,
      };
    const answer = await this.#session.request(
      'transact',
      [transaction.database, ...transaction.operations],
      {
        timeoutMs: options.timeoutMs ?? this.#options.requestTimeoutMs,
        signal: options.signal,
      },
    );
    return readOutcome(answer, transaction, this.#codecs);
  }

  /**
   * Waits until `read` finds something in the replica.
   * @throws OVSDB_TIMEOUT, CANCELLED (by the signal, or by `close`); what `read` throws
   */
  waitFor<T>(read: (snapshot: Snapshot<Tables>) => T | undefined, options: WaitForOptions): Promise<T> {
    const { timeoutMs, signal } = options;
    const what = `waiting for a change in the database at "${this.#remote.text}"`;
    return new Promise((resolve, reject) => {
      const subscription = new Subscription();
      const settle = (act: () => void) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        subscription.unsubscribe();
        act();
      };
      const cancel = () => {
        reject(fail('CANCELLED', { what }));
      };
      const onAbort = () => {
        settle(cancel);
      };
      const timer = setTimeout(() => {
        settle(() => {
          reject(fail('OVSDB_TIMEOUT', { what, limitMs: timeoutMs }));
        });
      }, timeoutMs);
      if (signal?.aborted === true) {
        onAbort();
        return;
      }
      signal?.addEventListener('abort', onAbort, { once: true });
      const look = (snapshot: Snapshot<Tables>) => {
        try {
          const found = read(snapshot);
          if (found !== undefined)
            settle(() => {
              resolve(found);
            });
        } catch (cause) {
          settle(() => {
            reject(toVsbError(cause));
          });
        }
      };
      subscription.add(this.#snapshots.subscribe({ next: look, complete: onAbort }));
    });
  }

  /** Ends the link and completes the observables. What is in flight is `unknown`. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    clearTimeout(this.#retry);
    const session = this.#session;
    this.#session = undefined;
    await session?.close();
    this.#status.next({ at: 'closed' });
    this.#status.complete();
    this.#snapshots.complete();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** One try: socket, schema, first copy. On failure nothing of it is left. */
  async #establish(given?: AbortSignal): Promise<void> {
    const { connectTimeoutMs, requestTimeoutMs, columns, schema } = this.#options;
    const signal = given ? AbortSignal.any([given, this.#closing.signal]) : this.#closing.signal;
    this.#status.next({ at: 'connecting' });
    const listener: SessionListener = {
      onNotification: (method, params) => {
        const update = readUpdate(method, params);
        if (update && this.#replica.apply(update.updates, update.form)) this.#publish();
      },
      onLost: (reason) => {
        // Before the replica is complete the failing request tells.
        if (this.#session === session) this.#onDown(reason);
      },
    };
    const session = await Session.open(this.#remote, listener, { connectTimeoutMs, signal });
    try {
      this.#status.next({ at: 'synchronising' });
      const { method, missing } = await follow(session, {
        remote: this.#remote.text,
        database: schema.name,
        codecs: this.#codecs,
        columns,
        isFollowed: this.#options.follow ?? true,
        timeoutMs: requestTimeoutMs,
        signal,
        load: (codecs, updates, form) => {
          if (this.#replica.load(codecs, updates, form)) this.#publish();
        },
      });
      if (session.lostReason) throw session.lostReason;
      // Closed between the last answer and here: nobody would end this session any more.
      if (this.#closing.signal.aborted)
        throw fail('CANCELLED', { what: `connecting to "${this.#remote.text}"` });
      for (const name of missing)
        this.#log('warn', `the server's ${schema.name} schema has no ${name}; it reads as empty`);
      this.#log('debug', `following ${schema.name} at ${this.#remote.text} with ${method}`);
      this.#session = session;
      this.#reconnect = linkUp(this.#reconnect, performance.now());
      this.#status.next({ at: 'live' });
    } catch (cause) {
      await session.close();
      throw cause;
    }
  }

  #onDown(reason: VsbError): void {
    this.#session = undefined;
    if (this.#closing.signal.aborted) return;
    const { state, waitMs } = linkDown(this.#reconnect, performance.now());
    this.#reconnect = state;
    this.#log('warn', `${reason.message} Trying again in ${String(waitMs)} ms.`);
    this.#retry = setTimeout(() => {
      this.#establish().then(
        () => {
          this.#log('info', `the link to ${this.#remote.text} is up again`);
        },
        (cause: unknown) => {
          this.#onDown(toVsbError(cause));
        },
      );
    }, waitMs);
    this.#status.next({ at: 'backoff', retryInMs: waitMs, reason });
  }

  #publish(): void {
    this.#snapshots.next(new Snapshot(this.#replica.tables));
  }

  #log(level: 'debug' | 'info' | 'warn' | 'error', message: string): void {
    this.#options.log?.(level, message);
  }
}
