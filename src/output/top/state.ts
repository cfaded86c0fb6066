/** What a person has chosen in `vsb top`, and what each key changes about it. Pure. */
import { editFilter, openFilter, type FilterLine, type KnownNames } from './filterline.ts';
import type { Key } from './keys.ts';
import { TOP_VIEWS, type Place, type Scope, type TopView } from './place.ts';

export interface TopState {
  /** How one came here: the last is shown, Escape leads to the one before. Never empty. */
  readonly places: readonly [Place, ...Place[]];
  readonly unit: 'bits' | 'bytes';
  readonly isPaused: boolean;
  readonly isHelpShown: boolean;
  /** Per view: the column by its id, and whether the order is turned round. */
  readonly sorting: Readonly<Record<TopView, Sorting>>;
  /** Per view, since each has other fields. */
  readonly filters: Readonly<Record<TopView, string>>;
  /** The filter that is being written. */
  readonly line: FilterLine | undefined;
  /** A deep look into conversations costs the switch something, so that it is asked for. */
  readonly isLookingDeep: boolean;
  readonly hasQuit: boolean;
}

export interface Sorting {
  readonly column: string;
  readonly isReversed: boolean;
}

/** What is on the screen when a key is pressed. */
export interface Shown {
  /** Keys of the rows, in order. */
  readonly keys: readonly string[];
  /** What Enter leads to on a row. */
  readonly leadsTo: (key: string) => Scope | undefined;
  /** How many rows fit. */
  readonly page: number;
  /** Ids of the columns of the view, in order. */
  readonly columns: readonly string[];
  /** Names of VMs, networks … for completion. */
  readonly names: KnownNames;
}

const BY_RATE: Sorting = { column: 'now', isReversed: false };

/** The state at the start. */
export function initialTopState(view: TopView, filter = ''): TopState {
  return {
    places: [{ view, scope: { of: 'all' }, selected: undefined }],
    unit: 'bits',
    isPaused: false,
    isHelpShown: false,
    sorting: { vms: BY_RATE, pairs: BY_RATE, conversations: BY_RATE },
    filters: { vms: '', pairs: '', conversations: '', [view]: filter },
    line: undefined,
    isLookingDeep: false,
    hasQuit: false,
  };
}

/** Where the person is. */
export function placeOf({ places }: TopState): Place {
  return places.at(-1) ?? places[0];
}

/** The state after a key. */
export function press(state: TopState, key: Key, shown: Shown): TopState {
  if (key.key === 'interrupt') return { ...state, hasQuit: true };
  if (state.line !== undefined) return writeFilter(state, state.line, key, shown);
  if (state.isHelpShown) return { ...state, isHelpShown: false };
  switch (key.key) {
    case 'up':
      return move(state, shown, -1);
    case 'down':
      return move(state, shown, 1);
    case 'page-up':
      return move(state, shown, -shown.page);
    case 'page-down':
      return move(state, shown, shown.page);
    case 'home':
      return move(state, shown, -Infinity);
    case 'end':
      return move(state, shown, Infinity);
    case 'enter':
    case 'right':
      return enter(state, shown);
    case 'escape':
    case 'backspace':
    case 'left':
      return back(state);
    case 'tab':
      return turnTo(state, 1);
    case 'back-tab':
      return turnTo(state, -1);
    case 'character':
      return type(state, key.text, shown);
    case 'delete':
    case 'clear-line':
    case 'redraw':
      return state;
  }
}

function type(state: TopState, text: string, shown: Shown): TopState {
  switch (text) {
    case 'q':
      return { ...state, hasQuit: true };
    case 'b':
      return { ...state, unit: state.unit === 'bits' ? 'bytes' : 'bits' };
    case ' ':
      return { ...state, isPaused: !state.isPaused };
    case '<':
      return sortBy(state, shown, -1);
    case '>':
      return sortBy(state, shown, 1);
    case 'r':
      return changeSorting(state, ({ column, isReversed }) => ({ column, isReversed: !isReversed }));
    case '/':
      return { ...state, line: openFilter(state.filters[placeOf(state).view]) };
    case '?':
    case 'h':
      return { ...state, isHelpShown: true };
    case 'j':
      return move(state, shown, 1);
    case 'k':
      return move(state, shown, -1);
    case 'g':
      return move(state, shown, -Infinity);
    case 'G':
      return move(state, shown, Infinity);
    default:
      return state;
  }
}

/** By so many rows, as far as there are rows. */
function move(state: TopState, { keys }: Shown, by: number): TopState {
  const at = Math.max(0, keys.indexOf(placeOf(state).selected ?? ''));
  const selected = keys[Math.min(keys.length - 1, Math.max(0, at + by))];
  return selected === undefined ? state : changePlace(state, { ...placeOf(state), selected });
}

/** One level deeper into the chosen row; in conversations that nobody looks at, the look begins. */
function enter(state: TopState, { keys, leadsTo }: Shown): TopState {
  const { view, selected } = placeOf(state);
  if (view === 'conversations') return { ...state, isLookingDeep: true };
  const key = selected !== undefined && keys.includes(selected) ? selected : keys[0];
  const scope = key === undefined ? undefined : leadsTo(key);
  if (scope === undefined) return state;
  const next = view === 'vms' ? 'pairs' : 'conversations';
  // The row that was entered stays the chosen one for the way back, also where it was only the first.
  const { places } = changePlace(state, { ...placeOf(state), selected: key });
  const place: Place = { view: next, scope, selected: undefined };
  return { ...state, places: [...places, place], isLookingDeep: next === 'conversations' };
}

/** To where one came from; at the start, away with the filter. */
function back(state: TopState): TopState {
  const [first, ...rest] = state.places;
  if (rest.length > 0) return { ...state, places: [first, ...rest.slice(0, -1)], isLookingDeep: false };
  return { ...state, filters: { ...state.filters, [first.view]: '' }, isLookingDeep: false };
}

/** The next view, with all of its rows. */
function turnTo(state: TopState, by: 1 | -1): TopState {
  const at = TOP_VIEWS.indexOf(placeOf(state).view) + by;
  const view = TOP_VIEWS.at(at % TOP_VIEWS.length) ?? 'vms';
  return { ...state, places: [{ view, scope: { of: 'all' }, selected: undefined }], isLookingDeep: false };
}

function sortBy(state: TopState, { columns }: Shown, by: 1 | -1): TopState {
  return changeSorting(state, ({ column }) => {
    const at = columns.indexOf(column) + by;
    return { column: columns.at(at % columns.length) ?? column, isReversed: false };
  });
}

function changeSorting(state: TopState, change: (sorting: Sorting) => Sorting): TopState {
  const { view } = placeOf(state);
  return { ...state, sorting: { ...state.sorting, [view]: change(state.sorting[view]) } };
}

function changePlace(state: TopState, place: Place): TopState {
  const [first, ...rest] = state.places;
  return { ...state, places: rest.length === 0 ? [place] : [first, ...rest.slice(0, -1), place] };
}

function writeFilter(state: TopState, line: FilterLine, key: Key, { names }: Shown): TopState {
  const { view } = placeOf(state);
  const edited = editFilter(line, key, view, names);
  switch (edited.outcome) {
    case 'editing':
      return { ...state, line: edited.line };
    case 'left':
      return { ...state, line: undefined };
    case 'taken':
      return { ...state, line: undefined, filters: { ...state.filters, [view]: edited.text } };
  }
}
