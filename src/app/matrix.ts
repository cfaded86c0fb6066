/** Who sends to whom, looked at once. */
import { first, firstValueFrom, map, skip } from 'rxjs';
import { compileFilter } from '../filter/compile.ts';
import { PAIR_SOURCE } from '../traffic/filtersources.ts';
import { toMatrix, type Matrix, type MatrixBy } from '../traffic/pairs/matrix.ts';
import type { PairsView } from '../traffic/views.ts';
import type { Settings } from './settings.ts';
import { pairs } from './streams.ts';

export type { Matrix, MatrixBy };

export interface MatrixOptions {
  readonly settings: Settings;
  readonly by: MatrixBy;
  /** Milliseconds over which rates are measured. Counts lag by up to half a second: a short time gives a rough rate. */
  readonly overMs: number;
  /** Only these bridges; `undefined` or empty: all of them. */
  readonly bridges?: readonly string[];
  /** Only pairs that pass this filter (docs/filter.md); default: all. */
  readonly where?: string | undefined;
}

/** How often it is looked whether the state of every bridge is known. */
const LOOK_EVERY_MS = 100;

/** The square, and the reading that it was made from. Throws FILTER_INVALID; rejects with what `watch` fails with. */
export function matrix({
  by,
  overMs,
  where = '',
  ...options
}: MatrixOptions): Promise<{ readonly view: PairsView; readonly matrix: Matrix }> {
  const isRate = by === 'rate';
  const { matches } = compileFilter(where, PAIR_SOURCE);
  return firstValueFrom(
    pairs({ ...options, everyMs: isRate ? overMs : LOOK_EVERY_MS }).pipe(
      skip(isRate ? 1 : 0),
      first(({ states, losses, bridges }) => states.length + losses.length >= bridges.length),
      map((view) => ({ view, matrix: toMatrix(view.pairs.filter(matches), by) })),
    ),
  );
}
