/**
 * Which counts are new, out of the rows of a bridge's account table. Rows come and go: an idle one leaves, a port is made
 * anew, ovs-vswitchd restarts and forgets them all. Totals go on through that, and rates are given only where what they
 * divide is known. Pure: what was read is handed over, with the time. The table is described in docs/visibility.md.
 */
import type { Pair, PairEnd } from './pair.ts';
import { add, lessen, PairTotals, type PairTotal, type SourceTotal } from './pairtotals.ts';

/** A row of the account table: its counts when it was read, or when it left. */
export interface AccountRow {
  /** Who sends: `reg0`. */
  readonly source: number;
  /** Whom to: `reg1`, or {@link REST}. */
  readonly destination: number;
  readonly packets: bigint;
  readonly bytes: bigint;
  /** How long it had been there. */
  readonly durationMs: number;
  /** The switch made it when the pair began to talk: its first packets, which made it do so, were counted in the rest. */
  readonly isLearned?: boolean;
}

/** A row that left, with its last counts. */
export interface LeftRow extends AccountRow {
  /** When that was told. Monotonic clock, milliseconds. */
  readonly atMs: number;
  /** False where packets of the last half second may be missing in them: somebody deleted it, it did not just fall idle. */
  readonly isWhole: boolean;
}

/** In place of a destination: the row for what no pair's row counts. No port and no class has this number. */
export const REST = 0;

/** What was read of a bridge's account table. */
export interface AccountReading {
  /** Which connection to the bridge it was read on. */
  readonly session: number;
  /** Monotonic clock, milliseconds. */
  readonly atMs: number;
  readonly rows: readonly AccountRow[];
  /** Rows that left between the reading before and this one, in order. One that left may be told of one reading late. */
  readonly left: readonly LeftRow[];
}

/** Who has an id; `undefined` where nobody is known by it. */
export type NameOf = (id: number) => PairEnd | undefined;

/** The last counts of a row that left come within a second; later than this, they do not come. */
const LAST_COUNTS_MS = 10_000;
/** How far a row's age may seem off: as long as an answer may take, and some. Beyond it, it is another row. */
const AGE_SLACK_MS = 5_000;
/** Within it, it is surely the same row. */
const AGE_PRECISION_MS = 100;
/** Ids are below 2^17. */
const ID_SPAN = 0x2_0000;

interface KnownRow {
  readonly source: number;
  readonly destination: number;
  packets: bigint;
  bytes: bigint;
  durationMs: number;
  atMs: number;
  /** Number of the reading that had it last. */
  reading: number;
  /** Since when its last counts are awaited. */
  missingSinceMs: number;
  total: PairTotal;
}

/** Pairs of one bridge. */
export class PairLedger {
  readonly #totals: PairTotals;
  readonly #rows = new Map<number, KnownRow>();
  /** Rows that left without their last counts, by the same key. */
  readonly #awaited = new Map<number, KnownRow>();
  #nameOf: NameOf;
  #session: number | undefined;
  #isSameSession = false;
  /** By the switch's clock, between the last two readings. */
  #olderMs = 0;
  /** Of the last reading. */
  #atMs = 0;
  #reading = 0;

  constructor(bridge: string, nameOf: NameOf) {
    this.#totals = new PairTotals(bridge);
    this.#nameOf = nameOf;
  }

  /** Names have changed: from now on a row counts for whom its ids mean now. An id that means nobody now keeps its name. */
  rename(nameOf: NameOf): void {
    this.#nameOf = nameOf;
    for (const row of this.#rows.values()) {
      const before = row.total;
      const total = this.#totalOf(row, before);
      total.from = nameOf(row.source) ?? total.from;
      total.to = (row.destination === REST ? undefined : nameOf(row.destination)) ?? total.to;
      if (total === before) continue;
      before.rows--;
      before.emptySinceMs = this.#atMs;
      total.rows++;
      row.total = total;
    }
  }

  /** Takes the next reading. */
  take({ session, atMs, rows, left }: AccountReading): void {
    const elapsedMs = atMs - this.#atMs;
    this.#isSameSession = this.#session === session;
    this.#reading++;
    this.#olderMs = 0;
    this.#totals.begin(this.#isSameSession);
    for (const row of left) this.#takeLeft(row);
    for (const row of rows) this.#takeRow(row, atMs, elapsedMs);
    for (const [key, row] of this.#rows) {
      if (row.reading === this.#reading) continue;
      this.#rows.delete(key);
      this.#await(key, row, atMs);
    }
    for (const [key, row] of this.#awaited) this.#stillAwaited(key, row, atMs);
    // Our clock is read when the answer has come: were we held up just then, too little time seems to have passed.
    this.#totals.finish(atMs, this.#isSameSession ? Math.max(elapsedMs, this.#olderMs) : undefined);
    this.#session = session;
    this.#atMs = atMs;
  }

  /**
   * Every pair that is to be seen, in no order.
   * @param isFresh false where the bridge could not be read this time: there are no rates then
   */
  pairs(nowMs: number, isFresh: boolean): Pair[] {
    return this.#totals.pairs(Math.max(0, nowMs - this.#atMs), isFresh);
  }

  /** Everybody who may send. */
  sources(): SourceTotal[] {
    return this.#totals.sources();
  }

  #takeRow(row: AccountRow, atMs: number, elapsedMs: number): void {
    const key = keyOf(row);
    const known = this.#rows.get(key);
    if (known === undefined) {
      const total = this.#totalOf(row, undefined);
      // One that is new began to count after the reading before.
      if (row.durationMs >= elapsedMs) total.isComparable = false;
      this.#begin(key, row, atMs, total);
      return;
    }
    switch (this.#sameness(known, row, atMs)) {
      case 'another':
        this.#await(key, known, atMs);
        this.#begin(key, row, atMs, known.total);
        return;
      case 'unsure':
        lessen(known.total);
        break;
      case 'same':
    }
    add(known.total, row.packets - known.packets, row.bytes - known.bytes);
    this.#olderMs = Math.max(this.#olderMs, row.durationMs - known.durationMs);
    known.packets = row.packets;
    known.bytes = row.bytes;
    known.durationMs = row.durationMs;
    known.atMs = atMs;
    known.reading = this.#reading;
  }

  /**
   * Whether a row that is read is the one that was read before: counts only grow, and ages too. Who listened all the time is
   * told of the end of a row. So what is younger there, and counts no less, was written again by somebody else, which keeps
   * its counts (ovs-ofctl(8), `reset_counts`); if it is another one after all, the end of the one before will be told, and
   * then adds up to the same. Who did not listen has to compare ages, and the clock is read when the answer is here, not when
   * it was made.
   */
  #sameness(known: KnownRow, row: AccountRow, atMs: number): 'same' | 'another' | 'unsure' {
    if (row.packets < known.packets || row.bytes < known.bytes) return 'another';
    if (this.#isSameSession) return 'same';
    if (row.durationMs < known.durationMs) return 'another';
    const youngerMs = atMs - known.atMs - (row.durationMs - known.durationMs);
    if (youngerMs > AGE_SLACK_MS) return 'another';
    return youngerMs > AGE_PRECISION_MS ? 'unsure' : 'same';
  }

  /** A row that was not there before: all that it counts is new. */
  #begin(key: number, row: AccountRow, atMs: number, total: PairTotal): void {
    add(total, row.packets, row.bytes);
    total.rows++;
    // The source's sum is exact nevertheless: what is missing here is in its rest.
    if (row.isLearned === true) total.isExact = false;
    // A source's rest row is written with all else that counts the source.
    if (row.destination === REST) total.source.epoch++;
    const { source, destination, packets, bytes, durationMs } = row;
    const [reading, missingSinceMs] = [this.#reading, atMs];
    const known = { source, destination, packets, bytes, durationMs, atMs, reading, missingSinceMs, total };
    this.#rows.set(key, known);
  }

  /** A row is there no more; its last counts are to come. */
  #await(key: number, row: KnownRow, atMs: number): void {
    const earlier = this.#awaited.get(key);
    if (earlier) this.#giveUp(key, earlier);
    row.missingSinceMs = atMs;
    row.total.rows--;
    row.total.emptySinceMs = atMs;
    row.total.awaited++;
    row.total.source.awaited++;
    this.#awaited.set(key, row);
  }

  /** Last counts: of a row that is awaited, of one that is known, or of one that came and left unread. */
  #takeLeft(left: LeftRow): void {
    const key = keyOf(left);
    const awaited = this.#awaited.get(key);
    const known = this.#rows.get(key);
    const candidates = [awaited, known].flatMap((row) => (row && mayBeEndOf(row, left) ? row : []));
    const ended = nearestBirth(candidates, left);
    let total: PairTotal;
    if (ended) {
      total = ended.total;
      if (awayMs(ended, left) > AGE_PRECISION_MS) {
        total.isComparable = false;
      }
      if (ended === known) {
        this.#rows.delete(key);
        total.rows--;
      } else {
        this.#settle(key, ended);
        // It was missed in an earlier reading: some of this was sent before that.
        if (ended.reading < this.#reading - 1) total.isComparable = false;
      }
      add(total, left.packets - ended.packets, left.bytes - ended.bytes);
    } else {
      total = known?.total ?? this.#totalOf(left, awaited?.total);
      // Who knows when.
      total.isComparable = false;
      add(total, left.packets, left.bytes);
    }
    if (left.isLearned === true) total.isExact = false;
    total.emptySinceMs = left.atMs;
    // Of what else left meanwhile nothing may have been told.
    if (!left.isWhole || !this.#isSameSession) lessen(total);
  }

  #stillAwaited(key: number, row: KnownRow, atMs: number): void {
    if (row.reading === this.#reading - 1) row.total.isComparable = false;
    // They may have been told while nobody was connected, and what is told next may be of another row.
    if (!this.#isSameSession) lessen(row.total);
    if (atMs - row.missingSinceMs > LAST_COUNTS_MS) this.#giveUp(key, row);
  }

  #giveUp(key: number, row: KnownRow): void {
    this.#settle(key, row);
    lessen(row.total);
  }

  #settle(key: number, { total }: KnownRow): void {
    this.#awaited.delete(key);
    total.awaited--;
    total.source.awaited--;
  }

  /** @param fallback whose names to keep where an id means nobody */
  #totalOf(row: Pick<AccountRow, 'source' | 'destination'>, fallback: PairTotal | undefined): PairTotal {
    const from = this.#nameOf(row.source) ?? fallback?.from ?? 'unknown';
    const named = row.destination === REST ? undefined : this.#nameOf(row.destination);
    return this.#totals.of(from, named ?? fallback?.to ?? 'unknown', this.#atMs);
  }
}

function keyOf({ source, destination }: Pick<AccountRow, 'source' | 'destination'>): number {
  return source * ID_SPAN + destination;
}

function mayBeEndOf(row: KnownRow, left: AccountRow): boolean {
  return left.packets >= row.packets && left.bytes >= row.bytes && left.durationMs >= row.durationMs;
}

/** Of rows of the same pair one was born when the one that left was. */
function nearestBirth(rows: readonly KnownRow[], left: LeftRow): KnownRow | undefined {
  return rows.toSorted((a, b) => awayMs(a, left) - awayMs(b, left))[0];
}

/** How far apart the births of two rows seem; a moment may pass until something is told. */
function awayMs({ atMs, durationMs }: KnownRow, left: LeftRow): number {
  return Math.abs(atMs - durationMs - (left.atMs - left.durationMs));
}
