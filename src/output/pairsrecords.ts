/** Pairs as flat records with stable names, for CSV. docs/watch.md describes every field. Pure. */
import type { Pair, PairEnd } from '../traffic/pairs/pair.ts';
import { rounded, type FieldValue } from './watchrecords.ts';

/** Every field, in order of printing. New ones are only ever added at the end. */
export const PAIRS_FIELDS = [
  'at',
  'from',
  'fromNic',
  'to',
  'toNic',
  'packets',
  'bytes',
  'packetsPerSecond',
  'bitsPerSecond',
  'quality',
  'bridge',
  'ageMs',
] as const;

/** The values of {@link PAIRS_FIELDS}, in that order. */
export function toPairRecord(at: string, pair: Pair): readonly FieldValue[] {
  const { packets, bytes, packetsPerSecond, bitsPerSecond, quality, bridge } = pair;
  return [
    ...[at, ...toEndValues(pair.from), ...toEndValues(pair.to), packets, bytes],
    ...[rounded(packetsPerSecond), rounded(bitsPerSecond), quality, bridge, Math.round(pair.ageMs)],
  ];
}

/** Who is no VM has no NIC: so a VM that is called `uplink` is not taken for one. */
function toEndValues(end: PairEnd): [FieldValue, FieldValue] {
  return typeof end === 'string' ? [end, undefined] : [end.vm, end.nic];
}
