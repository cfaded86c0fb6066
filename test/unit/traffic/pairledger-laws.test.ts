/** Laws of the ledger, over random histories of a switch: traffic, polls, rows that leave, restarts, lost connections. */
import { expect } from 'chai';
import fc from 'fast-check';
import { PairLedger, type AccountRow, type LeftRow } from '../../../src/traffic/pairs/pairledger.ts';

/** How long it may take until the switch tells that a row left. */
const TOLD_MS = 50;
/** After a lost connection, nobody can tell a row from one that took its place this soon after it was made. */
const DISTINCT_MS = 101;
/** A switch does not start in less. */
const START_MS = 150;
/** How far the switch's counters may lag behind what it forwarded. */
const LAG_MS = 500;

type Step =
  | { readonly do: 'send'; readonly pair: number; readonly packets: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'poll' }
  /** The row leaves; its last counts are told at once, or after the next poll where that comes soon. */
  | { readonly do: 'remove'; readonly pair: number; readonly isLate: boolean }
  | { readonly do: 'disconnect' }
  | { readonly do: 'restart-switch' }
  | { readonly do: 'restart-us' };

const STEP: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('send'),
      pair: fc.nat(2),
      packets: fc.integer({ min: 1, max: 50 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('wait'), ms: fc.integer({ min: 1, max: 1500 }) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('poll') }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('remove'), pair: fc.nat(2), isLate: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('disconnect') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart-switch') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart-us') }) },
);

describe('the ledger of pairs, over any history', () => {
  it('gives no negative rate, none above what was sent, totals that never go back, and right sums when all is told', () => {
    fc.assert(
      fc.property(fc.array(STEP, { maxLength: 60, size: 'max' }), (steps) => {
        const world = new World(DISTINCT_MS);
        for (const step of steps) world.do(step);
        world.settle();
      }),
      { numRuns: 1500 },
    );
  });

  it('is exact to the packet, also while rows come and go, as long as it is connected', () => {
    const connected = STEP.filter(
      ({ do: what }) => what === 'send' || what === 'wait' || what === 'poll' || what === 'remove',
    );
    fc.assert(
      fc.property(fc.array(connected, { maxLength: 60, size: 'max' }), (steps) => {
        const world = new World(0);
        world.do({ do: 'poll' });
        for (const step of steps) world.do(step);
        world.settle();
        for (const [pair, { total, quality }] of world.last) {
          expect([quality, total], String(pair)).to.deep.equal(['exact', world.sentTo(pair)]);
        }
      }),
      { numRuns: 1500 },
    );
  });
});

interface Row {
  readonly bornMs: number;
  /** When each packet was counted for, in order. */
  readonly sentMs: number[];
}

interface Seen {
  readonly total: number;
  readonly quality: string;
}

/** A switch, its rows, and somebody who reads them. */
class World {
  #nowMs = 100_000;
  #session = 1;
  #isConnected = true;
  #ledger = newLedger();
  #readBeforeMs: number | undefined;
  readonly #rows = new Map<number, Row>();
  #left: LeftRow[] = [];
  #leavingLate: { pair: number; row: Row; atMs: number }[] = [];
  /** Times of all packets by pair, since the switch was made. */
  readonly #sent = new Map<number, number[]>();
  /** Of the last poll of this ledger. */
  last = new Map<number, Seen>();
  /** Packets of a pair before its first row that the ledger could have read. */
  readonly #unseen = new Map<number, number>();

  /** How long it takes to remove a row. */
  readonly #removalMs: number;

  constructor(removalMs: number) {
    this.#removalMs = removalMs;
  }

  do(step: Step): void {
    switch (step.do) {
      case 'send':
        this.#send(step.pair, step.packets);
        break;
      case 'wait':
        this.#nowMs += step.ms;
        break;
      case 'poll':
        this.#poll();
        break;
      case 'remove':
        this.#remove(step.pair, step.isLate);
        break;
      case 'disconnect':
        this.#disconnect();
        break;
      case 'restart-switch':
        this.#nowMs += START_MS;
        this.#disconnect();
        for (const [pair, row] of this.#rows) this.#lose(pair, row);
        this.#rows.clear();
        break;
      case 'restart-us':
        this.#ledger = newLedger();
        this.#readBeforeMs = undefined;
        this.last.clear();
        for (const pair of PAIRS) this.#unseen.set(pair, this.sentEver(pair) - this.#counted(pair));
        this.#left = [];
        this.#leavingLate = [];
        this.#disconnect();
    }
  }

  /** Everything that is on its way arrives. */
  settle(): void {
    this.do({ do: 'wait', ms: LAG_MS });
    this.#poll();
    this.do({ do: 'wait', ms: 1 });
    this.#poll();
    for (const [pair, { total, quality }] of this.last) {
      if (quality === 'exact') expect(total, `pair ${String(pair)}`).to.equal(this.sentTo(pair));
    }
  }

  /** What the ledger could know of. */
  sentTo(pair: number): number {
    return this.sentEver(pair) - (this.#unseen.get(pair) ?? 0);
  }

  sentEver(pair: number): number {
    return this.#sent.get(pair)?.length ?? 0;
  }

  #send(pair: number, packets: number): void {
    const row = this.#rows.get(pair) ?? { bornMs: this.#nowMs, sentMs: [] };
    this.#rows.set(pair, row);
    const sent = this.#sent.get(pair) ?? [];
    this.#sent.set(pair, sent);
    for (let packet = 0; packet < packets; packet++) {
      row.sentMs.push(this.#nowMs);
      sent.push(this.#nowMs);
    }
  }

  #remove(pair: number, isLate: boolean): void {
    const row = this.#rows.get(pair);
    if (!row) return;
    this.#rows.delete(pair);
    this.#nowMs += this.#removalMs;
    if (!this.#isConnected) this.#lose(pair, row);
    else if (isLate) this.#leavingLate.push({ pair, row, atMs: this.#nowMs });
    else this.#left.push(this.#toLeft(pair, row));
  }

  /** Until the next poll, which connects again: what leaves meanwhile is told to nobody. */
  #disconnect(): void {
    this.#isConnected = false;
    for (const { pair, row } of this.#leavingLate) this.#lose(pair, row);
    this.#leavingLate = [];
  }

  /** Nobody is told of the row. A pair that was never read begins when it is read first. */
  #lose(pair: number, row: Row): void {
    const isKnown = this.last.has(pair) || this.#left.some(({ source }) => source === pair);
    if (!isKnown) this.#unseen.set(pair, (this.#unseen.get(pair) ?? 0) + row.sentMs.length);
  }

  /** By the row that is there. */
  #counted(pair: number): number {
    return this.#rows.get(pair)?.sentMs.length ?? 0;
  }

  #tellLate(isSoon: boolean): void {
    const told = this.#leavingLate.filter(({ atMs }) => isSoon || this.#nowMs - atMs > TOLD_MS);
    this.#left.push(...told.map(({ pair, row }) => this.#toLeft(pair, row)));
    this.#leavingLate = this.#leavingLate.filter((one) => !told.includes(one));
  }

  #poll(): void {
    if (!this.#isConnected) this.#session++;
    this.#isConnected = true;
    this.#tellLate(false);
    const rows = [...this.#rows].map(([pair, row]) =>
      this.#toRow(pair, row, row.sentMs.filter((ms) => ms <= this.#nowMs - LAG_MS).length),
    );
    this.#ledger.take({ session: this.#session, atMs: this.#nowMs, rows, left: this.#left });
    this.#left = [];
    this.#tellLate(true);
    const elapsedMs = this.#nowMs - (this.#readBeforeMs ?? Number.NEGATIVE_INFINITY);
    const seen = new Map<number, Seen>();
    for (const { from, packets, packetsPerSecond: rate, quality } of this.#ledger.pairs(this.#nowMs, true)) {
      const pair = typeof from === 'string' ? expect.fail(from) : Number(from.vm);
      const total = Number(packets);
      seen.set(pair, { total, quality });
      expect(total, 'a total goes back').to.be.at.least(this.last.get(pair)?.total ?? 0);
      expect(total, 'counted twice').to.be.at.most(this.sentTo(pair));
      if (rate === undefined) continue;
      expect(rate, 'a rate is negative').to.be.at.least(0);
      const sinceMs = (this.#readBeforeMs ?? 0) - LAG_MS;
      const sent = (this.#sent.get(pair) ?? []).filter((ms) => ms >= sinceMs).length;
      expect((rate * elapsedMs) / 1000, 'a rate above what was sent').to.be.at.most(sent + 1e-6);
    }
    this.last = seen;
    this.#readBeforeMs = this.#nowMs;
  }

  #toLeft(pair: number, row: Row): LeftRow {
    return { ...this.#toRow(pair, row, row.sentMs.length), atMs: this.#nowMs, isWhole: true };
  }

  #toRow(pair: number, { bornMs }: Row, packets: number): AccountRow {
    const durationMs = this.#nowMs - bornMs;
    return {
      source: pair,
      destination: 9,
      packets: BigInt(packets),
      bytes: BigInt(packets * 100),
      durationMs,
    };
  }
}

const PAIRS = [0, 1, 2];

function newLedger(): PairLedger {
  return new PairLedger('br0', (id) => ({
    vm: String(id),
    nic: '0',
    topology: undefined,
    network: undefined,
  }));
}
