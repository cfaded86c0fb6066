/**
 * Means of a rate over the last 2, 10 and 40 seconds, as iftop shows them, and its course. It is fed with rates, not counters,
 * so a reset is a gap and no spike. Pure: time comes with the readings.
 */

/** The windows, shortest first: what happens now, what has just happened, what goes on. */
export const AVERAGE_WINDOWS_MS = [2_000, 10_000, 40_000] as const;

/** The course of one rate. */
export interface Trend {
  /** Per window of {@link AVERAGE_WINDOWS_MS}; `undefined` where no rate is known in it. */
  readonly means: readonly [number | undefined, number | undefined, number | undefined];
  /** The rates of the last readings, newest last; `undefined` where one had none. */
  readonly history: readonly (number | undefined)[];
}

/** Of a rate that was never observed. */
export const NO_TREND: Trend = { means: [undefined, undefined, undefined], history: [] };

/** The rate between two readings. */
interface Interval {
  readonly fromMs: number;
  readonly toMs: number;
  readonly perSecond: number | undefined;
}

const LONGEST_MS = AVERAGE_WINDOWS_MS[2];

/** Trends of many rates, each by its key. */
export class Averages {
  #atMs: number | undefined;
  #intervals = new Map<string, Interval[]>();

  /**
   * Takes the rates of one reading, each the mean since the reading before. A key that is not in it is forgotten.
   * @param atMs monotonic clock, milliseconds; not before that of the reading before
   */
  observe(atMs: number, rates: Iterable<readonly [key: string, perSecond: number | undefined]>): void {
    const fromMs = this.#atMs ?? atMs;
    const next = new Map<string, Interval[]>();
    for (const [key, perSecond] of rates) {
      const intervals = this.#intervals.get(key) ?? [];
      const stillSeen = intervals.findIndex(({ toMs }) => toMs > atMs - LONGEST_MS);
      if (stillSeen !== 0) intervals.splice(0, stillSeen === -1 ? intervals.length : stillSeen);
      intervals.push({ fromMs, toMs: atMs, perSecond });
      next.set(key, intervals);
    }
    this.#intervals = next;
    this.#atMs = atMs;
  }

  /** The trend of a key, up to the last reading. */
  trendOf(key: string): Trend {
    const intervals = this.#intervals.get(key);
    if (intervals === undefined || this.#atMs === undefined) return NO_TREND;
    const atMs = this.#atMs;
    const [now, soon, long] = AVERAGE_WINDOWS_MS;
    return {
      means: [
        meanSince(atMs - now, intervals),
        meanSince(atMs - soon, intervals),
        meanSince(atMs - long, intervals),
      ],
      history: intervals.map(({ perSecond }) => perSecond),
    };
  }
}

/** Weighted with the time that each rate held; where the window cuts an interval, with its part in the window. */
function meanSince(sinceMs: number, intervals: readonly Interval[]): number | undefined {
  let units = 0;
  let totalMs = 0;
  for (const { fromMs, toMs, perSecond } of intervals) {
    const ms = toMs - Math.max(fromMs, sinceMs);
    if (perSecond === undefined || ms <= 0) continue;
    units += perSecond * ms;
    totalMs += ms;
  }
  return totalMs === 0 ? undefined : units / totalMs;
}
