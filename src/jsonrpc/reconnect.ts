/**
 * When to try again after the link is lost (after Open vSwitch's lib/reconnect.c). A pure state machine that is handed
 * `nowMs`; who connects and waits is ovsdb/client.ts.
 */

/** What has to be remembered from one try to the next. */
export interface Reconnect {
  /** The pause before the next try but one; doubles. */
  readonly backoffMs: number;
  /** Since when the link is up; `undefined` while it is not. Monotonic. */
  readonly upSinceMs: number | undefined;
}

export interface BackoffLimits {
  readonly leastMs: number;
  readonly mostMs: number;
}

/** Open vSwitch's own: from 1 to 8 seconds (lib/reconnect.h), so that a restarted server is found soon, unharassed. */
const BACKOFF: BackoffLimits = Object.freeze({ leastMs: 1000, mostMs: 8000 });

/** Before the first try. */
export const FIRST_TRY: Reconnect = Object.freeze({ backoffMs: 0, upSinceMs: undefined });

/** The link is up. */
export function linkUp(state: Reconnect, nowMs: number): Reconnect {
  return { backoffMs: state.backoffMs, upSinceMs: nowMs };
}

/**
 * A try failed or the link is lost.
 * @returns the pause before the next try: none at first, then doubling. A link that stayed up for longer than the last
 *   pause could get starts anew; one that is lost at once does not.
 */
export function linkDown(
  state: Reconnect,
  nowMs: number,
  limits: BackoffLimits = BACKOFF,
): { readonly state: Reconnect; readonly waitMs: number } {
  const stayedUp = state.upSinceMs !== undefined && nowMs - state.upSinceMs >= limits.mostMs;
  const waitMs = stayedUp ? 0 : state.backoffMs;
  const backoffMs = waitMs === 0 ? limits.leastMs : Math.min(waitMs * 2, limits.mostMs);
  return { state: { backoffMs, upSinceMs: undefined }, waitMs };
}
