/**
 * One random schema with a real ovsdb-server, our client with every kind of monitor, and the peers: after each step all of
 * them must hold the same. Everything is drawn from one seed; UUIDs that the server chooses are named by their order.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { VsbError } from '../../src/errors.ts';
import { markIntegers } from '../../src/jsonrpc/integers.ts';
import { MONITOR_METHODS, type MonitorMethod } from '../../src/ovsdb/client/monitor.ts';
import type { DatabaseSchema, GenericTables } from '../../src/ovsdb/schema/schema.ts';
import { parseSchema } from '../../src/ovsdb/schema/schemafile.ts';
import type { Transaction } from '../../src/ovsdb/transaction/transaction.ts';
import { OvsdbServer } from '../support/ovsdb.ts';
import {
  changedRows,
  difference,
  everything,
  only,
  type Content,
  type Held,
  rowText,
  wireElements,
} from '../support/peers/content.ts';
import { dumpWithOvsdbClient } from '../support/peers/ovsdbclient.ts';
import { heldByPython, type PythonIdl } from '../support/peers/pythonidl.ts';
import { RawOvsdb, type RawReply } from '../support/peers/rawovsdb.ts';
import { Follower } from './follower.ts';
import {
  randomChoices,
  randomTransaction,
  tableOf,
  wireOperation,
  type Operation,
  type Present,
  type RandomTransaction,
  type RowChoice,
} from './operations.ts';
import { build, contentOf, expectOutcome, expectSameOperations, ourConditions } from './ours.ts';
import { Random } from './random.ts';
import { CONTROL, extendedSchema, randomSchema, schemaText, type Schema } from './schemas.ts';
import { atomToJson, wireDatum } from './values.ts';
import { expectHeld, expectTold, LIMIT_MS } from './watched.ts';

const run = promisify(execFile);

/** What happened, over all steps, so that a test can see that it tested something. */
export interface Tally {
  steps: number;
  committed: number;
  failed: number;
  refusedByUs: number;
  interruptions: number;
  /** ovsdb-server 3.1 itself ends by SIGSEGV now and then. */
  crashes: number;
  /** Changes of which rows are held. */
  choices: number;
  /** Transactions whose result our client told before. */
  previews: number;
  /** Of them, those where the server left weak references to rows that went. */
  dangling: number;
  /** What python's IDL says when it does not take an update and is wrong from then on, and how often. */
  readonly complaints: Map<string, number>;
  readonly outcomes: Map<string, number>;
}

export function newTally(): Tally {
  return {
    steps: 0,
    committed: 0,
    failed: 0,
    refusedByUs: 0,
    interruptions: 0,
    crashes: 0,
    choices: 0,
    previews: 0,
    dangling: 0,
    complaints: new Map(),
    outcomes: new Map(),
  };
}

/** Things that happen between transactions, each of which must leave everything as it was. */
const INTERRUPTIONS = ['cut', 'kill', 'compact', 'convert', 'exit', 'compact offline'] as const;
type Interruption = (typeof INTERRUPTIONS)[number];

/** So many transactions lie between two interruptions. */
const STEPS_BETWEEN = 14;

export interface WorldOptions {
  readonly seed: number;
  readonly python: PythonIdl;
  readonly tally: Tally;
  /** Ends the steps early. */
  readonly signal: AbortSignal;
}

export class World implements AsyncDisposable {
  readonly #random: Random;
  readonly #seed: number;
  readonly #python: PythonIdl;
  readonly #tally: Tally;
  readonly #signal: AbortSignal;
  readonly #server: OvsdbServer;
  readonly #name: string;
  /** What all hold. */
  readonly #schema: Schema;
  /** What the server has, after conversions. */
  #newest: Schema;
  /** A default that the column's `enum` does not have: python's IDL never takes such a row as it is. */
  #isPythonWrong = false;
  readonly #held: Held;
  readonly #pythonHeld: Held;
  readonly #ours: DatabaseSchema<GenericTables>;
  readonly #followers: Follower[] = [];
  /** Those that hold only some of the rows, all the same. */
  readonly #choosy: Follower[] = [];
  #choices: Readonly<Record<string, RowChoice>> = {};
  /** These rows. */
  #chosen: Content = new Map();
  /** Both, one comparison earlier. */
  #before: { readonly truth: Content; readonly chosen: Content } = { truth: new Map(), chosen: new Map() };
  #raw: RawOvsdb;
  #truth: Content = new Map();
  /** UUIDs of each table in the order in which they came about, which is the same in every run. */
  readonly #known = new Map<string, string[]>();
  #counter = 0;
  /** What our client foretold of the transaction that was just made. */
  #preview: Content | undefined;
  #last: readonly RandomTransaction[] = [];

  static async open(options: WorldOptions): Promise<World> {
    const random = new Random(options.seed);
    const schema = randomSchema(random);
    const directory = mkdtempSync(join(tmpdir(), 'vsb-schema-'));
    const schemaPath = join(directory, 'random.ovsschema');
    writeFileSync(schemaPath, schemaText(schema));
    try {
      const server = await OvsdbServer.start({ schemaPath, init: false });
      const world = new World(options, random, schema, server, await RawOvsdb.open(server.socketPath));
      await world.#begin();
      return world;
    } catch (cause) {
      throw new Error(`seed ${String(options.seed)}: ${schemaText(schema)}`, { cause });
    } finally {
      rmSync(directory, { recursive: true });
    }
  }

  private constructor(
    options: WorldOptions,
    random: Random,
    schema: Schema,
    server: OvsdbServer,
    raw: RawOvsdb,
  ) {
    this.#random = random;
    this.#seed = options.seed;
    this.#python = options.python;
    this.#tally = options.tally;
    this.#signal = options.signal;
    this.#server = server;
    this.#raw = raw;
    this.#name = `seed ${String(options.seed)}`;
    this.#schema = schema;
    this.#newest = schema;
    this.#held = everything(schema);
    this.#pythonHeld = heldByPython(schema);
    this.#ours = parseSchema(JSON.parse(markIntegers(schemaText(schema))));
  }

  async #begin(): Promise<void> {
    const insert = { op: 'insert', table: CONTROL, row: { counter: 0 } };
    await this.#raw.request('transact', atomToJson([this.#schema.name, insert]));
    await this.#python.open(this.#name, [this.#server.remote], schemaText(this.#schema));
    await this.#follow();
    await this.#compare(0);
  }

  async #follow(): Promise<void> {
    const open = (name: string, method: MonitorMethod) => {
      const { directory, socketPath } = this.#server;
      return Follower.open(join(directory, name), socketPath, method, this.#schema, this.#held, this.#ours);
    };
    for (const method of MONITOR_METHODS) this.#followers.push(await open(`${method}.sock`, method));
    for (const method of ['monitor_cond_since', 'monitor_cond'] as const)
      this.#choosy.push(await open(`${method}-where.sock`, method));
  }

  /** Makes so many steps; what goes wrong is told with the seed, the step and its transactions. */
  async steps(count: number): Promise<void> {
    for (let step = 1; step <= count && !this.#signal.aborted; step += 1) {
      const interruption =
        step % STEPS_BETWEEN === 0
          ? INTERRUPTIONS[(step / STEPS_BETWEEN + this.#seed) % INTERRUPTIONS.length]
          : undefined;
      this.#last = [];
      try {
        if (interruption !== undefined) await this.#interrupt(interruption);
        else if (this.#random.percent(8)) await this.#chooseRows();
        else await this.#change();
        this.#tally.steps += 1;
      } catch (cause) {
        if (await this.#crashed()) {
          await this.#recover();
          continue;
        }
        const transactions = this.#last.map(({ operations }) => atomToJson(operations.map(wireOperation)));
        const text = (cause as Error).message;
        throw new Error(
          [
            `VSB_SEED=${String(this.#seed)}, step ${String(step)} (${interruption ?? 'transactions'}): ${text}`,
            ...transactions,
            schemaText(this.#schema),
          ].join('\n'),
          { cause },
        );
      }
    }
    for (const { client, label } of [...this.#followers, ...this.#choosy])
      if (!this.#signal.aborted) expect(await client.selfCheck(), `self-check ${label}`).to.deep.equal([]);
    expect(this.#server.log()).to.not.include('bad JSON-RPC message');
  }

  /** One transaction, or some at once over one connection. */
  async #change(): Promise<void> {
    const count = this.#random.percent(88) ? 1 : 2 + this.#random.below(4);
    const isRaw = this.#random.percent(30);
    const follower = this.#random.pick(this.#followers);
    this.#last = this.#random.list(count, () => {
      this.#counter += 1;
      return randomTransaction(this.#random, this.#schema, this.#present(), this.#counter);
    });
    const committed = await Promise.all(
      this.#last.map((transaction) =>
        isRaw ? this.#sendRaw(transaction) : this.#send(transaction, follower, count === 1),
      ),
    );
    const preview = this.#preview;
    this.#preview = undefined;
    const last = committed.lastIndexOf(true);
    await this.#compare(this.#last[last]?.counter ?? this.#committedCounter());
    this.#expectEmissions(count === 1);
    if (!preview) return;
    this.#tally.previews += 1;
    if (difference(preview, this.#truth) === undefined) return;
    // A weak reference from a row that the same transaction changes otherwise may stay, though what it names went (3.1).
    const sure = withoutWeak(this.#schema);
    this.#tally.dangling += 1;
    const differs = difference(only(preview, sure), only(this.#truth, sure));
    if (differs !== undefined) throw new Error(`the preview (-) against what came of it (+)\n${differs}`);
  }

  /** What our client foretells; `undefined` where it has to invent UUIDs. */
  #previewOf(
    transaction: Transaction<GenericTables>,
    operations: readonly Operation[],
  ): Content | Error | undefined {
    if (operations.some((operation) => operation.op === 'insert' && operation.uuid === undefined))
      return undefined;
    try {
      return contentOf(transaction.preview(), this.#schema, this.#held);
    } catch (cause) {
      return cause as Error;
    }
  }

  #present(): Present {
    return new Map(
      Object.keys(this.#held).map((name) => {
        const there = this.#truth.get(name);
        return [name, (this.#known.get(name) ?? []).filter((uuid) => there?.has(uuid))] as const;
      }),
    );
  }

  /** Other rows are held. */
  async #chooseRows(): Promise<void> {
    const choices = randomChoices(this.#random, this.#schema, this.#present());
    const conditions = ourConditions(this.#ours, this.#schema, choices);
    if (!conditions) return;
    const answers = await Promise.allSettled(
      this.#choosy.map((follower) => follower.client.setConditions(conditions, { timeoutMs: LIMIT_MS })),
    );
    const refused = answers.filter((answer) => answer.status === 'rejected');
    for (const { reason } of refused)
      if (!(reason instanceof VsbError) || reason.code !== 'OVSDB_REQUEST_REFUSED') throw reason;
    // A value with too many elements: the server refuses it to all, and what was chosen before stays.
    if (refused.length > 0) expect(refused).to.have.length(answers.length);
    else this.#choices = { ...this.#choices, ...choices };
    await this.#compare(this.#committedCounter());
    this.#expectEmissions(true);
    this.#tally.choices += 1;
  }

  /** The rows that are chosen, as the server sees it: of several conditions one is enough. */
  async #readChosen(): Promise<Content> {
    const selects = Object.entries(this.#held).flatMap(([table, columns]) => {
      const choice = this.#choices[table] ?? true;
      const wheres =
        typeof choice === 'boolean'
          ? choice
            ? [[]]
            : []
          : choice.map(([column, operator, value]) => [[column, operator, wireDatum(value)]]);
      return wheres.map((where) => ({ op: 'select', table, where, columns: ['_uuid', ...columns] }));
    });
    const { result } = await this.#raw.request('transact', atomToJson([this.#schema.name, ...selects]));
    const content = new Map(Object.keys(this.#held).map((name) => [name, new Map<string, string>()]));
    for (const [index, { table, columns }] of selects.entries())
      for (const row of (result as { rows: Record<string, unknown>[] }[])[index]?.rows ?? [])
        content
          .get(table)
          ?.set(
            (row['_uuid'] as [string, string])[1],
            rowText(tableOf(this.#schema, table), columns, row, wireElements),
          );
    return content;
  }

  /** The counter in the truth of the step before. */
  #committedCounter(): number {
    const [row = ''] = this.#truth.get(CONTROL)?.values() ?? [];
    return Number(row.slice('counter='.length));
  }

  /** @returns whether it was committed */
  async #sendRaw({ operations }: RandomTransaction): Promise<boolean> {
    const params = [this.#schema.name, ...operations.map(wireOperation)];
    return this.#note(operations, await this.#raw.request('transact', atomToJson(params)));
  }

  async #send(transaction: RandomTransaction, follower: Follower, isAlone: boolean): Promise<boolean> {
    const { operations, counter } = transaction;
    const built = build(this.#ours, this.#schema, operations, follower.client.snapshot());
    if ('refusal' in built) {
      const isCommitted = await this.#sendRaw(transaction);
      if (built.refusal === undefined) return isCommitted;
      this.#tally.refusedByUs += 1;
      if (isCommitted) throw new Error(`the server takes what our client refuses: ${built.refusal}`);
      return false;
    }
    const preview = isAlone ? this.#previewOf(built.transaction, operations) : undefined;
    const outcome = await follower.client.transact(built.transaction);
    const kinds = this.#tally.outcomes;
    kinds.set(outcome.outcome, (kinds.get(outcome.outcome) ?? 0) + 1);
    const seen = follower.proxy.takeWith((params) => counterOf(params) === counter);
    if (!seen) throw new Error(`it was not sent: ${JSON.stringify(outcome)}`);
    expectSameOperations(this.#schema, seen, operations);
    expectOutcome(this.#schema, seen, outcome, operations);
    const isCommitted = this.#note(operations, seen.reply);
    if (isCommitted && preview) {
      // ovsdb-server takes the least integer for its own negative; our client says that there is none.
      if (!(preview instanceof Error)) this.#preview = preview;
      else if (!preview.message.includes('9223372036854775808: not between'))
        throw new Error(`committed, but no preview: ${preview.message}`);
    }
    return isCommitted;
  }

  /** Notes what a reply says: the UUIDs of new rows. */
  #note(operations: readonly Operation[], reply: RawReply): boolean {
    const results = Array.isArray(reply.result)
      ? (reply.result as (Readonly<Record<string, unknown>> | null)[])
      : [];
    const isCommitted =
      results.length === operations.length && results.every((each) => each && !('error' in each));
    this.#tally[isCommitted ? 'committed' : 'failed'] += 1;
    if (isCommitted)
      for (const [index, operation] of operations.entries())
        if (operation.op === 'insert') {
          const [, uuid] = results[index]?.['uuid'] as [string, string];
          const known = this.#known.get(operation.table) ?? [];
          if (!known.includes(uuid)) this.#known.set(operation.table, [...known, uuid]);
        }
    return isCommitted;
  }

  /** That all hold the same once they have seen the transaction with this counter. */
  async #compare(counter: number): Promise<void> {
    const [truth, python, chosen] = await Promise.all([
      dumpWithOvsdbClient(this.#server.remote, this.#schema, this.#held),
      this.#python.dump(this.#name, this.#schema, this.#pythonHeld, counter),
      this.#readChosen(),
      ...[...this.#followers, ...this.#choosy].map((follower) => follower.caughtUp(counter)),
    ]);
    expectHeld(this.#followers, truth);
    expectHeld(this.#choosy, chosen);
    this.#before = { truth: this.#truth, chosen: this.#chosen };
    this.#chosen = chosen;
    this.#truth = truth;
    const differs = difference(python.content, only(truth, this.#pythonHeld));
    if (differs === undefined) return;
    if (python.complaints.length === 0 && !this.#isPythonWrong)
      throw new Error(`python (-) against ovsdb-client (+)\n${differs}`);
    for (const complaint of python.complaints) {
      const kind = complaint.replace(/^.*:/, '').replaceAll(/\d+/g, 'N');
      this.#tally.complaints.set(kind, (this.#tally.complaints.get(kind) ?? 0) + 1);
    }
    await this.#reopenPython(counter);
  }

  /** A new replica of python's is right again, but where it does not take even a first copy. */
  async #reopenPython(counter: number): Promise<void> {
    await this.#python.close(this.#name);
    await this.#python.open(this.#name, [this.#server.remote], schemaText(this.#schema));
    const python = await this.#python.dump(this.#name, this.#schema, this.#pythonHeld, counter);
    const differs = difference(python.content, only(this.#truth, this.#pythonHeld));
    this.#isPythonWrong = differs !== undefined && python.complaints.length > 0;
    if (differs !== undefined && !this.#isPythonWrong)
      throw new Error(`python anew (-) against ovsdb-client (+)\n${differs}`);
  }

  /** That our clients told of exactly the rows that differ. */
  #expectEmissions(isExact: boolean): void {
    const { truth, chosen } = this.#before;
    expectTold(this.#followers, changedRows(truth, this.#truth), isExact);
    expectTold(this.#choosy, changedRows(chosen, this.#chosen), isExact);
  }

  async #interrupt(kind: Interruption): Promise<void> {
    this.#tally.interruptions += 1;
    switch (kind) {
      case 'cut':
        for (const { proxy } of [...this.#followers, ...this.#choosy]) proxy.cut();
        break;
      case 'kill':
        await this.#server.kill();
        await this.#server.restart();
        break;
      case 'exit':
        await this.#exit();
        await this.#server.restart();
        break;
      case 'compact':
        await run('ovs-appctl', ['-t', join(this.#server.directory, 'ctl.sock'), 'ovsdb-server/compact']);
        break;
      case 'compact offline':
        await this.#exit();
        await run('ovsdb-tool', ['compact', join(this.#server.directory, 'conf.db')]);
        await this.#server.restart();
        break;
      case 'convert':
        await this.#convert();
        break;
    }
    await this.#tick();
  }

  /** A transaction that all must see: what was there before must be there again, and changes$ tells of nothing else. */
  async #tick(isExact = true): Promise<void> {
    await this.#raw[Symbol.asyncDispose]();
    this.#raw = await RawOvsdb.open(this.#server.socketPath);
    this.#counter += 1;
    const tick = { op: 'update', table: CONTROL, where: [], row: { counter: this.#counter } };
    await this.#raw.request('transact', atomToJson([this.#schema.name, tick]));
    await this.#compare(this.#counter);
    this.#expectEmissions(isExact);
  }

  /** Whether the server is gone without having been told. */
  async #crashed(): Promise<boolean> {
    try {
      await using raw = await RawOvsdb.open(this.#server.socketPath);
      await raw.request('list_dbs', '[]');
      return false;
    } catch {
      await this.#server.ended();
      return true;
    }
  }

  /** Goes on after the server ended by itself. Some of its transactions may have been made, and told of. */
  async #recover(): Promise<void> {
    for (;;) {
      this.#tally.crashes += 1;
      await this.#server.restart();
      try {
        await this.#tick(false);
        return;
      } catch (cause) {
        if (!(await this.#crashed()))
          throw new Error(`VSB_SEED=${String(this.#seed)}, after a crash`, { cause });
      }
    }
  }

  async #exit(): Promise<void> {
    await run('ovs-appctl', ['-t', join(this.#server.directory, 'ctl.sock'), 'exit']);
    await this.#server.ended();
  }

  /** Converts to a newer schema. The clients go on with theirs; the comparison, with what they hold. */
  async #convert(): Promise<void> {
    this.#newest = extendedSchema(this.#random, this.#newest);
    const path = join(this.#server.directory, 'newer.ovsschema');
    writeFileSync(path, schemaText(this.#newest));
    await run('ovsdb-client', ['--timeout=20', 'convert', this.#server.remote, path]);
    // python's IDL passes over `monitor_canceled` and stays as it was for ever (3.1).
    await this.#python.close(this.#name);
    await this.#python.open(this.#name, [this.#server.remote], schemaText(this.#schema));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Where python has ended, the step that failed says why.
    await this.#python.close(this.#name).catch(() => undefined);
    await this.#raw[Symbol.asyncDispose]();
    for (const follower of [...this.#followers, ...this.#choosy]) await follower[Symbol.asyncDispose]();
    await this.#server[Symbol.asyncDispose]();
  }
}

/** Columns that do not refer weakly. */
function withoutWeak(schema: Schema): Held {
  return Object.fromEntries(
    Object.entries(schema.tables).map(([name, { columns }]) => [
      name,
      Object.entries(columns).flatMap(([column, { key, value }]) =>
        key.refType === 'weak' || value?.refType === 'weak' ? [] : [column],
      ),
    ]),
  );
}

function counterOf(params: readonly unknown[]): number | undefined {
  const last = params.at(-1) as { table?: string; row?: { counter?: { text: string } } } | undefined;
  return last?.table === CONTROL && last.row?.counter ? Number(last.row.counter.text) : undefined;
}
