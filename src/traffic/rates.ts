/**
 * Rates out of two samples of one port. What makes two samples incomparable gives no rate: wrong spikes come from
 * resets that were taken for wraps. Where samples come from is portsamples.ts's. Pure.
 */
import type { OfPort } from '../openflow/ofport.ts';
import type { PortCounters } from '../openflow/portstats.ts';
import type { Uuid } from '../ovsdb/schema/schema.ts';
import { ratePerSecond, type Counter } from '../units/counter.ts';

/** The counters of one port at one instant. */
export interface PortSample {
  readonly bridge: string;
  /** `Interface.name`. */
  readonly port: string;
  readonly interfaceUuid: Uuid;
  readonly ofport: OfPort;
  /** Which connection to the bridge it was read on; another one means that the switch may have restarted between. */
  readonly session: number;
  /** Monotonic clock, milliseconds. */
  readonly atMs: number;
  /** How long the port had been there; `undefined` where the switch does not say. */
  readonly durationMs: number | undefined;
  readonly counters: PortCounters;
}

/** Per second, rx being what the switch received. Each `undefined` where a counter is unknown. */
interface PortRates {
  readonly rxBitsPerSecond: number | undefined;
  readonly txBitsPerSecond: number | undefined;
  readonly rxPacketsPerSecond: number | undefined;
  readonly txPacketsPerSecond: number | undefined;
}

/**
 * Why there is no rate: nothing to compare with yet; the port was made anew (other Interface row or port number, or
 * it is younger than before); the connection to the switch was lost between; a counter went back.
 */
export type Discontinuity = 'first-sample' | 'new-port' | 'new-session' | 'counter-went-back';

/** A sample with its rates, or the reason why it has none. */
export type RatedSample =
  | { readonly sample: PortSample; readonly rates: PortRates; readonly discontinuity: undefined }
  | { readonly sample: PortSample; readonly rates: undefined; readonly discontinuity: Discontinuity };

/** Rates from `before` to `after`, two samples of a port of that name; `before` is `undefined` for the first one. */
export function ratesBetween(before: PortSample | undefined, after: PortSample): RatedSample {
  const discontinuity = findDiscontinuity(before, after);
  if (before === undefined || discontinuity !== undefined) {
    return { sample: after, rates: undefined, discontinuity: discontinuity ?? 'first-sample' };
  }
  const elapsedMs = elapsedBetween(before, after);
  const perSecond = (name: keyof PortCounters): number | undefined =>
    ratePerSecond(before.counters[name], after.counters[name], elapsedMs);
  const rates = {
    rxBitsPerSecond: toBits(perSecond('rxBytes')),
    txBitsPerSecond: toBits(perSecond('txBytes')),
    rxPacketsPerSecond: perSecond('rxPackets'),
    txPacketsPerSecond: perSecond('txPackets'),
  };
  return { sample: after, rates, discontinuity: undefined };
}

/**
 * By the age of the port, which the switch tells with its counters. Our own clock is read when the answer has come: were we held
 * up just then (stopped, or without a processor), what was sent in seconds would seem to have been in a millisecond.
 */
function elapsedBetween(before: PortSample, after: PortSample): number {
  const byAge = (after.durationMs ?? 0) - (before.durationMs ?? Infinity);
  return byAge > 0 ? byAge : after.atMs - before.atMs;
}

function findDiscontinuity(before: PortSample | undefined, after: PortSample): Discontinuity | undefined {
  if (before === undefined) return 'first-sample';
  if (before.interfaceUuid !== after.interfaceUuid || before.ofport !== after.ofport) return 'new-port';
  if (before.session !== after.session) return 'new-session';
  if (wentBack(before.durationMs, after.durationMs)) return 'new-port';
  const names = Object.keys(after.counters) as (keyof PortCounters)[];
  if (names.some((name) => wentBack(before.counters[name], after.counters[name]))) return 'counter-went-back';
  return undefined;
}

function wentBack(before: Counter | number, after: Counter | number): boolean {
  return before !== undefined && after !== undefined && after < before;
}

function toBits(bytes: number | undefined): number | undefined {
  return bytes === undefined ? undefined : bytes * 8;
}
