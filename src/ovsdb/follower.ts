/**
 * Follows one database over any number of sessions: when to ask for the schema, for a monitor, for other conditions, and
 * what a lost link, a converted schema or a database that went means for the replica (lib/ovsdb-cs.c is the model).
 * What goes over the wire is monitor.ts's; whose session it is, sharedlink.ts's.
 */
import { BehaviorSubject } from 'rxjs';
import { fail, toVsbError, type VsbError } from '../errors.ts';
import type { Changes } from './changes.ts';
import * as conditions from './conditions.ts';
import type { ConditionState, Wheres } from './conditions.ts';
import type { Counters } from './metrics.ts';
import * as monitor from './monitor.ts';
import type { HeldColumns, Limits, MonitorContent, MonitorMethod, PresentColumns } from './monitor.ts';
import { Replica } from './replica.ts';
import type { RowCodec } from './row.ts';
import type { Member, Served } from './sharedlink.ts';

export interface FollowerOptions {
  readonly database: string;
  readonly codecs: ReadonlyMap<string, RowCodec>;
  readonly held: HeldColumns;
  readonly wheres: Wheres;
  readonly isFollowed: boolean;
  readonly limits: Limits;
  readonly counters: Counters;
  readonly log: (level: 'debug' | 'info' | 'warn', message: string) => void;
}

/** How following goes, apart from the link. */
export type FollowerState =
  | { readonly at: 'idle' }
  | { readonly at: 'synchronising'; readonly remote: string }
  | { readonly at: 'live'; readonly remote: string }
  | { readonly at: 'waiting'; readonly reason: VsbError };

/** Who a follower reports to. */
export interface FollowerEvents<Tables> {
  onState(state: FollowerState): void;
  /** The replica has changed; also after the first copy, where `changes` may be undefined. */
  onChanges(changes: Changes<Tables> | undefined, isFirst: boolean): void;
  /** This session is of no use any more. */
  leave(reason: VsbError): void;
}

/** The outcome of asking for conditions. */
interface ConditionProgress {
  readonly acked: number;
  readonly refused?: { readonly version: number; readonly reason: VsbError };
}

export class Follower<Tables> implements Member {
  readonly database: string;
  readonly #options: FollowerOptions;
  readonly #events: FollowerEvents<Tables>;
  readonly #replica = new Replica<Tables>();
  readonly #progress = new BehaviorSubject<ConditionProgress>({ acked: 0 });
  #conditions: ConditionState;
  #state: FollowerState = { at: 'idle' };
  #served: Served | undefined;
  #present: PresentColumns | undefined;
  #missing: readonly string[] = [];
  #method: MonitorMethod | undefined;
  #monitorId: string | undefined;
  #lastTransaction = monitor.NO_TRANSACTION;
  #wasLive = false;
  /** Which attempt to follow is the present one: what an older one still learns is of no use. */
  #attempt = 0;

  constructor(options: FollowerOptions, events: FollowerEvents<Tables>) {
    this.database = options.database;
    this.#options = options;
    this.#events = events;
    this.#conditions = conditions.initialConditions(options.wheres);
  }

  get replica(): Replica<Tables> {
    return this.#replica;
  }

  get state(): FollowerState {
    return this.#state;
  }

  /** The tables and columns to hold that the server does not have. */
  get missing(): readonly string[] {
    return this.#missing;
  }

  /** What the server has; `undefined` before the first copy. */
  get present(): PresentColumns | undefined {
    return this.#present;
  }

  /** The conditions that answers to requests sent now will be under. */
  get wheres(): Wheres {
    return (this.#conditions.requested ?? this.#conditions.acked).wheres;
  }

  get isSettled(): boolean {
    return this.#state.at === 'live' || this.#state.at === 'waiting';
  }

  serverSays(served: Served): void {
    const before = this.#served;
    this.#served = served;
    const { at } = this.#state;
    if (at === 'idle') this.#start(served, served.row?.schema);
    // It is back, or another one of its name is there.
    else if (at === 'waiting' && served.row && served.row !== before?.row) this.#start(served);
  }

  linkDown(): void {
    // Whether the server has done what was requested is not known: only a complete copy is sure to be right.
    if (this.#conditions.requested) this.#lastTransaction = monitor.NO_TRANSACTION;
    this.#conditions = conditions.interrupted(this.#conditions);
    this.#stop();
    this.#served = undefined;
    this.#state = { at: 'idle' };
  }

  update(content: MonitorContent & { readonly id: unknown }): void {
    if (content.id !== this.#monitorId || this.#state.at !== 'live') return;
    this.#publish(this.#take(content), false);
  }

  canceled(id: unknown): void {
    if (id !== this.#monitorId || !this.#served) return;
    this.#options.log(
      'info',
      `${this.database} at ${this.#served.remote} was converted or removed; looking anew`,
    );
    this.#lastTransaction = monitor.NO_TRANSACTION;
    this.#conditions = conditions.interrupted(this.#conditions);
    this.#start(this.#served);
  }

  /** Ends the monitor on the present session, which others may go on using. */
  async end(): Promise<void> {
    const [served, id] = [this.#served, this.#monitorId];
    this.#stop();
    this.#progress.complete();
    this.#state = { at: 'idle' };
    if (served && id !== undefined)
      await served.session.request('monitor_cancel', [id], this.#options.limits);
  }

  /**
   * Changes which rows are held.
   * @returns what to wait for: the version of the conditions, and the progress that will reach it
   */
  want(changes: Wheres): {
    readonly version: number;
    readonly progress$: BehaviorSubject<ConditionProgress>;
  } {
    this.#conditions = conditions.want(this.#conditions, changes);
    const { version } = conditions.newest(this.#conditions);
    this.#sendConditions();
    return { version, progress$: this.#progress };
  }

  #stop(): void {
    this.#attempt += 1;
    this.#monitorId = undefined;
    this.#method = undefined;
  }

  #start(served: Served, schemaText?: string): void {
    this.#stop();
    const attempt = this.#attempt;
    this.#enter({ at: 'synchronising', remote: served.remote });
    this.#follow(served, attempt, schemaText).catch((cause: unknown) => {
      if (attempt === this.#attempt) this.#events.leave(toVsbError(cause));
    });
  }

  async #follow(served: Served, attempt: number, schemaText: string | undefined): Promise<void> {
    const { limits, held, isFollowed, log } = this.#options;
    const present =
      schemaText === undefined
        ? await monitor.fetchSchema(served.session, this.database, limits)
        : monitor.readSchema(parseSchemaText(schemaText));
    if (attempt !== this.#attempt) return;
    if (!present) {
      await this.#waitForDatabase(served, attempt);
      return;
    }
    this.#present = present;
    this.#missing = monitor.missingOf(held, present);
    if (this.#lastTransaction === monitor.NO_TRANSACTION)
      this.#conditions = conditions.settledAnew(this.#conditions);
    const id = served.newMonitorId(this.database);
    this.#monitorId = id;
    const started = { ms: performance.now(), bytes: served.bytesReceived() };
    const method = await monitor.startMonitor(
      served.session,
      {
        database: this.database,
        id,
        held,
        present,
        wheres: this.#conditions.acked.wheres,
        isFollowed,
        since: this.#lastTransaction,
      },
      limits,
      (content) => {
        if (attempt === this.#attempt) this.#becomeLive(served, content, started);
      },
    );
    if (attempt !== this.#attempt) return;
    this.#method = method;
    for (const name of this.#missing)
      log('warn', `the server's ${this.database} schema has no ${name}; it reads as empty`);
    log('debug', `following ${this.database} at ${served.remote} with ${method}`);
    if (method === 'monitor' && [...this.#options.wheres.values()].some((where) => where !== true))
      log('warn', `${served.remote} knows no conditions: every row of ${this.database} is held`);
    this.#sendConditions();
  }

  #becomeLive(
    served: Served,
    content: MonitorContent,
    started: { readonly ms: number; readonly bytes: number },
  ): void {
    const isFirst = !this.#wasLive;
    const changes = this.#take(content);
    let rows = 0;
    for (const { size } of this.#replica.tables.values()) rows += size;
    this.#options.counters.lastResync = {
      rows,
      changedRows: changes?.size ?? 0,
      bytes: served.bytesReceived() - started.bytes,
      ms: performance.now() - started.ms,
      isDifference: content.isDifference,
    };
    this.#wasLive = true;
    this.#state = { at: 'live', remote: served.remote };
    this.#publish(changes, isFirst);
    this.#progress.next({ acked: this.#conditions.acked.version });
    this.#enter(this.#state);
  }

  /** Takes rows. Where they do not fit, the next copy is a complete one. */
  #take(content: MonitorContent): Changes<Tables> | undefined {
    try {
      const changes = content.isDifference
        ? this.#replica.apply(content.updates, content.form)
        : this.#replica.load(this.#options.codecs, content.updates, content.form);
      // The first copy alone says nothing of what came later.
      if (this.#options.isFollowed) this.#lastTransaction = content.lastTransaction;
      return changes;
    } catch (cause) {
      this.#lastTransaction = monitor.NO_TRANSACTION;
      throw cause;
    }
  }

  #publish(changes: Changes<Tables> | undefined, isFirst: boolean): void {
    if (changes) this.#options.counters.updates += 1;
    if (changes || isFirst) this.#events.onChanges(changes, isFirst);
  }

  async #waitForDatabase(served: Served, attempt: number): Promise<void> {
    const { session, remote } = served;
    const present = await monitor.listDatabases(session, this.#options.limits);
    if (attempt !== this.#attempt) return;
    // It came back while this was being asked.
    const row = this.#served?.row;
    if (row && row !== served.row) {
      this.#start(this.#served ?? served);
      return;
    }
    const names = present.filter((name) => name !== '_Server').join(', ');
    const reason = fail('OVSDB_NO_DATABASE', { remote, database: this.database, present: names });
    this.#enter({ at: 'waiting', reason });
  }

  /** One change of conditions at a time, as long as there are any. */
  #sendConditions(): void {
    const { session } = this.#served ?? {};
    if (!session || this.#method === undefined || this.#state.at !== 'live') return;
    const next = conditions.nextRequest(this.#conditions);
    if (!next) return;
    this.#conditions = next.state;
    const requests = monitor.toConditionRequests(next.tables, this.#present ?? new Map());
    if (this.#method === 'monitor' || Object.keys(requests).length === 0) {
      this.#acknowledge();
      this.#sendConditions();
      return;
    }
    this.#requestConditions(session, requests, this.#attempt).catch((cause: unknown) => {
      this.#events.leave(toVsbError(cause));
    });
  }

  async #requestConditions(
    session: monitor.Requester,
    requests: Readonly<Record<string, unknown>>,
    attempt: number,
  ): Promise<void> {
    const method = 'monitor_cond_change';
    const answer = await session.request(method, [this.#monitorId, this.#monitorId, requests], {
      ...this.#options.limits,
      extendWhileReceiving: true,
      // The rows that come and go with it have been sent before the answer.
      onResult: () => {
        if (attempt === this.#attempt) this.#acknowledge();
      },
    });
    if (attempt !== this.#attempt) return;
    if (answer.kind === 'lost') throw answer.reason;
    if (answer.kind === 'error') {
      const version = this.#conditions.requested?.version ?? 0;
      this.#conditions = conditions.refusedRequest(this.#conditions);
      const reason = monitor.refused(method, answer);
      this.#progress.next({ acked: this.#conditions.acked.version, refused: { version, reason } });
    }
    this.#sendConditions();
  }

  #acknowledge(): void {
    this.#conditions = conditions.acknowledged(this.#conditions);
    this.#progress.next({ acked: this.#conditions.acked.version });
  }

  #enter(state: FollowerState): void {
    this.#state = state;
    this.#events.onState(state);
  }
}

function parseSchemaText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw fail('OVSDB_PROTOCOL', { where: '_Server', why: 'a schema is no JSON' }, { cause });
  }
}
