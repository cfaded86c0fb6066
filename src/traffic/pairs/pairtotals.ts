/**
 * Totals and rates of pairs and of who sends in them, on one bridge. Which counts are new is pairledger.ts's to find out;
 * here they are added up, divided by time, and forgotten when nobody looks for them any more. Pure.
 */
import type { Pair, PairEnd } from './pair.ts';

/** Everything that a source sent: the sum over its pairs, those that have left the view too. */
export interface SourceTotal {
  readonly from: PairEnd;
  readonly packets: bigint;
  readonly bytes: bigint;
  /** False as long as the last counts of a row that left are on their way. */
  readonly isSettled: boolean;
  /** Differs where counting began anew, or packets may have been missed, since the reading before. */
  readonly epoch: number;
}

/** What is known of a pair. */
export interface PairTotal {
  readonly key: string;
  from: PairEnd;
  to: PairEnd;
  readonly source: Source;
  packets: bigint;
  bytes: bigint;
  /** Rows that count for it. */
  rows: number;
  /** Rows that left, whose last counts are on their way. */
  awaited: number;
  isExact: boolean;
  /** Since when it has had no row. */
  emptySinceMs: number;
  /** False where what came since the reading before is not known to have been sent since then. */
  isComparable: boolean;
  packetsBefore: bigint;
  bytesBefore: bigint;
  packetsPerSecond: number | undefined;
  bitsPerSecond: number | undefined;
}

interface Source {
  readonly key: string;
  from: PairEnd;
  packets: bigint;
  bytes: bigint;
  awaited: number;
  epoch: number;
  pairs: number;
}

/** A pair without a row stays in the view for as long as a person may take to see that it stopped. */
const KEEP_MS = 60_000;

export class PairTotals {
  readonly #bridge: string;
  readonly #totals = new Map<string, PairTotal>();
  readonly #sources = new Map<string, Source>();

  constructor(bridge: string) {
    this.#bridge = bridge;
  }

  /** The total of two ends; a new one begins with nothing. */
  of(from: PairEnd, to: PairEnd, atMs: number): PairTotal {
    const fromKey = endKey(from);
    const key = `${fromKey} ${endKey(to)}`;
    const known = this.#totals.get(key);
    if (known) return known;
    const source = this.#sourceOf(fromKey, from);
    source.pairs++;
    const total: PairTotal = {
      key,
      from,
      to,
      source,
      packets: 0n,
      bytes: 0n,
      rows: 0,
      awaited: 0,
      isExact: true,
      emptySinceMs: atMs,
      isComparable: true,
      packetsBefore: 0n,
      bytesBefore: 0n,
      packetsPerSecond: undefined,
      bitsPerSecond: undefined,
    };
    this.#totals.set(key, total);
    return total;
  }

  /**
   * A new reading: what it adds can be divided by the time since the one before, until something speaks against it.
   * @param isGapless false where rows may have come and left unseen since the reading before
   */
  begin(isGapless: boolean): void {
    for (const total of this.#totals.values()) {
      total.isComparable = true;
      if (!isGapless && total.rows === 0) total.isExact = false;
    }
  }

  /**
   * The reading is complete.
   * @param elapsedMs since the reading before; `undefined` where they cannot be compared
   */
  finish(atMs: number, elapsedMs: number | undefined): void {
    for (const total of this.#totals.values()) {
      rate(total, elapsedMs);
      const isEmpty = total.rows === 0 && total.awaited === 0;
      if (isEmpty && atMs - total.emptySinceMs > KEEP_MS) this.#forget(total);
    }
  }

  /**
   * Every pair that has sent something, in no order.
   * @param isFresh false: these are the totals of an earlier reading, without rates
   */
  pairs(ageMs: number, isFresh: boolean): Pair[] {
    const pairs: Pair[] = [];
    for (const total of this.#totals.values()) {
      if (total.packets === 0n) continue;
      pairs.push({
        bridge: this.#bridge,
        from: total.from,
        to: total.to,
        packets: total.packets,
        bytes: total.bytes,
        packetsPerSecond: isFresh ? total.packetsPerSecond : undefined,
        bitsPerSecond: isFresh ? total.bitsPerSecond : undefined,
        quality: total.isExact && total.awaited === 0 ? 'exact' : 'at-least',
        ageMs,
      });
    }
    return pairs;
  }

  /** Everybody who may send. */
  sources(): SourceTotal[] {
    return [...this.#sources.values()].map(({ from, packets, bytes, awaited, epoch }) => ({
      from,
      packets,
      bytes,
      isSettled: awaited === 0,
      epoch,
    }));
  }

  #sourceOf(key: string, from: PairEnd): Source {
    const known = this.#sources.get(key);
    if (known) return known;
    const source = { key, from, packets: 0n, bytes: 0n, awaited: 0, epoch: 0, pairs: 0 };
    this.#sources.set(key, source);
    return source;
  }

  #forget({ key, source }: PairTotal): void {
    this.#totals.delete(key);
    source.pairs--;
    if (source.pairs === 0) this.#sources.delete(source.key);
  }
}

/** More was counted. */
export function add(total: PairTotal, packets: bigint, bytes: bigint): void {
  if (packets === 0n) return;
  total.packets += packets;
  total.bytes += bytes;
  total.source.packets += packets;
  total.source.bytes += bytes;
}

/** Packets may have been missed. */
export function lessen(total: PairTotal): void {
  total.isExact = false;
  total.source.epoch++;
}

/** The same end has the same key, and another one another. */
export function endKey(end: PairEnd): string {
  return typeof end === 'string' ? end : JSON.stringify([end.topology, end.vm, end.nic]);
}

function rate(total: PairTotal, elapsedMs: number | undefined): void {
  const isKnown = total.isComparable && elapsedMs !== undefined && elapsedMs > 0;
  const perSecond = isKnown ? 1000 / elapsedMs : undefined;
  const packets = total.packets - total.packetsBefore;
  // Most pairs of a large switch are idle.
  if (packets === 0n) {
    total.packetsPerSecond = total.bitsPerSecond = perSecond === undefined ? undefined : 0;
    return;
  }
  total.packetsPerSecond = perSecond === undefined ? undefined : Number(packets) * perSecond;
  total.bitsPerSecond =
    perSecond === undefined ? undefined : Number(total.bytes - total.bytesBefore) * 8 * perSecond;
  total.packetsBefore = total.packets;
  total.bytesBefore = total.bytes;
}
