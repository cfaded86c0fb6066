/**
 * One of our clients as the comparison sees it: behind a proxy of its own that makes the server as old as its kind of
 * monitor, with its changes replayed beside its snapshots.
 */
import { expect } from 'chai';
import type { Subscription } from 'rxjs';
import type { Changes } from '../../src/ovsdb/changes.ts';
import { OvsdbClient } from '../../src/ovsdb/client.ts';
import { MONITOR_METHODS, type MonitorMethod } from '../../src/ovsdb/monitor.ts';
import type { DatabaseSchema, GenericRow, GenericTables } from '../../src/ovsdb/schema.ts';
import type { Snapshot } from '../../src/ovsdb/snapshot.ts';
import type { Content, Held } from '../support/peers/content.ts';
import { TEST_LIMITS } from '../support/ovsdbclient.ts';
import { OvsdbProxy } from '../support/peers/proxy.ts';
import { contentOf } from './ours.ts';
import { CONTROL, type Schema } from './schemas.ts';

const LIMIT_MS = 20_000;

export class Follower implements AsyncDisposable {
  readonly method: MonitorMethod;
  readonly proxy: OvsdbProxy;
  readonly client: OvsdbClient<GenericTables>;
  readonly #schema: Schema;
  readonly #held: Held;
  readonly #rows = new Map<string, Map<string, GenericRow>>();
  readonly #subscription: Subscription;
  readonly #faults: string[] = [];
  #emissions: number[] = [];

  /** Connects; the proxy gets a socket at this path. */
  static async open(
    path: string,
    upstream: string,
    method: MonitorMethod,
    schema: Schema,
    held: Held,
    ours: DatabaseSchema<GenericTables>,
  ): Promise<Follower> {
    const refused = MONITOR_METHODS.slice(0, MONITOR_METHODS.indexOf(method));
    const proxy = await OvsdbProxy.start(path, upstream, refused);
    const client = await OvsdbClient.connect({
      remote: proxy.remote,
      schema: ours,
      columns: held,
      connectTimeoutMs: LIMIT_MS,
      requestTimeoutMs: LIMIT_MS,
      backoff: TEST_LIMITS.backoff,
    });
    expect(proxy.methods.filter((name) => name.startsWith('monitor')).at(-1)).to.equal(method);
    return new Follower(method, proxy, client, schema, held);
  }

  private constructor(
    method: MonitorMethod,
    proxy: OvsdbProxy,
    client: OvsdbClient<GenericTables>,
    schema: Schema,
    held: Held,
  ) {
    this.method = method;
    this.proxy = proxy;
    this.client = client;
    this.#schema = schema;
    this.#held = held;
    const first = client.snapshot();
    for (const name of Object.keys(held)) this.#rows.set(name, new Map(first.table(name)));
    this.#subscription = client.changes$.subscribe((changes) => {
      this.#replay(changes);
    });
  }

  /** Waits until it has seen the transaction that set the counter to this. */
  async caughtUp(counter: number): Promise<Snapshot<GenericTables>> {
    return this.client.waitFor(
      (snapshot) => {
        for (const row of snapshot.table(CONTROL).values())
          if ((row['counter'] as bigint) >= counter) return snapshot;
        return undefined;
      },
      { timeoutMs: LIMIT_MS },
    );
  }

  /** What it holds now, as text. */
  content(): Content {
    return contentOf(this.client.snapshot(), this.#schema, this.#held);
  }

  /** How many rows each emission since the last call changed. */
  takeEmissions(): readonly number[] {
    const emissions = this.#emissions;
    this.#emissions = [];
    return emissions;
  }

  /** That the changes, one after the other, lead to the very rows of the snapshot. */
  expectReplayed(): void {
    expect(this.#faults, `changes$ with ${this.method}`).to.deep.equal([]);
    const snapshot = this.client.snapshot();
    for (const [name, rows] of this.#rows) {
      const table = snapshot.table(name);
      expect(rows.size, `rows of ${name} after changes$ with ${this.method}`).to.equal(table.size);
      for (const [uuid, row] of table)
        if (rows.get(uuid) !== row)
          throw new Error(`changes$ with ${this.method} left ${name} ${uuid} as it was`);
    }
  }

  #replay(changes: Changes<GenericTables>): void {
    let count = 0;
    for (const { table, uuid, kind, before, after } of changes) {
      count += 1;
      const rows = this.#rows.get(table);
      const there = rows?.get(uuid);
      const isRight =
        there === before &&
        (kind === 'insert') === (before === undefined) &&
        (kind === 'delete') === (after === undefined) &&
        before !== after;
      if (!rows || !isRight) this.#faults.push(`${kind} of ${table} ${uuid} does not fit`);
      else if (after === undefined) rows.delete(uuid);
      else rows.set(uuid, after);
    }
    if (count !== changes.size || count === 0)
      this.#faults.push(`size says ${String(changes.size)}, there are ${String(count)}`);
    this.#emissions.push(count);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription.unsubscribe();
    await this.client.close();
    await this.proxy[Symbol.asyncDispose]();
  }
}
