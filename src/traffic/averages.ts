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

/** The time between two readings. */
interface Interval {
  readonly fromMs: number;
  readonly toMs: number;
}

type Rate = number | undefined;

const LONGEST_MS = AVERAGE_WINDOWS_MS[2];

/** Trends of many rates, each by its key. */
export class Averages {
  /** Oldest first; those that the longest window still sees. */
  #intervals: readonly Interval[] = [];
  /** For each key the rates of the last of these intervals. */
  #rates = new Map<string, readonly Rate[]>();

  /**
   * Takes the rates of one reading, each the mean since the reading before. A key that is not in it is forgotten.
   * @param atMs monotonic clock, milliseconds; not before that of the reading before
   */
  observe(atMs: number, rates: Iterable<readonly [key: string, perSecond: number | undefined]>): void {
    const seen = this.#intervals.filter(({ toMs }) => toMs > atMs - LONGEST_MS);
    this.#intervals = [...seen, { fromMs: this.#intervals.at(-1)?.toMs ?? atMs, toMs: atMs }];
    const next = new Map<string, readonly Rate[]>();
    for (const [key, perSecond] of rates) {
      const before = this.#rates.get(key) ?? [];
      // A new list, since trends that were given away have the old one.
      const kept = before.slice(Math.max(0, before.length - seen.length));
      kept.push(perSecond);
      next.set(key, kept);
    }
    this.#rates = next;
  }

  /** The trend of a key, up to the last reading. It stays as it is. */
  trendOf(key: string): Trend {
    const rates = this.#rates.get(key);
    return rates === undefined ? NO_TREND : new Course(this.#intervals, rates);
  }
}

/** Computed when it is asked for: of ten thousand rows, few are looked at. */
class Course implements Trend {
  readonly history: readonly Rate[];
  readonly #intervals: readonly Interval[];
  #means: Trend['means'] | undefined;

  constructor(intervals: readonly Interval[], history: readonly Rate[]) {
    this.#intervals = intervals;
    this.history = history;
  }

  get means(): Trend['means'] {
    const [now, soon, long] = AVERAGE_WINDOWS_MS;
    return (this.#means ??= [this.#mean(now), this.#mean(soon), this.#mean(long)]);
  }

  /** Weighted with the time that each rate held; where the window cuts an interval, with its part in the window. */
  #mean(windowMs: number): number | undefined {
    const intervals = this.#intervals;
    const sinceMs = (intervals.at(-1)?.toMs ?? 0) - windowMs;
    let units = 0;
    let totalMs = 0;
    // From the newest one back, as far as the window goes.
    for (let back = 1; back <= this.history.length; back++) {
      const interval = intervals[intervals.length - back];
      if (interval === undefined || interval.toMs <= sinceMs) break;
      const perSecond = this.history[this.history.length - back];
      if (perSecond === undefined) continue;
      const ms = interval.toMs - Math.max(interval.fromMs, sinceMs);
      units += perSecond * ms;
      totalMs += ms;
    }
    return totalMs === 0 ? undefined : units / totalMs;
  }
}
