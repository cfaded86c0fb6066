/** The streams of the library: what is counted, as rxjs Observables. docs/watch.md, "As a library", shows each. */
import { map, type Observable } from 'rxjs';
import { toEvents, type TrafficEvent } from '../traffic/events.ts';
import type { Reading } from '../traffic/portsamples.ts';
import { toView, type PairsView, type VmsView } from '../traffic/views.ts';
import { samples, traffic, type TrafficOptions } from './traffic.ts';

export type { PairsView, Reading, TrafficEvent, VmsView };

export type StreamOptions = Pick<TrafficOptions, 'settings' | 'everyMs' | 'bridges'>;

/**
 * The counters of every port, as the switch has them: rx is what the switch received. Cold, and fails, as `watch` does,
 * but for bridges that cannot be read, which are in the readings.
 */
export function portSamples(options: StreamOptions): Observable<Reading> {
  return samples(options);
}

/** What each VM sends and receives, with rates from the second one on. Cold, and fails, as `watch` does. */
export function vmRates(options: StreamOptions): Observable<VmsView> {
  return traffic({ ...options, asked: 'both', restores: false }).pipe(
    map((reading) => toView('vms', reading)),
  );
}

/**
 * Who sends to whom, the busiest first. Puts back the rules that count pairs, where a topology wants them and they are
 * missing. Cold, and fails, as `watch` does.
 */
export function pairs(options: StreamOptions): Observable<PairsView> {
  return traffic({ ...options, asked: 'pairs', restores: true }).pipe(
    map((reading) => toView('pairs', reading)),
  );
}

/** VMs that come and leave, links, bridges that cannot be read, packets lost on the host. Cold, and fails, as `watch` does. */
export function events(options: StreamOptions): Observable<TrafficEvent> {
  return traffic({ ...options, asked: 'both', restores: false }).pipe(toEvents());
}
