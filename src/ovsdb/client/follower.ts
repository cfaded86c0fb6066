/**
 * Follows one database over any number of sessions: when to ask for the schema, for a monitor, for other conditions, and
 * what a lost link, a converted schema or a database that went means for the replica (lib/ovsdb-cs.c is the model).
 * What goes over the wire is monitor.ts's; whose session it is, sharedlink.ts's.
 */
import { fail, toVsbError, type VsbError } from '../../errors.ts';
import { inOneGo, type Steps } from '../../jsonrpc/steps.ts';
import type { Changes } from '../replica/changes.ts';
import type { Wheres } from './conditions.ts';
import { ConditionSender } from './conditionsender.ts';
import type { Counters } from './metrics.ts';
import {
  fetchSchema,
  listDatabases,
  missingOf,
  NO_TRANSACTION,
  readSchemaText,
  startMonitor,
  type HeldColumns,
  type Limits,
  type MonitorContent,
  type PresentColumns,
} from './monitor.ts';
import { Replica } from '../replica/replica.ts';
import type { RowCodec } from '../replica/row.ts';
import { isOther } from './serverdb.ts';
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

export class Follower<Tables> implements Member {
  readonly database: string;
  readonly #options: FollowerOptions;
  readonly #events: FollowerEvents<Tables>;
  readonly #replica = new Replica<Tables>();
  /** Which rows are held, and changes of that. */
  readonly conditions: ConditionSender;
  #state: FollowerState = { at: 'idle' };
  #served: Served | undefined;
  #present: PresentColumns | undefined;
  #missing: readonly string[] = [];
  #monitorId: string | undefined;
  #lastTransaction = NO_TRANSACTION;
  #wasLive = false;
  /** Which attempt to follow is the present one: what an older one still learns is of no use. */
  #attempt = 0;

  constructor(options: FollowerOptions, events: FollowerEvents<Tables>) {
    this.database = options.database;
    this.#options = options;
    this.#events = events;
    this.conditions = new ConditionSender(options.wheres, options.limits, (cause) => {
      events.leave(toVsbError(cause));
    });
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

  get isSettled(): boolean {
    return this.#state.at === 'live' || this.#state.at === 'waiting';
  }

  serverSays(served: Served): void {
    const before = this.#served;
    this.#served = served;
    const { at } = this.#state;
    if (at === 'idle') this.#start(served, served.row?.schema);
    else if (at === 'waiting' && isOther(served.row, before?.row)) this.#start(served);
  }

  linkDown(): void {
    this.#stop();
    this.#served = undefined;
    this.#state = { at: 'idle' };
  }

  update(content: MonitorContent & { readonly id: unknown }): void {
    if (content.id !== this.#monitorId || this.#state.at !== 'live') return;
    this.#publish(inOneGo(this.#take(content)), false);
  }

  canceled(id: unknown): void {
    if (id !== this.#monitorId || !this.#served) return;
    const { remote } = this.#served;
    this.#options.log('info', `${this.database} at ${remote} was converted or removed; looking anew`);
    this.#lastTransaction = NO_TRANSACTION;
    this.#start(this.#served);
  }

  /** Ends the monitor on the present session, which others may go on using. */
  async end(): Promise<void> {
    const [served, id] = [this.#served, this.#monitorId];
    this.#stop();
    this.conditions.end();
    this.#state = { at: 'idle' };
    if (served && id !== undefined)
      await served.session.request('monitor_cancel', [id], this.#options.limits);
  }

  #stop(): void {
    this.#attempt += 1;
    this.#monitorId = undefined;
    // Whether the server has done what was requested is not known: only a complete copy is sure to be right.
    if (this.conditions.isUncertain) this.#lastTransaction = NO_TRANSACTION;
    this.conditions.detach();
  }

  #start(served: Served, schemaText?: string): void {
    this.#stop();
    const attempt = this.#attempt;
    this.#enter({ at: 'synchronising', remote: served.remote });
    this.#follow(served, attempt, schemaText).catch((cause: unknown) => {
      if (attempt !== this.#attempt) return;
      const reason = toVsbError(cause);
      if (reason.code !== 'OVSDB_REQUEST_REFUSED' && reason.code !== 'JSONRPC_UNSENDABLE') {
        this.#events.leave(reason);
        return;
      }
      // Converted while it was being asked for: what it refuses is what was there before.
      if (this.#served && isOther(this.#served.row, served.row)) {
        this.#start(this.#served);
        return;
      }
      // The server is good for others on the link: what it refuses is of this database only.
      this.#options.log('warn', reason.message);
      if (this.conditions.takeBack(reason)) this.#start(served);
      else this.#enter({ at: 'waiting', reason });
    });
  }

  async #follow(served: Served, attempt: number, schemaText: string | undefined): Promise<void> {
    const { limits, held, isFollowed, log } = this.#options;
    const { session, remote } = served;
    const present =
      schemaText === undefined
        ? await fetchSchema(session, this.database, limits)
        : readSchemaText(schemaText);
    if (attempt !== this.#attempt) return;
    if (!present) {
      await this.#waitForDatabase(served, attempt);
      return;
    }
    this.#present = present;
    const missing = missingOf(held, present);
    for (const name of missing)
      if (!this.#missing.includes(name))
        log('warn', `the server's ${this.database} schema has no ${name}; it reads as empty`);
    // What it told of a column that it did not have is nothing, and a difference would not make up for it.
    if (missing.join() !== this.#missing.join()) this.#lastTransaction = NO_TRANSACTION;
    this.#missing = missing;
    if (this.#lastTransaction === NO_TRANSACTION) this.conditions.startAnew();
    const id = served.newMonitorId(this.database);
    this.#monitorId = id;
    const request = {
      database: this.database,
      id,
      held,
      present,
      wheres: this.conditions.acked,
      isFollowed,
      since: this.#lastTransaction,
    };
    const started = { ms: performance.now(), bytes: served.bytesReceived() };
    const method = await startMonitor(session, request, limits, (content) =>
      this.#becomeLive(served, attempt, content, started),
    );
    if (attempt !== this.#attempt) return;
    log('debug', `following ${this.database} at ${remote} with ${method}`);
    if (method === 'monitor' && [...request.wheres.values()].some((where) => where !== true))
      log('warn', `${remote} knows no conditions: every row of ${this.database} is held`);
    this.conditions.attach(method === 'monitor' ? 'unconditional' : { session, id, present });
  }

  *#becomeLive(
    served: Served,
    attempt: number,
    content: MonitorContent,
    started: { readonly ms: number; readonly bytes: number },
  ): Steps {
    const taking = this.#take(content);
    let taken;
    do {
      // Closed, cut off or canceled: the replica stays as it was.
      if (attempt !== this.#attempt) return undefined;
      taken = taking.next();
      if (taken.done !== true) yield;
    } while (taken.done !== true);
    const changes = taken.value;
    const isFirst = !this.#wasLive;
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
    this.conditions.shown();
    this.#enter(this.#state);
    return undefined;
  }

  /** Takes rows. Where they do not fit, the next copy is a complete one. */
  *#take(content: MonitorContent): Steps<Changes<Tables> | undefined> {
    try {
      const changes = content.isDifference
        ? this.#replica.apply(content.updates, content.form)
        : yield* this.#replica.loading(this.#options.codecs, content.updates, content.form);
      // The first copy alone says nothing of what came later.
      if (this.#options.isFollowed) this.#lastTransaction = content.lastTransaction;
      return changes;
    } catch (cause) {
      this.#lastTransaction = NO_TRANSACTION;
      throw cause;
    }
  }

  #publish(changes: Changes<Tables> | undefined, isFirst: boolean): void {
    if (changes) this.#options.counters.updates += 1;
    if (changes || isFirst) this.#events.onChanges(changes, isFirst);
  }

  async #waitForDatabase(served: Served, attempt: number): Promise<void> {
    const { session, remote } = served;
    const present = await listDatabases(session, this.#options.limits);
    if (attempt !== this.#attempt) return;
    // It came back while this was being asked.
    if (this.#served && isOther(this.#served.row, served.row)) {
      this.#start(this.#served);
      return;
    }
    const names = present.filter((name) => name !== '_Server').join(', ');
    const reason = fail('OVSDB_NO_DATABASE', { remote, database: this.database, present: names });
    this.#enter({ at: 'waiting', reason });
  }

  #enter(state: FollowerState): void {
    this.#state = state;
    this.#events.onState(state);
  }
}
