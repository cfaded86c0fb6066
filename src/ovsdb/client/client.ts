/**
 * An OVSDB client: one database, replicated and changed by transactions, whatever happens to the link. Puts together what
 * follows (follower.ts), what it follows over (sharedlink.ts), and what a transaction came to (outcome.ts).
 */
import type { Observable } from 'rxjs';
import { fail } from '../../errors.ts';
import type { LinkState } from '../../jsonrpc/link.ts';
import type { Changes } from '../replica/changes.ts';
import { encodeConditions, type Conditions } from './conditions.ts';
import { firstCopy } from './firstcopy.ts';
import { Follower, type FollowerState } from './follower.ts';
import { heldCodecs, type HeldCodecs } from './heldcodecs.ts';
import { withAssertion, withoutAssertion, type Lock } from './lock.ts';
import { Counters, type Metrics } from './metrics.ts';
import {
  openLink,
  type ConnectOptions,
  type DatabaseOptions,
  type LinkStatus,
  type TransactOptions,
} from './options.ts';
import { readOutcome, type TransactionOutcome } from '../transaction/outcome.ts';
import { toUuid } from '../schema/schema.ts';
import { check, compareWith, planCheck, type Difference } from './selfcheck.ts';
import type { SharedLink } from './sharedlink.ts';
import { Snapshot } from '../replica/snapshot.ts';
import { BehaviorSubject, Subject } from './streams.ts';
import type { Transaction } from '../transaction/transaction.ts';
import { waitForEnd, waitForValue, type WaitForOptions } from './waitfor.ts';

export type { ConnectOptions, LinkStatus } from './options.ts';
export type { WaitForOptions } from './waitfor.ts';

/** One database: its replica and its transactions. The owner ends it with `close` or `await using`. */
export class OvsdbClient<Tables> implements AsyncDisposable {
  readonly #link: SharedLink;
  readonly #ownsLink: boolean;
  readonly #options: DatabaseOptions<Tables>;
  readonly #codecs: HeldCodecs;
  readonly #follower: Follower<Tables>;
  readonly #lock: Lock | undefined;
  readonly #counters = new Counters();
  readonly #status: BehaviorSubject<LinkStatus>;
  readonly #snapshots = new BehaviorSubject(new Snapshot<Tables>(new Map()));
  readonly #changes = new Subject<Changes<Tables>>();
  #closed: Promise<void> | undefined;

  /**
   * Connects, and resolves when the replica is complete. Later losses of the link are mended silently, see `status$`.
   * @throws REMOTE_INVALID, REMOTE_UNSUPPORTED, REMOTES_MIXED, TLS_FILES_MISSING, TLS_FILE_INVALID, TLS_KEY_MISMATCH,
   *   LISTEN_FAILED, OVSDB_UNREACHABLE, OVSDB_TIMEOUT, OVSDB_LINK_LOST, OVSDB_PROTOCOL, JSONRPC_SYNTAX,
   *   OVSDB_NO_DATABASE, OVSDB_SERVER_UNFIT, OVSDB_REQUEST_REFUSED, OVSDB_SCHEMA_INVALID, OVSDB_UNKNOWN_COLUMN,
   *   OVSDB_VALUE, CANCELLED
   */
  static async connect<Tables>(options: ConnectOptions<Tables>): Promise<OvsdbClient<Tables>> {
    const link = openLink(options);
    try {
      return await OvsdbClient.over(link, options, true);
    } catch (cause) {
      await link.close();
      throw cause;
    }
  }

  /** Follows a database over a link that may be shared. @throws as `connect` */
  static async over<Tables>(
    link: SharedLink,
    options: DatabaseOptions<Tables>,
    ownsLink: boolean,
  ): Promise<OvsdbClient<Tables>> {
    const client = new OvsdbClient(link, options, ownsLink);
    try {
      await firstCopy(client.#status, { ...options, database: options.schema.name, remotes: link.remotes });
      return client;
    } catch (cause) {
      await client.close();
      throw cause;
    }
  }

  private constructor(link: SharedLink, options: DatabaseOptions<Tables>, ownsLink: boolean) {
    const { schema, columns, conditions = {}, leaderOnly = true } = options;
    const clusterId = options.clusterId === undefined ? undefined : toUuid(options.clusterId);
    this.#link = link;
    this.#ownsLink = ownsLink;
    this.#options = options;
    this.#codecs = heldCodecs(schema, columns);
    const { state } = link;
    this.#status = new BehaviorSubject<LinkStatus>(
      state.at === 'up' ? { ...state, at: 'connecting' } : state,
    );
    this.#follower = new Follower<Tables>(
      {
        database: schema.name,
        codecs: this.#codecs.rows,
        held: this.#codecs.held,
        wheres: encodeConditions<Tables>(this.#codecs.tables, conditions),
        isFollowed: options.follow ?? true,
        limits: link.limits,
        counters: this.#counters,
        log: link.log,
      },
      {
        onState: (state) => {
          this.#onFollower(state);
        },
        onChanges: (changes, isFirst) => {
          this.#snapshots.next(new Snapshot(this.#follower.replica.tables));
          if (changes && !isFirst) this.#changes.next(changes);
        },
        leave: (reason) => {
          link.leave(reason);
        },
      },
    );
    this.#lock = options.lock === undefined ? undefined : link.lock(options.lock, false);
    link.add(this.#follower, { leaderOnly, clusterId, leastIndex: 0n }, (now) => {
      this.#onLink(now);
    });
  }

  /** The replica now. While the link is down: as it was when it was lost. */
  snapshot(): Snapshot<Tables> {
    return this.#snapshots.value;
  }

  /** The replica now, then after every real change; completes at close. */
  get snapshots$(): Observable<Snapshot<Tables>> {
    return this.#snapshots.asObservable();
  }

  /**
   * What each transaction really changed, from the first copy on; `snapshot()` shows it already. After a reconnect, a new
   * leader, a conversion of the schema, or other conditions: what differs from before, and nothing where nothing does.
   * Completes at close.
   */
  get changes$(): Observable<Changes<Tables>> {
    return this.#changes.asObservable();
  }

  /** The link and the database now, then after every change; completes at close. */
  get status$(): Observable<LinkStatus> {
    return this.#status.asObservable();
  }

  /** The tables (`Table`) and columns (`Table.column`) to hold that the present server's schema lacks: they read as empty. */
  get missing(): readonly string[] {
    return this.#follower.missing;
  }

  /** The lock that its transactions need, where one was asked for at `connect`. */
  get lock(): Lock | undefined {
    return this.#lock;
  }

  /** What it has counted, and its link. */
  metrics(): Metrics {
    return this.#counters.read(this.#link.stats);
  }

  /**
   * Sends a transaction. When it resolves with `success`, `snapshot()` shows what it did (with `follow`).
   * One transaction is one `transact` (RFC 7047 §4.1.3): all of it or nothing.
   * @throws CANCELLED where the signal came before it was sent; OVSDB_OTHER_DATABASE where the transaction was made with the
   *   schema of another; JSONRPC_UNSENDABLE; OVSDB_PROTOCOL
   */
  async transact(
    transaction: Transaction<Tables>,
    options: TransactOptions = {},
  ): Promise<TransactionOutcome> {
    const outcome = await this.#transact(transaction, options);
    this.#counters.count(outcome.outcome);
    return outcome;
  }

  /**
   * Waits until `read` finds something in the replica, now or after a change: anything but `undefined` and `false`.
   * @throws OVSDB_TIMEOUT, CANCELLED (by the signal, or by `close`); what `read` throws
   */
  waitFor<T>(
    read: (snapshot: Snapshot<Tables>) => T | false | undefined,
    options: WaitForOptions,
  ): Promise<T> {
    const what = `waiting for a change in the database "${this.#options.schema.name}"`;
    return waitForValue(this.#snapshots, read, { ...options, what });
  }

  /**
   * Changes which rows are held, of the tables that are named. Resolves when the replica shows them, also where the link is
   * lost meanwhile: the change is kept and made with the next server. Needs `follow`.
   * @throws OVSDB_REQUEST_REFUSED (and the conditions stay), OVSDB_UNKNOWN_COLUMN, OVSDB_VALUE, OVSDB_TIMEOUT, CANCELLED;
   *   after the last two the change goes on
   */
  async setConditions(conditions: Conditions<Tables>, options: WaitForOptions): Promise<void> {
    const wheres = encodeConditions(this.#codecs.tables, conditions);
    const what = `waiting for other rows of "${this.#options.schema.name}"`;
    await this.#follower.conditions.change(wheres, { ...options, what });
  }

  /**
   * Compares the replica with what the server has at one and the same moment (one transaction of `select`s). Costs a full read of the held rows.
   * @returns the differences; none is how it should be
   * @throws OVSDB_NOT_LIVE, OVSDB_REQUEST_REFUSED, OVSDB_PROTOCOL, OVSDB_LINK_LOST, OVSDB_TIMEOUT, CANCELLED
   */
  async selfCheck(
    options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
  ): Promise<readonly Difference[]> {
    const { session } = this.#link;
    const { present, conditions, replica } = this.#follower;
    const { schema } = this.#options;
    if (!session || !present || this.#follower.state.at !== 'live')
      throw fail('OVSDB_NOT_LIVE', { database: schema.name, at: this.#status.value.at });
    const plan = planCheck(this.#codecs.held, present, conditions.inForce);
    const limits = { timeoutMs: options.timeoutMs ?? this.#link.limits.timeoutMs, signal: options.signal };
    return check(session, schema.name, plan, limits, (result) =>
      compareWith(result, plan, this.#codecs, replica.tables),
    );
  }

  /**
   * Completes the observables and lets the server forget us; ends the link where it is this client's own.
   * @param options limits of the wait; it closes whatever becomes of that
   * @throws OVSDB_TIMEOUT, CANCELLED, by these limits
   */
  close(options: Partial<WaitForOptions> = {}): Promise<void> {
    this.#closed ??= this.#end();
    return waitForEnd(this.#closed, { ...options, what: 'closing the client' });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #end(): Promise<void> {
    this.#link.remove(this.#follower);
    const ends = this.#ownsLink ? [this.#link.close()] : [];
    ends.push(this.#follower.end());
    if (this.#lock) ends.push(this.#lock.release());
    this.#status.next({ at: 'closed' });
    this.#status.complete();
    this.#snapshots.complete();
    this.#changes.complete();
    await Promise.all(ends);
  }

  async #transact(transaction: Transaction<Tables>, options: TransactOptions): Promise<TransactionOutcome> {
    const { name: database } = this.#options.schema;
    // The server would take it, and this replica would not show it.
    if (transaction.database !== database)
      throw fail('OVSDB_OTHER_DATABASE', { given: transaction.database, database });
    if (transaction.isEmpty) return { outcome: 'unchanged' };
    const { session } = this.#link;
    // Live a moment before its status says so: who is told of the rows may write at once.
    if (!session || this.#follower.state.at !== 'live')
      return { outcome: 'try-again', reason: toReason(this.#status.value) };
    const lock = options.lock ?? this.#lock;
    if (lock && lock.state !== 'held')
      return { outcome: 'not-locked', reason: `the lock "${lock.name}" is ${lock.state}` };
    const operations = lock ? withAssertion(lock.name, transaction.operations) : transaction.operations;
    const answer = await session.request('transact', [transaction.database, ...operations], {
      timeoutMs: options.timeoutMs ?? this.#link.limits.timeoutMs,
      signal: options.signal,
    });
    return readOutcome(lock ? withoutAssertion(answer) : answer, transaction, this.#codecs.tables);
  }

  #onLink(state: LinkState): void {
    // The connection that it shares was closed.
    if (state.at === 'closed') void this.close();
    // While a session is up, the follower says.
    else if (state.at !== 'up') this.#status.next(state);
  }

  #onFollower(state: FollowerState): void {
    if (state.at === 'idle') return;
    this.#status.next(state);
    if (state.at !== 'synchronising') this.#link.reviewSettled();
  }
}

function toReason(status: LinkStatus): string {
  return status.at === 'backoff' || status.at === 'waiting'
    ? status.reason.message
    : `the database is ${status.at}`;
}
