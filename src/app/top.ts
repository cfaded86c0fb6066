/** What `vsb top` shows, from reading to reading: VMs and pairs together, and conversations while somebody looks at them. */
import {
  catchError,
  distinctUntilChanged,
  map,
  of,
  startWith,
  switchMap,
  withLatestFrom,
  type Observable,
} from 'rxjs';
import { toVsbError } from '../errors.ts';
import { isInScope } from '../output/top/rows.ts';
import type { TopReading } from '../output/top/snapshot.ts';
import type { Scope } from '../output/top/place.ts';
import { groupByVm, type PairsState } from '../traffic/views.ts';
import { conversations as conversationsOf } from './conversations.ts';
import type { Settings } from './settings.ts';
import { traffic } from './traffic.ts';

export interface TopOptions {
  readonly settings: Settings;
  /** Milliseconds from reading to reading, above 0. */
  readonly everyMs: number;
  /** Only these bridges; `undefined` or empty: all of them. */
  readonly bridges?: readonly string[];
  /** Whose conversations are looked at just now; `undefined`: nobody's, and the switch exports nothing for it. */
  readonly lookingAt$: Observable<Scope | undefined>;
}

type Looked = Pick<TopReading, 'conversations' | 'notes'>;

/**
 * A reading each `everyMs`, the first at once. Cold, and fails, as `traffic` does; rules that count pairs are put back where
 * they are missing. A look at conversations that fails is a
 * note in the readings.
 */
export function top(options: TopOptions): Observable<TopReading> {
  const looked$ = options.lookingAt$.pipe(
    distinctUntilChanged(),
    switchMap((scope) => (scope === undefined ? of(NOT_LOOKING) : look(scope, options))),
  );
  return traffic({ ...options, asked: 'both', restores: true }).pipe(
    withLatestFrom(looked$),
    map(([reading, { conversations, notes }]) => ({
      at: reading.at,
      atMs: performance.now(),
      bridges: reading.bridges,
      losses: reading.losses,
      vms: groupByVm(reading.rows),
      pairs: reading.pairs,
      conversations,
      notes: [...notes, ...reading.states.flatMap(toNote)],
    })),
  );
}

/** Why a bridge's pairs are not what they should be; that nobody wants them is no news. */
function toNote({ bridge, mode, reason, error }: PairsState): string[] {
  if (error !== undefined) return [`${bridge}: error[${error.code}]: ${error.message}`];
  return mode === 'foreign' ? [`${bridge}: ${reason}.`] : [];
}

const NOT_LOOKING: Looked = { conversations: undefined, notes: [] };

function look(scope: Scope, { settings, everyMs, bridges = [] }: TopOptions): Observable<Looked> {
  return conversationsOf({
    settings,
    everyMs,
    bridges: scope.of === 'pair' ? [scope.pair.bridge] : bridges,
    wanted: (conversation) => isInScope(scope, conversation),
  }).pipe(
    map(({ conversations, leftOut }): Looked => {
      const more = leftOut.conversations;
      return { conversations, notes: more === 0 ? [] : [`${String(more)} more conversations are left out.`] };
    }),
    startWith<Looked>({ conversations: [], notes: [] }),
    catchError((thrown: unknown) => {
      const { code, message } = toVsbError(thrown);
      return of<Looked>({ conversations: [], notes: [`error[${code}]: ${message}`] });
    }),
  );
}
