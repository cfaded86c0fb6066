/** Time limits as timers: Node's count in 31 bits, and take more for 1. */

/** Almost 25 days. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A timer for a limit; none for one that is beyond timers: who says `Infinity`, or a month, has no limit. */
export function startLimit(limitMs: number | undefined, onEnd: () => void): NodeJS.Timeout | undefined {
  return limitMs === undefined || limitMs > LONGEST_TIMER_MS ? undefined : setTimeout(onEnd, limitMs);
}
