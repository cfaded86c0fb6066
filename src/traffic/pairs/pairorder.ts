/** In which order people look at pairs. Pure. */
import type { Pair, PairEnd } from './pair.ts';
import { compareText } from '../switchports.ts';

/** The busiest first: by rate, then by what they sent altogether, then by name. An unknown rate is none. */
export function comparePairs(a: Pair, b: Pair): number {
  const faster = (b.bitsPerSecond ?? 0) - (a.bitsPerSecond ?? 0);
  if (faster !== 0) return faster;
  const [ofA, ofB] = [a.bytes ?? 0n, b.bytes ?? 0n];
  if (ofA !== ofB) return ofA < ofB ? 1 : -1;
  return compareEnds(a.from, b.from) || compareEnds(a.to, b.to) || compareText(a.bridge, b.bridge);
}

/** NICs by VM and place, then all others. */
function compareEnds(a: PairEnd, b: PairEnd): number {
  if (typeof a === 'string' || typeof b === 'string') {
    return (
      Number(typeof a === 'string') - Number(typeof b === 'string') || compareText(renderEnd(a), renderEnd(b))
    );
  }
  return (
    compareText(a.vm, b.vm) || compareText(a.nic, b.nic) || compareText(a.topology ?? '', b.topology ?? '')
  );
}

/** `web1:0`, or `uplink`. */
export function renderEnd(end: PairEnd): string {
  return typeof end === 'string' ? end : `${end.vm}:${end.nic}`;
}
