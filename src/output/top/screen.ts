/** A screen of `vsb top`: a snapshot and what the person chose, as lines for a terminal of some size. Pure. */
import { paint as toPaint, type Paint } from '../paint.ts';
import { emptinessOf } from './emptiness.ts';
import {
  renderFoot,
  renderHeading,
  renderHelp,
  renderStatus,
  renderTotals,
  statusCursor,
} from './heading.ts';
import { toTopRows, type TopRows } from './rows.ts';
import type { TopSnapshot } from './snapshot.ts';
import { renderSpans } from './spans.ts';
import { placeOf, type Shown, type TopState } from './state.ts';
import type { TableStyle } from './table.ts';

export interface ScreenOptions {
  readonly width: number;
  readonly height: number;
  readonly colour: boolean;
}

export interface Screen {
  /** Not more than the terminal has, none wider than it. */
  readonly lines: readonly string[];
  /** Where a text is being written, from 0; `undefined` where none is. */
  readonly cursor: { readonly row: number; readonly column: number } | undefined;
  /** What the next key is about. */
  readonly shown: Shown;
}

/** The lines around the table; each part may be without any. */
interface Frame {
  readonly heading: readonly string[];
  readonly totals: readonly string[];
  readonly status: readonly string[];
  readonly foot: readonly string[];
}

/** A title and three rows; where there is less room, lines around the table go. */
const LEAST_BODY = 4;
/** The order in which they go. */
const GIVEN_UP = ['foot', 'totals', 'heading', 'status'] as const satisfies readonly (keyof Frame)[];

/** The screen; before the first reading, `snapshot` is `undefined`. */
export function renderTopScreen(
  snapshot: TopSnapshot | undefined,
  state: TopState,
  { width, height, colour }: ScreenOptions,
): Screen {
  const paint = toPaint(colour);
  const rows = snapshot === undefined ? undefined : toTopRows(snapshot, state);
  const frame = fitFrame(
    {
      heading: [renderHeading(snapshot, state, width, paint)],
      totals: [renderTotals(snapshot, rows, state.unit, width, paint)],
      status: [renderStatus(state, rows, width, paint)],
      foot: [renderFoot(state, notesOf(snapshot, state), width, paint)],
    },
    state,
    height,
  );
  const above = [...frame.heading, ...frame.totals, ...frame.status];
  const room = Math.max(0, height - above.length - frame.foot.length);
  const body = renderBody(rows, state, { width, room, paint });
  const filled = Array.from({ length: room }, (_, index) => body[index] ?? '');
  return {
    lines: [...above, ...filled, ...frame.foot].slice(0, height),
    cursor:
      state.line === undefined
        ? undefined
        : { row: above.length - 1, column: statusCursor(state.line, width) },
    shown: toShown(snapshot, rows, Math.max(1, room - 1)),
  };
}

/** They are about pairs and conversations; over the VMs they would only hide the keys. */
function notesOf(snapshot: TopSnapshot | undefined, state: TopState): readonly string[] {
  return placeOf(state).view === 'vms' ? [] : (snapshot?.notes ?? []);
}

/** What is being written, and what is said about it, stays. */
function fitFrame(all: Frame, { line }: TopState, height: number): Frame {
  const staying: readonly (keyof Frame)[] = line === undefined ? [] : ['status', 'foot'];
  let frame = all;
  for (const part of GIVEN_UP) {
    const left = height - Object.values(frame).flat().length;
    if (left >= LEAST_BODY) break;
    if (!staying.includes(part)) frame = { ...frame, [part]: [] };
  }
  return frame;
}

interface BodyOptions {
  readonly width: number;
  readonly room: number;
  readonly paint: Paint;
}

/** The help, the title line and the rows around the chosen one, or why there are none. */
function renderBody(rows: TopRows | undefined, state: TopState, options: BodyOptions): readonly string[] {
  const { width, room, paint } = options;
  if (state.isHelpShown) return renderHelp(width, paint);
  if (rows === undefined || rows.keys.length === 0)
    return emptinessOf(rows, state).map((text) => renderSpans([{ text }], [], width, paint));
  const { view } = placeOf(state);
  const style = { width, unit: state.unit, sorting: state.sorting[view], paint };
  return renderPage(rows, placeOf(state).selected, room - 1, style);
}

/** As many rows as fit, the chosen one among them: whole pages, so that rows stay where they are while one moves. */
function renderPage(
  rows: TopRows,
  selected: string | undefined,
  page: number,
  style: Omit<TableStyle, 'selected'>,
): string[] {
  const at = Math.max(0, rows.keys.indexOf(selected ?? ''));
  const from = page < 1 ? 0 : Math.floor(at / page) * page;
  return rows.render({ ...style, selected: rows.keys[at] }, [from, from + Math.max(0, page)]);
}

function toShown(snapshot: TopSnapshot | undefined, rows: TopRows | undefined, page: number): Shown {
  const nics = snapshot?.vms.flatMap(({ row }) => row.nics) ?? [];
  return {
    keys: rows?.keys ?? [],
    leadsTo: (key) => rows?.leadsTo(key),
    columns: rows?.columns ?? [],
    page,
    names: {
      ...namesOfVms(snapshot),
      network: unique(nics.flatMap(({ owner }) => owner.network ?? [])),
      bridge: snapshot?.bridges ?? [],
    },
  };
}

function namesOfVms(snapshot: TopSnapshot | undefined): { vm: string[]; from: string[]; to: string[] } {
  const vm = unique(snapshot?.vms.map(({ row }) => row.vm) ?? []);
  return { vm, from: vm, to: vm };
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
