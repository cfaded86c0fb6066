/** Ends of pairs as labels. Pure. */
import type { Pair, PairEnd } from '../traffic/pairs/pair.ts';

/** The same for the same pair, and no other. */
export function pairKeyOf({ bridge, from, to }: Pair): string {
  return JSON.stringify([bridge, keyOf(from), keyOf(to)]);
}

/** The labels of a pair's series. */
export function pairLabelsOf({ bridge, from, to, quality }: Pair) {
  return {
    bridge,
    from: nameOf(from),
    to: nameOf(to),
    from_topology: typeof from === 'string' ? undefined : from.topology,
    from_vm: typeof from === 'string' ? undefined : from.vm,
    to_topology: typeof to === 'string' ? undefined : to.topology,
    to_vm: typeof to === 'string' ? undefined : to.vm,
    quality,
  };
}

function keyOf(end: PairEnd): unknown {
  return typeof end === 'string' ? end : [end.topology ?? '', end.vm, end.nic];
}

/** A NIC as `web1:0`; no VM's NIC has a name like `uplink`. */
function nameOf(end: PairEnd): string {
  return typeof end === 'string' ? end : `${end.vm}:${end.nic}`;
}
