/**
 * One link to a server, or to one of several, that databases and locks share: asks each new session for the `_Server`
 * database, leaves a server that is not good enough for a database (serverdb.ts judges), and passes on what arrives.
 * Following a database is follower.ts's; sockets and pauses are jsonrpc/link.ts's.
 */
import { fail, toVsbError, type VsbError } from '../../errors.ts';
import { Link, type LinkOptions, type LinkState, type LinkStats, type LogLevel } from '../../jsonrpc/link.ts';
import { parseRemotes } from '../../jsonrpc/remote.ts';
import type { Session } from '../../jsonrpc/session.ts';
import { Lock } from './lock.ts';
import { readUpdate, type Limits, type MonitorContent, type Requester } from './monitor.ts';
import { Replica } from '../replica/replica.ts';
import {
  judge,
  remember,
  SERVER_DATABASE,
  SERVER_MONITOR,
  serverCodecs,
  type DatabaseRow,
  type Demands,
  type ServerTables,
} from './serverdb.ts';

/** A database that is followed over the link. */
export interface Member {
  readonly database: string;
  /** Whether it has what it can get of the present session. */
  readonly isSettled: boolean;
  /** A session is up and its server has been found good enough; again whenever that says something else. */
  serverSays(served: Served): void;
  /** Rows of a monitor, of this member or of another one. */
  update(content: MonitorContent & { readonly id: unknown }): void;
  /** The server ended a monitor, of this member or of another one. */
  canceled(id: unknown): void;
  /** The session is over. */
  linkDown(): void;
}

/** A server, as a database sees it. */
export interface Served {
  readonly session: Requester;
  readonly remote: string;
  /** What `_Server` says of the database; `undefined` where it is not there, or the server is older than 2.9. */
  readonly row: DatabaseRow | undefined;
  readonly newMonitorId: (database: string) => string;
  readonly bytesReceived: () => number;
}

export interface SharedLinkOptions extends LinkOptions {
  /** For an answer; while one is being received the time starts anew. */
  readonly requestTimeoutMs: number;
}

interface Seat {
  readonly member: Member;
  readonly onLink: (state: LinkState) => void;
  demands: Demands;
}

/** The id of the monitor of `_Server`; those of databases have a slash in them. */
const SERVER_MONITOR_ID = SERVER_DATABASE;

export class SharedLink implements AsyncDisposable {
  /** How many remotes there are. */
  readonly remotes: number;
  readonly log: (level: LogLevel, message: string) => void;
  readonly #link: Link;
  readonly #limits: Limits;
  readonly #seats = new Map<Member, Seat>();
  readonly #locks = new Map<string, Lock>();
  readonly #serverCodecs = serverCodecs();
  #state: LinkState;
  #session: Session | undefined;
  #remote = '';
  /** Undefined until the session has answered, or where the server has none. */
  #server: Replica<ServerTables> | undefined;
  #isGreeted = false;
  #monitors = 0;

  /** @throws as Link does */
  constructor(options: SharedLinkOptions) {
    this.#limits = { timeoutMs: options.requestTimeoutMs };
    const remotes = options.remotes.flatMap(parseRemotes);
    this.remotes = remotes.length;
    this.#state = { at: 'connecting', remote: remotes[0]?.text ?? '' };
    this.log = options.log ?? (() => undefined);
    this.#link = new Link(options, {
      onUp: (session) => {
        this.#onUp(session);
      },
      onNotification: (method, params) => {
        this.#onNotification(method, params);
      },
      onState: (state) => {
        this.#onState(state);
      },
    });
    this.#link.start();
  }

  get limits(): Limits {
    return this.#limits;
  }

  get state(): LinkState {
    return this.#state;
  }

  get stats(): LinkStats {
    return this.#link.stats;
  }

  /** The session that is up now. */
  get session(): Session | undefined {
    return this.#session;
  }

  /** Follows a database from now on. `onLink` hears each state of the link. */
  add(member: Member, demands: Demands, onLink: (state: LinkState) => void): void {
    this.#seats.set(member, { member, demands, onLink });
    if (this.#isGreeted) this.#review();
  }

  remove(member: Member): void {
    this.#seats.delete(member);
    this.reviewSettled();
  }

  /** Looks again whether every database has what it can get. */
  reviewSettled(): void {
    if (this.#isGreeted && [...this.#seats.keys()].every(({ isSettled }) => isSettled)) this.#link.settled();
  }

  /** @throws OVSDB_LOCK_TWICE, OVSDB_VALUE; CANCELLED after `close` */
  lock(name: string, steal: boolean): Lock {
    if (this.#state.at === 'closed')
      throw fail('CANCELLED', { what: 'the connection to the database is closed' });
    if (this.#locks.has(name)) throw fail('OVSDB_LOCK_TWICE', { lock: name });
    const lock = new Lock(name, { steal, onRelease: () => this.#locks.delete(name) });
    this.#locks.set(name, lock);
    if (this.#session && this.#isGreeted) this.#ask(lock, this.#session);
    return lock;
  }

  /** Leaves the server, with which something is wrong, for the next remote. */
  leave(reason: VsbError): void {
    if (this.#session) this.#link.leave(reason, 'warn');
  }

  /** Ends the link. What is in flight is `lost`. */
  async close(): Promise<void> {
    await this.#link.close();
    await Promise.all([...this.#locks.values()].map((lock) => lock.release()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #onState(state: LinkState): void {
    this.#state = state;
    if (state.at === 'up') this.#remote = state.remote;
    else this.#forgetSession();
    for (const { onLink } of [...this.#seats.values()]) onLink(state);
  }

  #forgetSession(): void {
    if (!this.#session) return;
    this.#session = undefined;
    this.#server = undefined;
    this.#isGreeted = false;
    for (const lock of this.#locks.values()) lock.lose();
    for (const member of this.#seats.keys()) member.linkDown();
  }

  #onUp(session: Session): void {
    this.#forgetSession();
    this.#session = session;
    this.#greet(session).catch((cause: unknown) => {
      if (session === this.#session) this.leave(toVsbError(cause));
    });
  }

  /** ovsdb-server(7), 4.1.18: without being told so, the server ends the session of who does not know of its changes. */
  async #greet(session: Session): Promise<void> {
    const answers = await Promise.all([
      session.request('set_db_change_aware', [true], this.#limits),
      session.request('monitor_cond', [SERVER_DATABASE, SERVER_MONITOR_ID, SERVER_MONITOR], {
        ...this.#limits,
        onResult: (result) => {
          if (session !== this.#session) return;
          this.#server = new Replica();
          this.#server.load(this.#serverCodecs, result, 2);
        },
      }),
    ]);
    if (session !== this.#session) return;
    // An error is the answer of a server before 2.9, which has neither.
    for (const answer of answers) if (answer.kind === 'lost') throw answer.reason;
    this.#isGreeted = true;
    for (const lock of this.#locks.values()) this.#ask(lock, session);
    this.#review();
  }

  #ask(lock: Lock, session: Session): void {
    lock.ask(session, this.#limits).catch((cause: unknown) => {
      if (session === this.#session) this.leave(toVsbError(cause));
    });
  }

  #onNotification(method: string, params: readonly unknown[]): void {
    const content = readUpdate(method, params);
    if (content?.id === SERVER_MONITOR_ID) {
      if (this.#server?.apply(content.updates, content.form) && this.#isGreeted) this.#review();
    } else if (content) for (const member of this.#seats.keys()) member.update(content);
    else if (method === 'monitor_canceled')
      for (const member of this.#seats.keys()) member.canceled(params[0]);
    else if (method === 'locked' || method === 'stolen') this.#locks.get(String(params[0]))?.hear(method);
  }

  /** Judges what the server says of each database: all of them must be good enough here. */
  #review(): void {
    const session = this.#session;
    if (!session) return;
    const rows = new Map<string, DatabaseRow>();
    for (const row of this.#server?.tables.get('Database')?.values() ?? []) {
      const known = row as unknown as DatabaseRow;
      rows.set(known.name, known);
    }
    for (const seat of this.#seats.values()) {
      const { database } = seat.member;
      const row = rows.get(database);
      if (!row) continue;
      const why = judge(row, seat.demands);
      if (why !== undefined) {
        this.#link.leave(fail('OVSDB_SERVER_UNFIT', { remote: this.#remote, database, why }));
        return;
      }
      seat.demands = remember(seat.demands, row);
    }
    for (const member of [...this.#seats.keys()]) {
      // By who was told before, the link or a database may have been left.
      if (session !== this.#session) return;
      if (!this.#seats.has(member)) continue;
      member.serverSays({
        session,
        remote: this.#remote,
        row: rows.get(member.database),
        newMonitorId: (database) => `${database}/${String((this.#monitors += 1))}`,
        bytesReceived: () => this.#link.stats.bytesReceived,
      });
    }
    this.reviewSettled();
  }
}
