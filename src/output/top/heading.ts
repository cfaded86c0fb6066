/** The lines above and below the table of `vsb top`. Pure. */
import { renderDuration } from '../../units/duration.ts';
import type { Paint } from '../paint.ts';
import { renderIn } from './columns.ts';
import type { FilterLine } from './filterline.ts';
import { TOP_KEYS } from './help.ts';
import type { TopRows } from './rows.ts';
import { renderEnd } from '../../traffic/pairs/pairorder.ts';
import type { TopSnapshot } from './snapshot.ts';
import { renderSpans, type Span } from './spans.ts';
import { TOP_VIEWS, type Scope, type TopView } from './place.ts';
import { placeOf, type TopState } from './state.ts';
import { fit, widthOf } from './text.ts';

const TITLES: Readonly<Record<TopView, string>> = {
  vms: 'VMs',
  pairs: 'Pairs',
  conversations: 'Conversations',
};
const GAP = { text: '  ' };

/** `vsb top PAUSED [VMs]  Pairs  Conversations      14:02:31Z`. */
export function renderHeading(
  snapshot: TopSnapshot | undefined,
  state: TopState,
  width: number,
  paint: Paint,
): string {
  const { view } = placeOf(state);
  const tabs = TOP_VIEWS.flatMap((each): Span[] => [
    { text: ' ' },
    each === view
      ? { text: `[${TITLES[each]}]`, colour: 'bold' }
      : { text: ` ${TITLES[each]} `, colour: 'dim' },
  ]);
  const paused: Span[] = state.isPaused ? [{ text: ' PAUSED', colour: 'yellow' }] : [];
  const time = snapshot === undefined ? '' : `${snapshot.at.toISOString().slice(11, 19)}Z`;
  return renderSpans(
    [{ text: 'vsb top', colour: 'bold' }, ...paused, ...tabs],
    [{ text: time }],
    width,
    paint,
  );
}

/** `3 VMs  sent 1.25G bit/s  received 1.25G bit/s  exact, 0.2s old  NOT READ: br1`. */
export function renderTotals(
  snapshot: TopSnapshot | undefined,
  rows: TopRows | undefined,
  unit: TopState['unit'],
  width: number,
  paint: Paint,
): string {
  if (snapshot === undefined || rows === undefined) return '';
  const lost: Span[] =
    snapshot.losses.length === 0
      ? []
      : [{ text: `NOT READ: ${snapshot.losses.map(({ bridge }) => bridge).join(', ')}`, colour: 'red' }, GAP];
  const parts = [countOf(rows), ...sumsOf(snapshot, rows, unit), qualityOf(rows)];
  return renderSpans([...lost, { text: parts.filter((part) => part !== '').join('  ') }], [], width, paint);
}

/** `pairs of web1 · by RATE 2s, reversed · filter rate>1M`, or the filter that is being written. */
export function renderStatus(
  state: TopState,
  rows: TopRows | undefined,
  width: number,
  paint: Paint,
): string {
  const { view, scope } = placeOf(state);
  if (state.line !== undefined) return renderLine(state.line, width);
  const filter = state.filters[view];
  const filtered: Span[] = filter === '' ? [] : [{ text: ' · filter ' }, { text: filter, colour: 'yellow' }];
  const order =
    rows === undefined ? '' : ` · by ${rows.sortedBy}${state.sorting[view].isReversed ? ', reversed' : ''}`;
  return renderSpans([{ text: describeScope(view, scope) + order }, ...filtered], [], width, paint);
}

/** Where the cursor stands in {@link renderStatus}. */
export function statusCursor(line: FilterLine, width: number): number {
  return toWindow(line, width).cursor;
}

/** What is wrong with the filter, what it may go on with; what has to be known; or which keys there are. */
export function renderFoot(
  { line }: TopState,
  notes: readonly string[],
  width: number,
  paint: Paint,
): string {
  if (line?.fault !== undefined) return renderSpans([{ text: line.fault, colour: 'red' }], [], width, paint);
  if (line !== undefined && line.choices.length > 0)
    return renderSpans([{ text: line.choices.join('  '), colour: 'cyan' }], [], width, paint);
  if (line === undefined && notes.length > 0)
    return renderSpans([{ text: notes.join('  '), colour: 'yellow' }], [], width, paint);
  const keys =
    line === undefined
      ? 'q quit  ? help  Enter deeper  Esc back  Tab view  / filter  <> sort  b bytes  Space pause'
      : 'Enter apply  Tab complete  Esc leave   vm=web* and not network in (db, lab) and rate > 1M';
  return renderSpans([{ text: keys, colour: 'dim' }], [], width, paint);
}

/** The keys, in place of the table. */
export function renderHelp(width: number, paint: Paint): string[] {
  const longest = Math.max(...TOP_KEYS.map(([keys]) => widthOf(keys)));
  return TOP_KEYS.map(([keys, does]) =>
    renderSpans([{ text: fit(keys, longest), colour: 'bold' }, GAP, { text: does }], [], width, paint),
  );
}

function countOf({ view, keys }: TopRows): string {
  const title = TITLES[view];
  const noun = view === 'vms' ? title : title.toLowerCase();
  return `${String(keys.length)} ${keys.length === 1 ? noun.slice(0, -1) : noun}`;
}

/** Of VMs those of all, whatever the filter; of others what is shown, since a packet between two VMs is in one pair only. */
function sumsOf(snapshot: TopSnapshot, rows: TopRows, unit: TopState['unit']): readonly string[] {
  const perSecond = unit === 'bits' ? 'bit/s' : 'byte/s';
  if (rows.view !== 'vms') return [`${renderIn(unit, rows.bitsPerSecond)} ${perSecond}`];
  const { sent, received } = snapshot;
  return [
    `sent ${renderIn(unit, sent.means[0])} ${perSecond}`,
    `received ${renderIn(unit, received.means[0])} ${perSecond}`,
  ];
}

function qualityOf({ keys, quality, ageMs }: TopRows): string {
  if (keys.length === 0) return '';
  const name = quality === 'at-least' ? 'at least (≥)' : quality;
  return ageMs === undefined ? name : `${name}, ${renderDuration(ageMs)} old`;
}

function describeScope(view: TopView, scope: Scope): string {
  switch (scope.of) {
    case 'all':
      return `all ${view === 'vms' ? 'VMs' : view}`;
    case 'vm':
      return `${view} of ${scope.vm.vm}`;
    case 'pair':
      return `${view} between ${renderEnd(scope.pair.from)} and ${renderEnd(scope.pair.to)}`;
  }
}

function renderLine(line: FilterLine, width: number): string {
  return fit(`/${toWindow(line, width).text}`, width).trimEnd();
}

/** The part of the line around the cursor that fits behind the slash. */
function toWindow({ text, cursor }: FilterLine, width: number): { text: string; cursor: number } {
  const characters = Array.from(text);
  let from = 0;
  // One cell for the slash, one for the cursor behind the last character.
  while (widthOf(characters.slice(from, cursor).join('')) > width - 2 && from < cursor) from++;
  return {
    text: characters.slice(from).join(''),
    cursor: 1 + widthOf(characters.slice(from, cursor).join('')),
  };
}
