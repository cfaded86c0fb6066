/** Figures of a port or a VM as people read them: sent and received, seen from the VM. Pure. */
import type { Counter } from '../units/counter.ts';
import type { Discontinuity, RatedSample } from './rates.ts';

/**
 * Counters since the port was made, and rates since the sample before. Each `undefined` where it is not known: the
 * switch does not count it, the port cannot be read, or there is no sample to compare with.
 */
export interface Figures {
  readonly sentBytes: Counter;
  readonly receivedBytes: Counter;
  readonly sentPackets: Counter;
  readonly receivedPackets: Counter;
  /** Packets that the VM sent and the switch dropped at its port. */
  readonly sentDropped: Counter;
  /** Packets for the VM that were dropped at its port. */
  readonly receivedDropped: Counter;
  readonly sentErrors: Counter;
  readonly receivedErrors: Counter;
  /**
   * Packets that the VM sent, and that were lost on the host before the switch could look at them: at least so many, since
   * the first reading. `undefined` where it is not counted who sends to whom.
   */
  readonly hostLossPackets: Counter;
  readonly sentBitsPerSecond: number | undefined;
  readonly receivedBitsPerSecond: number | undefined;
  readonly sentPacketsPerSecond: number | undefined;
  readonly receivedPacketsPerSecond: number | undefined;
}

/** Figures with how good they are and how old. */
export interface Measured extends Figures {
  /** Counted by the switch at the port: nothing is sampled or estimated. */
  readonly quality: 'exact';
  /** Milliseconds since the counters were read; `undefined` where they were not. */
  readonly ageMs: number | undefined;
  /** Why there are counters and no rates. */
  readonly discontinuity: Discontinuity | undefined;
}

/** What is said of a port that was not read. */
export const NOT_MEASURED: Measured = {
  sentBytes: undefined,
  receivedBytes: undefined,
  sentPackets: undefined,
  receivedPackets: undefined,
  sentDropped: undefined,
  receivedDropped: undefined,
  sentErrors: undefined,
  receivedErrors: undefined,
  hostLossPackets: undefined,
  sentBitsPerSecond: undefined,
  receivedBitsPerSecond: undefined,
  sentPacketsPerSecond: undefined,
  receivedPacketsPerSecond: undefined,
  quality: 'exact',
  ageMs: undefined,
  discontinuity: undefined,
};

/** The switch's rx and tx turned round: what it received, the VM sent. */
export function toMeasured(
  { sample, rates, discontinuity }: RatedSample,
  nowMs: number,
  hostLossPackets?: Counter,
): Measured {
  const { counters } = sample;
  return {
    sentBytes: counters.rxBytes,
    receivedBytes: counters.txBytes,
    sentPackets: counters.rxPackets,
    receivedPackets: counters.txPackets,
    sentDropped: counters.rxDropped,
    receivedDropped: counters.txDropped,
    sentErrors: counters.rxErrors,
    receivedErrors: counters.txErrors,
    hostLossPackets,
    sentBitsPerSecond: rates?.rxBitsPerSecond,
    receivedBitsPerSecond: rates?.txBitsPerSecond,
    sentPacketsPerSecond: rates?.rxPacketsPerSecond,
    receivedPacketsPerSecond: rates?.txPacketsPerSecond,
    quality: 'exact',
    ageMs: Math.max(0, nowMs - sample.atMs),
    discontinuity,
  };
}

/**
 * The sum of several ports. A figure that one of them does not know is unknown in the sum, since the rest would be
 * too little and yet be called exact. The age is that of the oldest.
 */
export function sumMeasured(parts: readonly Measured[]): Measured {
  const counter = (name: CounterName): Counter =>
    addUp(
      parts.map((part) => part[name]),
      0n,
      (a, b) => a + b,
    );
  const rate = (name: RateName): number | undefined =>
    addUp(
      parts.map((part) => part[name]),
      0,
      (a, b) => a + b,
    );
  return {
    sentBytes: counter('sentBytes'),
    receivedBytes: counter('receivedBytes'),
    sentPackets: counter('sentPackets'),
    receivedPackets: counter('receivedPackets'),
    sentDropped: counter('sentDropped'),
    receivedDropped: counter('receivedDropped'),
    sentErrors: counter('sentErrors'),
    receivedErrors: counter('receivedErrors'),
    hostLossPackets: counter('hostLossPackets'),
    sentBitsPerSecond: rate('sentBitsPerSecond'),
    receivedBitsPerSecond: rate('receivedBitsPerSecond'),
    sentPacketsPerSecond: rate('sentPacketsPerSecond'),
    receivedPacketsPerSecond: rate('receivedPacketsPerSecond'),
    quality: 'exact',
    ageMs: addUp(
      parts.map((part) => part.ageMs),
      0,
      Math.max,
    ),
    discontinuity: parts.find((part) => part.discontinuity !== undefined)?.discontinuity,
  };
}

type CounterName = Exclude<keyof Figures, RateName>;
type RateName = Extract<keyof Figures, `${string}PerSecond`>;

function addUp<T>(parts: readonly (T | undefined)[], start: T, add: (a: T, b: T) => T): T | undefined {
  return parts.reduce<T | undefined>(
    (sum, part) => (sum === undefined || part === undefined ? undefined : add(sum, part)),
    start,
  );
}
