/** 64-bit counters. The only file that turns a bigint into a number. Pure. */

/** A monotonic 64-bit count. `undefined` where the switch does not know it; never 0 in its place. */
export type Counter = bigint | undefined;

/** OpenFlow says "not supported" with all ones (OpenFlow 1.3.5 §7.3.5.6). */
export const UNKNOWN_COUNTER = 0xffff_ffff_ffff_ffffn;

/** @returns the count, or `undefined` for OpenFlow's "not supported". */
export function toCounter(wire: bigint): Counter {
  return wire === UNKNOWN_COUNTER ? undefined : wire;
}

/**
 * The quotient of a difference and a time.
 * @param durationMs above 0
 * @returns units per second, or `undefined` where either count is unknown or the count went back.
 */
export function ratePerSecond(before: Counter, after: Counter, durationMs: number): number | undefined {
  if (before === undefined || after === undefined || after < before || durationMs <= 0) return undefined;
  return (Number(after - before) * 1000) / durationMs;
}
