/** A snapshot as plain text: what `vsb top` prints where there is no terminal. Pure. */
import { paint } from '../paint.ts';
import { renderTotals } from './heading.ts';
import { toTopRows } from './rows.ts';
import type { TopSnapshot } from './snapshot.ts';
import { placeOf, type TopState } from './state.ts';

/** Time and totals, the table with all of its rows and columns, and an empty line. */
export function renderTopPlain(snapshot: TopSnapshot, state: TopState): string {
  const rows = toTopRows(snapshot, state);
  const plain = paint(false);
  const style = {
    width: undefined,
    unit: state.unit,
    sorting: state.sorting[placeOf(state).view],
    paint: plain,
    selected: undefined,
  };
  const head = `${snapshot.at.toISOString().slice(11, 19)}Z  ${renderTotals(snapshot, rows, state.unit, Infinity, plain)}`;
  return `${[head, ...rows.render(style, [0, Infinity])].join('\n')}\n\n`;
}
