/** What is watched as a person reads it: one view of the switch, reading by reading. How it is shown is output/'s. */
import { defer, map, type Observable } from 'rxjs';
import { toViewFilter } from '../traffic/filterview.ts';
import { toView, type View, type ViewName } from '../traffic/views.ts';
import type { Settings } from './settings.ts';
import { traffic } from './traffic.ts';

export type { View, ViewName };

export interface WatchOptions {
  readonly settings: Settings;
  /**
   * `ports`: every port of every bridge; `vms`: NICs grouped by VM, with a sum per VM; `pairs`: who sends to whom. The
   * last one puts back the rules that count pairs, where a topology wants them and they are missing.
   */
  readonly view: ViewName;
  /** Milliseconds from view to view, above 0. A bridge that takes longer than that to answer delays the next view. */
  readonly everyMs: number;
  /** Only these bridges; `undefined` or empty: all of them, also those that come later. */
  readonly bridges?: readonly string[];
  /** Only rows that pass this filter, in the language of docs/filter.md; `undefined` or empty: all. */
  readonly where?: string | undefined;
}

/**
 * A view each `everyMs`; the first at once, with totals and without rates. Cold, and fails, as `traffic` does; and with
 * FILTER_INVALID before anything is read.
 */
export function watch(options: WatchOptions): Observable<View> {
  const isOfPairs = options.view === 'pairs';
  return defer(() => {
    const filter = toViewFilter(options.view, options.where ?? '');
    return traffic({ ...options, asked: isOfPairs ? 'pairs' : 'both', restores: isOfPairs }).pipe(
      map((reading) => filter(toView(options.view, reading))),
    );
  });
}
