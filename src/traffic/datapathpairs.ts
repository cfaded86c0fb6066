/**
 * Pairs of bridges whose rules are not ours to change, out of dumps of the datapath's flows. A dump keeps ovs-vswitchd from
 * all else, so the next one is far off where it took long.
 */
import {
  asyncScheduler,
  defer,
  map,
  repeat,
  timer,
  withLatestFrom,
  type Observable,
  type ObservableInput,
  type SchedulerLike,
} from 'rxjs';
import { DatapathLedger } from './datapathledger.ts';
import type { DatapathReading } from './datapathreader.ts';
import type { Device } from './devices.ts';
import type { Pair } from './pair.ts';
import type { BridgeLoss } from './torates.ts';

/** Whose pairs are wanted, and who is behind which device. */
export interface DatapathView {
  readonly bridges: readonly string[];
  readonly devices: readonly Device[];
}

/** What one dump showed. */
export interface DatapathPairs {
  /** Wall clock, for people. */
  readonly at: Date;
  /** Every one with the quality `at-least`. */
  readonly pairs: readonly Pair[];
  /** Every bridge that is wanted, with the reason, where there was no dump. The pairs are those of an earlier one then. */
  readonly losses: readonly BridgeLoss[];
}

export interface DatapathPairsOptions {
  /** Milliseconds from dump to dump, at least. */
  readonly everyMs: number;
  /** Emits once and never fails: readDatapathFlows. */
  readonly read: () => ObservableInput<DatapathReading>;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  /** Of the pauses, and of `at`. */
  readonly scheduler?: SchedulerLike;
}

/** At most a twentieth of ovs-vswitchd's time goes into it. */
const PAUSE_PER_DUMP = 20;

/**
 * Dump after dump, the first at once; each subscription begins anew.
 * @param view$ must emit on subscription; dumps before its first value are left out
 */
export function datapathPairs(
  view$: Observable<DatapathView>,
  { everyMs, read, nowMs, scheduler = asyncScheduler }: DatapathPairsOptions,
): Observable<DatapathPairs> {
  return defer(() => {
    const ledger = new DatapathLedger();
    let pauseMs = everyMs;
    return defer(read).pipe(
      map((reading) => {
        const tookMs = reading.outcome === 'read' ? reading.tookMs : 0;
        pauseMs = Math.max(everyMs, tookMs * PAUSE_PER_DUMP);
        return reading;
      }),
      repeat({ delay: () => timer(pauseMs, scheduler) }),
      withLatestFrom(view$),
      map(([reading, view]) => toPairs(ledger, reading, view, nowMs, new Date(scheduler.now()))),
    );
  });
}

function toPairs(
  ledger: DatapathLedger,
  reading: DatapathReading,
  { bridges, devices }: DatapathView,
  nowMs: () => number,
  at: Date,
): DatapathPairs {
  switch (reading.outcome) {
    case 'read':
      ledger.take(reading, devices, new Set(bridges));
      return { at, pairs: ledger.pairs(nowMs(), true), losses: [] };
    case 'lost':
      return {
        at,
        pairs: ledger.pairs(nowMs(), false),
        losses: bridges.map((bridge) => ({ bridge, error: reading.error })),
      };
  }
}
