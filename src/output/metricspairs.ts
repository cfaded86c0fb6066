/**
 * Which pairs get series of their own, and what becomes of the rest. `other` is a counter too: it must never go back, also
 * where a pair that was in it gets series of its own, or the rate would show all that it ever sent as sent now. So it is
 * the sum of what was added to pairs while they were in it. Pure.
 */
import type { Pair, Quality } from '../traffic/pairs/pair.ts';
import { pairKeyOf } from './metricslabels.ts';

/** What pairs without series of their own sent meanwhile, on one bridge and of one quality. */
export interface OtherPairs {
  readonly bridge: string;
  readonly quality: Quality;
  readonly packets: bigint;
  readonly bytes: bigint;
}

/** What is to be shown of pairs. */
export interface ShownPairs {
  /** Most bytes first. */
  readonly top: readonly Pair[];
  readonly others: readonly OtherPairs[];
  /** How many pairs are in `others` now. */
  readonly leftOut: number;
}

type Totals = Pick<OtherPairs, 'packets' | 'bytes'>;

const NOTHING: Totals = { packets: 0n, bytes: 0n };

/** Keeps what `other` has grown to, from reading to reading. */
export class TopPairs {
  readonly #limit: number;
  /** Of every pair, at the last reading. */
  #before = new Map<string, Totals>();
  readonly #others = new Map<string, OtherPairs>();

  /** @param limit how many pairs get series of their own */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @param pairs all of them */
  update(pairs: readonly Pair[]): ShownPairs {
    const sorted = pairs.toSorted((a, b) => compareTotals(b, a));
    const top = sorted.slice(0, this.#limit);
    const rest = sorted.slice(this.#limit);
    const before = this.#before;
    this.#before = new Map();
    for (const pair of top) this.#before.set(pairKeyOf(pair), totalsOf(pair));
    for (const pair of rest) {
      const key = pairKeyOf(pair);
      const totals = totalsOf(pair);
      this.#before.set(key, totals);
      this.#add(pair, growth(before.get(key) ?? NOTHING, totals));
    }
    return { top, others: [...this.#others.values()], leftOut: rest.length };
  }

  #add({ bridge, quality }: Pair, { packets, bytes }: Totals): void {
    const key = `${quality} ${bridge}`;
    const other = this.#others.get(key) ?? NOTHING;
    this.#others.set(key, {
      bridge,
      quality,
      packets: other.packets + packets,
      bytes: other.bytes + bytes,
    });
  }
}

function totalsOf({ packets = 0n, bytes = 0n }: Pair): Totals {
  return { packets, bytes };
}

/** A total that went back began anew from 0. */
function growth(before: Totals, after: Totals): Totals {
  const wentBack = after.packets < before.packets || after.bytes < before.bytes;
  const from = wentBack ? NOTHING : before;
  return { packets: after.packets - from.packets, bytes: after.bytes - from.bytes };
}

function compareTotals(a: Pair, b: Pair): number {
  const [left, right] = [a.bytes ?? 0n, b.bytes ?? 0n];
  if (left !== right) return left < right ? -1 : 1;
  const [leftKey, rightKey] = [pairKeyOf(a), pairKeyOf(b)];
  return leftKey < rightKey ? 1 : leftKey > rightKey ? -1 : 0;
}
