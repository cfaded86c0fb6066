/** One of our clients under watch: what it holds as text, and its changes replayed beside its snapshots. */
import { expect } from 'chai';
import type { Subscription } from 'rxjs';
import type { Changes } from '../../src/ovsdb/replica/changes.ts';
import type { OvsdbClient } from '../../src/ovsdb/client/client.ts';
import type { GenericRow, GenericTables } from '../../src/ovsdb/schema/schema.ts';
import { difference, type Content, type Held } from '../support/peers/content.ts';
import { contentOf } from './ours.ts';
import { CONTROL, type Schema } from './schemas.ts';

/** How long anything may take on a loaded machine. */
export const LIMIT_MS = 20_000;

export class Watched implements AsyncDisposable {
  /** What sets it apart, for messages. */
  readonly label: string;
  readonly client: OvsdbClient<GenericTables>;
  readonly #schema: Schema;
  readonly #held: Held;
  readonly #rows = new Map<string, Map<string, GenericRow>>();
  readonly #subscription: Subscription;
  readonly #faults: string[] = [];
  #emissions: number[] = [];

  constructor(label: string, client: OvsdbClient<GenericTables>, schema: Schema, held: Held) {
    this.label = label;
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
  async caughtUp(counter: number): Promise<void> {
    await this.client.waitFor(
      (snapshot) => {
        for (const row of snapshot.table(CONTROL).values())
          if ((row['counter'] as bigint) >= counter) return true;
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
    expect(this.#faults, `changes$ with ${this.label}`).to.deep.equal([]);
    const snapshot = this.client.snapshot();
    for (const [name, rows] of this.#rows) {
      const table = snapshot.table(name);
      expect(rows.size, `rows of ${name} after changes$ with ${this.label}`).to.equal(table.size);
      for (const [uuid, row] of table)
        if (rows.get(uuid) !== row)
          throw new Error(`changes$ with ${this.label} left ${name} ${uuid} as it was`);
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
  }
}

/** That they hold this, and that their changes led to it. */
export function expectHeld(all: readonly Watched[], content: Content): void {
  for (const watched of all) {
    const differs = difference(watched.content(), content);
    if (differs !== undefined)
      throw new Error(`our client (-), ${watched.label}, against the server (+)\n${differs}`);
    watched.expectReplayed();
  }
}

/** That they told of so many rows since the last time; of more only where there was more than one transaction. */
export function expectTold(all: readonly Watched[], rows: number, isExact: boolean): void {
  for (const watched of all) {
    const told = watched.takeEmissions().reduce((sum, count) => sum + count, 0);
    if (isExact ? told !== rows : told < rows)
      throw new Error(`${String(rows)} rows differ, changes$, ${watched.label}, told of ${String(told)}`);
  }
}
