/** Who sends to whom as a square: VMs, and who else is at an end. Pure. */
import type { Counter } from '../../units/counter.ts';
import type { Pair, PairEnd, Quality } from './pair.ts';
import { compareText } from '../switchports.ts';

/** What the cells hold: bytes or packets since each pair was first seen, or bit/s. */
export type MatrixBy = 'bytes' | 'packets' | 'rate';

/** A VM, all of its NICs together; or who is at an end and is no VM. */
export interface MatrixEnd {
  readonly name: string;
  readonly isVm: boolean;
  /** `undefined` for a VM that is not ours, and for who is none. */
  readonly topology: string | undefined;
}

/** What one end sent to another. */
export interface MatrixCell {
  /** Places in `ends`. */
  readonly from: number;
  readonly to: number;
  readonly value: number | bigint;
  readonly quality: Quality;
}

export interface Matrix {
  readonly by: MatrixBy;
  /** Those that send and receive most first. */
  readonly ends: readonly MatrixEnd[];
  /** Only those that have a value; no two of the same place. By `from`, then by `to`. */
  readonly cells: readonly MatrixCell[];
}

interface Sum {
  readonly from: string;
  readonly to: string;
  value: number | bigint;
  quality: Quality;
}

/** The square of some pairs. A pair without a known value is left out. */
export function toMatrix(pairs: readonly Pair[], by: MatrixBy): Matrix {
  const ends = new Map<string, MatrixEnd & { weight: number }>();
  const sums = new Map<string, Sum>();
  for (const pair of pairs) {
    const value = valueOf(pair, by);
    if (value === undefined) continue;
    const [from, to] = [take(ends, pair.from, value), take(ends, pair.to, value)];
    const sum = sums.get(`${from} ${to}`);
    if (sum) {
      sum.value = plus(sum.value, value);
      sum.quality = worse(sum.quality, pair.quality);
    } else sums.set(`${from} ${to}`, { from, to, value, quality: pair.quality });
  }
  const sorted = [...ends].sort(
    ([, a], [, b]) => b.weight - a.weight || Number(b.isVm) - Number(a.isVm) || compareText(a.name, b.name),
  );
  const placeOf = new Map(sorted.map(([key], place) => [key, place]));
  const cells = [...sums.values()]
    .map(({ from, to, value, quality }) => ({
      from: placeOf.get(from) ?? 0,
      to: placeOf.get(to) ?? 0,
      value,
      quality,
    }))
    .sort((a, b) => a.from - b.from || a.to - b.to);
  return { by, ends: sorted.map(([, { name, isVm, topology }]) => ({ name, isVm, topology })), cells };
}

/** Two of one kind. */
export function plus(a: number | bigint, b: number | bigint): number | bigint {
  return typeof a === 'bigint' && typeof b === 'bigint' ? a + b : Number(a) + Number(b);
}

/** How good a sum of two figures is. */
export function worse(a: Quality, b: Quality): Quality {
  if (a === b || b === 'exact') return a;
  return a === 'exact' ? b : 'at-least';
}

function valueOf({ bytes, packets, bitsPerSecond }: Pair, by: MatrixBy): Counter | number {
  switch (by) {
    case 'bytes':
      return bytes;
    case 'packets':
      return packets;
    case 'rate':
      return bitsPerSecond;
  }
}

function take(
  ends: Map<string, MatrixEnd & { weight: number }>,
  end: PairEnd,
  value: number | bigint,
): string {
  const key = typeof end === 'string' ? end : JSON.stringify([end.vm, end.topology]);
  const known = ends.get(key) ?? {
    name: typeof end === 'string' ? end : end.vm,
    isVm: typeof end !== 'string',
    topology: typeof end === 'string' ? undefined : end.topology,
    weight: 0,
  };
  known.weight += Number(value);
  ends.set(key, known);
  return key;
}
