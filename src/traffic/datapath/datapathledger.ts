/**
 * Pairs out of one dump of a datapath's flows after the other. Nothing in it is exact: the packet that a flow was made for
 * is not in the flow's count, and a flow that comes and goes between two dumps is never seen; so every figure is a lower
 * bound. What is counted is counted once. Pure.
 */
import { isGroupMac } from '../../units/mac.ts';
import type { DatapathFlow } from './datapathflows.ts';
import type { Device } from '../devices.ts';
import type { Pair, PairEnd } from '../pairs/pair.ts';
import { add, lessen, PairTotals } from '../pairs/pairtotals.ts';

/** A dump of every datapath. */
export interface DatapathDump {
  /** Monotonic clock, milliseconds. */
  readonly atMs: number;
  readonly flows: readonly DatapathFlow[];
}

interface Counts {
  readonly packets: bigint;
  readonly bytes: bigint;
}

export class DatapathLedger {
  #counts: ReadonlyMap<string, Counts> = new Map();
  readonly #totals = new Map<string, PairTotals>();
  #atMs: number | undefined;

  /** @param devices every device of the switch @param bridges those whose pairs are wanted; others are forgotten */
  take({ atMs, flows }: DatapathDump, devices: readonly Device[], bridges: ReadonlySet<string>): void {
    const elapsedMs = this.#atMs === undefined ? undefined : atMs - this.#atMs;
    const byName = new Map(devices.map((device) => [device.name, device]));
    for (const bridge of this.#totals.keys()) if (!bridges.has(bridge)) this.#totals.delete(bridge);
    for (const bridge of bridges)
      if (!this.#totals.has(bridge)) this.#totals.set(bridge, new PairTotals(bridge));
    for (const totals of this.#totals.values()) totals.begin(false);
    const counts = new Map<string, Counts>();
    for (const flow of flows) {
      const more = difference(this.#counts.get(flow.key), flow);
      counts.set(flow.key, flow);
      const ends = endsOf(flow, byName);
      if (ends) this.#add(ends, more, atMs);
    }
    for (const totals of this.#totals.values()) totals.finish(atMs, elapsedMs);
    this.#counts = counts;
    this.#atMs = atMs;
  }

  /**
   * Every pair that is to be seen, in no order.
   * @param isFresh false where there was no dump this time: there are no rates then
   */
  pairs(nowMs: number, isFresh: boolean): Pair[] {
    const ageMs = Math.max(0, nowMs - (this.#atMs ?? nowMs));
    return [...this.#totals.values()].flatMap((totals) => totals.pairs(ageMs, isFresh));
  }

  #add({ bridge, from, to }: FlowEnds, { packets, bytes }: Counts, atMs: number): void {
    const totals = this.#totals.get(bridge);
    if (!totals || packets === 0n) return;
    const total = totals.of(from, to, atMs);
    total.emptySinceMs = atMs;
    add(total, packets, bytes);
    lessen(total);
  }
}

/** A flow that left and came back counts anew. */
function difference(before: Counts | undefined, after: Counts): Counts {
  if (before === undefined || after.packets < before.packets || after.bytes < before.bytes) return after;
  return { packets: after.packets - before.packets, bytes: after.bytes - before.bytes };
}

interface FlowEnds {
  readonly bridge: string;
  readonly from: PairEnd;
  readonly to: PairEnd;
}

/** Whose packets, and for whom; `undefined` where the same packets are counted by another flow as well, or on no bridge. */
function endsOf(
  { inPort, toMac, does }: DatapathFlow,
  byName: ReadonlyMap<string, Device>,
): FlowEnds | undefined {
  if (does.goesOn.length > 0) return undefined;
  const sender = byName.get(inPort);
  const receivers = [...new Set(does.outputs)].map((name) => byName.get(name));
  // A tunnel's device is nobody's port; who gets its packets is.
  const bridge = sender?.bridge ?? receivers.find((receiver) => receiver !== undefined)?.bridge;
  if (bridge === undefined) return undefined;
  const meant = receivers.find((receiver) => toMac !== undefined && receiver?.mac === toMac);
  return { bridge, from: sender?.end ?? 'uplink', to: meant?.end ?? toEnd(receivers, toMac) };
}

function toEnd(receivers: readonly (Device | undefined)[], toMac: DatapathFlow['toMac']): PairEnd {
  if (receivers.length > 1 || (toMac !== undefined && isGroupMac(toMac))) return 'flood';
  // Dropped, or for a controller.
  if (receivers.length === 0) return 'unknown';
  return receivers[0]?.end ?? 'uplink';
}
