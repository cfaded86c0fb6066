/**
 * The source of all port figures: every bridge is asked for its counters at each tick. A bridge that cannot be read is
 * a loss in the reading, not the end of the stream. How a bridge is asked is bridgereader.ts's; rates are torates.ts's.
 */
import {
  asyncScheduler,
  exhaustMap,
  forkJoin,
  map,
  of,
  timer,
  withLatestFrom,
  type Observable,
  type ObservableInput,
  type SchedulerLike,
} from 'rxjs';
import type { VsbError } from '../errors.ts';
import type { AccountReading } from './pairs/pairledger.ts';
import type { PortSample } from './rates.ts';
import type { BridgePorts } from './switchports.ts';

/** What asking one bridge came to. */
export type BridgeReading =
  | {
      readonly outcome: 'read';
      readonly bridge: string;
      /** Which connection to the bridge it was read on. */
      readonly session: number;
      /** None where ports were not asked for. */
      readonly samples: readonly PortSample[];
      /** `undefined` where pairs were not asked for, or are not counted on this bridge. */
      readonly account?: AccountReading | undefined;
    }
  | { readonly outcome: 'lost'; readonly bridge: string; readonly error: VsbError };

/** What one tick found, for every bridge. */
export interface Reading {
  /** Wall clock, for people. */
  readonly at: Date;
  /** Monotonic clock, milliseconds. */
  readonly atMs: number;
  readonly bridges: readonly BridgeReading[];
}

export interface SampleOptions {
  /** Milliseconds from tick to tick, above 0. A tick that finds the last one unfinished is left out. */
  readonly everyMs: number;
  /** Asks one bridge; emits once and never fails. */
  readonly read: (bridge: BridgePorts) => ObservableInput<BridgeReading>;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  /** Of the ticks, and of `at`. */
  readonly scheduler?: SchedulerLike;
}

/**
 * Readings of the bridges that are there at the time of each tick, the first at once.
 * @param bridges$ must emit on subscription; ticks before its first value are left out
 */
export function portSamples(
  bridges$: Observable<readonly BridgePorts[]>,
  { everyMs, read, nowMs, scheduler = asyncScheduler }: SampleOptions,
): Observable<Reading> {
  return timer(0, everyMs, scheduler).pipe(
    withLatestFrom(bridges$),
    exhaustMap(([, bridges]) => readAll(bridges, read)),
    map((bridges) => ({ at: new Date(scheduler.now()), atMs: nowMs(), bridges })),
  );
}

/** All at once; forkJoin of nothing would complete without a value. */
function readAll(
  bridges: readonly BridgePorts[],
  read: SampleOptions['read'],
): Observable<readonly BridgeReading[]> {
  return bridges.length === 0 ? of([]) : forkJoin(bridges.map(read));
}
