/**
 * One random schema in a cluster of three servers, our client with the leader and with whoever is there, and the peers:
 * after each step all must hold the same, whoever leads by then.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { markIntegers } from '../../src/jsonrpc/integers.ts';
import { OvsdbClient } from '../../src/ovsdb/client/client.ts';
import type { DatabaseSchema, GenericTables } from '../../src/ovsdb/schema/schema.ts';
import { parseSchema } from '../../src/ovsdb/schema/schemafile.ts';
import { Transaction } from '../../src/ovsdb/transaction/transaction.ts';
import { status, TEST_LIMITS } from '../support/ovsdbclient.ts';
import { OvsdbCluster } from '../support/ovsdbcluster.ts';
import {
  changedRows,
  difference,
  everything,
  only,
  type Content,
  type Held,
} from '../support/peers/content.ts';
import { dumpWithOvsdbClient } from '../support/peers/ovsdbclient.ts';
import { heldByPython, type PythonIdl } from '../support/peers/pythonidl.ts';
import { randomTransaction, wireOperation, type RandomTransaction } from './operations.ts';
import { build } from './ours.ts';
import { Random } from './random.ts';
import { CONTROL, extendedSchema, clustered, randomSchema, schemaText, type Schema } from './schemas.ts';
import { atomToJson } from './values.ts';
import { expectHeld, expectTold, LIMIT_MS, Watched } from './watched.ts';

const run = promisify(execFile);

const INTERRUPTIONS = [
  'transfer leadership',
  'kill the leader',
  'convert',
  'kill a follower',
  'compact',
] as const;
type Interruption = (typeof INTERRUPTIONS)[number];

/** So many steps lie between two interruptions. */
const STEPS_BETWEEN = 12;

export class ClusterWorld implements AsyncDisposable {
  readonly #random: Random;
  readonly #seed: number;
  readonly #python: PythonIdl;
  readonly #cluster: OvsdbCluster;
  readonly #schema: Schema;
  readonly #held: Held;
  readonly #ours: DatabaseSchema<GenericTables>;
  readonly #watched: Watched[] = [];
  /** UUIDs of each table in the order in which they came about. */
  readonly #known = new Map<string, string[]>();
  #newest: Schema;
  #truth: Content = new Map();
  #counter = 0;
  #isInterrupting = false;
  #reviving: Promise<void> | undefined;
  /** While a step waits for a leader, nobody else would see that there are too few servers left. */
  readonly #watch = setInterval(() => {
    if (!this.#isInterrupting) this.#revive().catch(() => undefined);
  }, 100);
  #last: RandomTransaction | undefined;

  static async open(seed: number, python: PythonIdl): Promise<ClusterWorld> {
    const random = new Random(seed);
    const schema = clustered(randomSchema(random));
    const directory = mkdtempSync(join(tmpdir(), 'vsb-schema-'));
    const path = join(directory, 'random.ovsschema');
    writeFileSync(path, schemaText(schema));
    try {
      const cluster = await OvsdbCluster.start(3, { path, database: schema.name });
      const world = new ClusterWorld(seed, random, python, cluster, schema);
      await world.#begin();
      return world;
    } finally {
      rmSync(directory, { recursive: true });
    }
  }

  private constructor(
    seed: number,
    random: Random,
    python: PythonIdl,
    cluster: OvsdbCluster,
    schema: Schema,
  ) {
    this.#seed = seed;
    this.#random = random;
    this.#python = python;
    this.#cluster = cluster;
    this.#schema = schema;
    this.#newest = schema;
    this.#held = everything(schema);
    this.#ours = parseSchema(JSON.parse(markIntegers(schemaText(schema))));
  }

  async #begin(): Promise<void> {
    for (const leaderOnly of [true, false]) {
      const client = await OvsdbClient.connect({
        ...TEST_LIMITS,
        remote: this.#cluster.remotes,
        schema: this.#ours,
        columns: this.#held,
        leaderOnly,
        patienceMs: LIMIT_MS,
      });
      const label = leaderOnly ? 'with the leader' : 'with anyone';
      this.#watched.push(new Watched(label, client, this.#schema, this.#held));
    }
    const transaction = new Transaction(this.#ours);
    transaction.insert(CONTROL, { counter: 0n });
    expect((await this.#writer.transact(transaction)).outcome).to.equal('success');
    await this.#openPython();
    await this.#compare();
    for (const watched of this.#watched) watched.takeEmissions();
  }

  get #writer(): OvsdbClient<GenericTables> {
    const [watched] = this.#watched;
    if (!watched) throw new Error('nobody writes');
    return watched.client;
  }

  async #openPython(): Promise<void> {
    await this.#python.open(this.#name, this.#cluster.remotes, schemaText(this.#schema));
  }

  get #name(): string {
    return `cluster ${String(this.#seed)}`;
  }

  /** Makes so many steps; what goes wrong is told with the seed, the step and its transaction. */
  async steps(count: number): Promise<void> {
    for (let step = 1; step <= count; step += 1) {
      const interruption =
        step % STEPS_BETWEEN === 0
          ? INTERRUPTIONS[(step / STEPS_BETWEEN - 1) % INTERRUPTIONS.length]
          : undefined;
      this.#last = undefined;
      try {
        if (interruption !== undefined) {
          this.#isInterrupting = true;
          await this.#interrupt(interruption);
          this.#isInterrupting = false;
        } else await this.#change();
      } catch (cause) {
        const place = `VSB_SEED=${String(this.#seed)}, step ${String(step)} (${interruption ?? 'transaction'})`;
        throw new Error(
          `${place}: ${(cause as Error).message}\n${this.#lastText()}\n${schemaText(this.#schema)}`,
          {
            cause,
          },
        );
      }
    }
    for (const { client } of this.#watched) expect(await client.selfCheck()).to.deep.equal([]);
    for (const server of this.#cluster.servers) expect(server.log()).to.not.include('bad JSON-RPC message');
  }

  /** Starts those again that ended by themselves, as ovsdb-server 3.1 does now and then; two at once, and nobody leads. */
  async #revive(): Promise<void> {
    this.#reviving ??= (async () => {
      for (const server of this.#cluster.servers) if (!server.runs) await server.restart();
    })().finally(() => (this.#reviving = undefined));
    await this.#reviving;
  }

  #lastText(): string {
    return this.#last ? atomToJson(this.#last.operations.map(wireOperation)) : '';
  }

  async #change(): Promise<void> {
    this.#counter += 1;
    const present = new Map(
      Array.from(this.#known, ([name, uuids]) => [
        name,
        uuids.filter((uuid) => this.#truth.get(name)?.has(uuid)),
      ]),
    );
    this.#last = randomTransaction(this.#random, this.#schema, present, this.#counter);
    const built = build(this.#ours, this.#schema, this.#last.operations, this.#writer.snapshot());
    if ('refusal' in built) return;
    const outcome = await this.#writer.transact(built.transaction);
    if (outcome.outcome === 'success')
      for (const [{ table }, uuid] of outcome.uuids)
        this.#known.set(table, [...(this.#known.get(table) ?? []), uuid]);
    // A wait that did not come true is try-again too, and then nothing more is known.
    const isKnown = outcome.outcome !== 'unknown' && outcome.outcome !== 'try-again';
    if (!isKnown) await this.#tick();
    await this.#compareAndCount(isKnown);
    await this.#revive();
  }

  /** A transaction that is made once, however often it is sent. */
  async #tick(): Promise<void> {
    this.#counter += 1;
    for (;;) {
      await status(this.#writer, 'live');
      const transaction = new Transaction(this.#ours);
      transaction.update(CONTROL, [], { counter: BigInt(this.#counter) });
      const { outcome } = await this.#writer.transact(transaction);
      if (outcome === 'success') return;
      if (outcome !== 'unknown' && outcome !== 'try-again') throw new Error(`the counter: ${outcome}`);
    }
  }

  async #compareAndCount(isExact = true): Promise<void> {
    const before = this.#truth;
    await this.#compare();
    expectTold(this.#watched, changedRows(before, this.#truth), isExact);
  }

  async #compare(): Promise<void> {
    // It looks for the leader itself.
    const truth = await dumpWithOvsdbClient(this.#cluster.remotes.join(','), this.#schema, this.#held);
    const [row = ''] = truth.get(CONTROL)?.values() ?? [];
    const counter = Number(row.slice('counter='.length));
    const held = heldByPython(this.#schema);
    const [python] = await Promise.all([
      this.#python.dump(this.#name, this.#schema, held, counter),
      ...this.#watched.map((watched) => watched.caughtUp(counter)),
    ]);
    expectHeld(this.#watched, truth);
    this.#truth = truth;
    const differs = difference(python.content, only(truth, held));
    if (differs === undefined) return;
    if (python.complaints.length === 0) throw new Error(`python (-) against ovsdb-client (+)\n${differs}`);
    // It did not take an update, and is wrong from then on.
    await this.#python.close(this.#name);
    await this.#openPython();
  }

  async #interrupt(kind: Interruption): Promise<void> {
    switch (kind) {
      case 'transfer leadership':
        await this.#cluster.transferLeadership();
        break;
      case 'kill the leader': {
        const leader = await this.#cluster.leader();
        await leader.kill();
        await this.#cluster.leader();
        await this.#tick();
        await this.#compareAndCount();
        await leader.restart();
        break;
      }
      case 'kill a follower': {
        const [follower] = await this.#cluster.followers();
        await follower?.kill();
        await this.#tick();
        await this.#compareAndCount();
        await follower?.restart();
        break;
      }
      case 'compact':
        await (await this.#cluster.leader()).ctl('ovsdb-server/compact', this.#schema.name);
        break;
      case 'convert': {
        this.#newest = clustered(extendedSchema(this.#random, this.#newest));
        const leader = await this.#cluster.leader();
        const path = join(leader.directory, 'newer.ovsschema');
        writeFileSync(path, schemaText(this.#newest));
        await run('ovsdb-client', ['--timeout=20', 'convert', leader.remote, path]);
        // python's IDL passes over `monitor_canceled` and stays as it was for ever (3.1).
        await this.#python.close(this.#name);
        await this.#openPython();
        break;
      }
    }
    await this.#tick();
    await this.#compareAndCount();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#watch);
    await this.#reviving?.catch(() => undefined);
    await this.#python.close(this.#name).catch(() => undefined);
    for (const watched of this.#watched) await watched[Symbol.asyncDispose]();
    await this.#cluster[Symbol.asyncDispose]();
  }
}
