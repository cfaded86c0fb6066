/**
 * Pairs of bridges whose rules are not ours to change, out of dumps of the datapath's flows. A dump keeps ovs-vswitchd from
 * all else, so the next one is far off where it took long.
 */
import type { VsbError } from '../../errors.ts';
import { DatapathLedger } from './datapathledger.ts';
import type { DatapathReading } from './datapathreader.ts';
import type { Device } from '../devices.ts';
import type { Pair } from '../pairs/pair.ts';

export interface DatapathPairsOptions {
  /** Never fails: readDatapathFlows. */
  readonly read: () => Promise<DatapathReading>;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
}

export interface FoundPairs {
  /** In no order; every one with the quality `at-least`, and the age of the dump that it is from. */
  readonly pairs: readonly Pair[];
  /** Why the last dump was none. The pairs are those of an earlier one then. */
  readonly error: VsbError | undefined;
}

/** At most a twentieth of ovs-vswitchd's time goes into it. */
const PAUSE_PER_DUMP = 20;

export class DatapathPairs {
  readonly #options: DatapathPairsOptions;
  readonly #ledger = new DatapathLedger();
  #error: VsbError | undefined;
  #nextMs = -Infinity;

  constructor(options: DatapathPairsOptions) {
    this.#options = options;
  }

  /**
   * What is known by now: out of a new dump where one is due, else out of the last one. One call at a time.
   * @param bridges whose pairs are wanted
   * @param devices every device of the switch
   */
  async look(bridges: ReadonlySet<string>, devices: readonly Device[]): Promise<FoundPairs> {
    const { read, nowMs } = this.#options;
    const startMs = nowMs();
    if (startMs >= this.#nextMs) {
      const reading = await read();
      this.#nextMs = nowMs() + (nowMs() - startMs) * PAUSE_PER_DUMP;
      this.#error = reading.outcome === 'lost' ? reading.error : undefined;
      if (reading.outcome === 'read') this.#ledger.take(reading, devices, bridges);
    }
    return { pairs: this.#ledger.pairs(nowMs(), this.#error === undefined), error: this.#error };
  }
}
