/** Which rows a place of `vsb top` has: those of its scope that pass the filter, in the order that was asked for. Pure. */
import { compileFilter } from '../../filter/compile.ts';
import type { FilterSource } from '../../filter/fields.ts';
import { CONVERSATION_SOURCE, PAIR_SOURCE, VM_SOURCE } from '../../traffic/filtersources.ts';
import type { Pair, PairEnd, Quality } from '../../traffic/pairs/pair.ts';
import { compareText } from '../../traffic/switchports.ts';
import { CONVERSATION_COLUMNS, PAIR_COLUMNS, VM_COLUMNS, type Column } from './columns.ts';
import { renderTable, type TableStyle } from './table.ts';
import { isSameEnd, keyOfVm, type TopSnapshot } from './snapshot.ts';
import type { Scope, TopView } from './place.ts';
import { placeOf, type Sorting, type TopState } from './state.ts';

/** The rows of a place; what they are rows of is known in here only. */
export interface TopRows {
  readonly view: TopView;
  /** Their keys, in order. */
  readonly keys: readonly string[];
  /** What Enter leads to on a row. */
  readonly leadsTo: (key: string) => Scope | undefined;
  /** Ids of the columns, in order. */
  readonly columns: readonly string[];
  /** The name of the column that they are sorted by. */
  readonly sortedBy: string;
  /** The least good quality among them. */
  readonly quality: Quality;
  /** Milliseconds since the oldest of their figures was read; `undefined` where there are none. */
  readonly ageMs: number | undefined;
  /** The sum of their rates over the shortest window, each packet once. */
  readonly bitsPerSecond: number;
  /** The title line, then a line for each of the rows from `from` to before `to`. */
  readonly render: (style: TableStyle, range: readonly [from: number, to: number]) => string[];
}

/** The rows of where the person is. Fails with FILTER_INVALID where the state's filter is not right for its view. */
export function toTopRows(snapshot: TopSnapshot, state: TopState): TopRows {
  const { scope, view } = placeOf(state);
  switch (view) {
    case 'vms':
      return choose(snapshot.vms, state, {
        columns: VM_COLUMNS,
        source: VM_SOURCE,
        leadsTo: ({ row }) => ({ of: 'vm', vm: row }),
        measured: ({ row, sent }) => ({
          quality: row.total.quality,
          ageMs: row.total.ageMs,
          now: sent.means[0],
        }),
      });
    case 'pairs':
      return choose(
        snapshot.pairs.filter(({ row }) => isInScope(scope, row)),
        state,
        {
          columns: PAIR_COLUMNS,
          source: PAIR_SOURCE,
          leadsTo: ({ row }) => ({ of: 'pair', pair: row }),
          measured: ({ row, rate }) => ({ quality: row.quality, ageMs: row.ageMs, now: rate.means[0] }),
        },
      );
    case 'conversations':
      return choose(
        (snapshot.conversations ?? []).filter(({ row }) => isInScope(scope, row)),
        state,
        {
          columns: CONVERSATION_COLUMNS,
          source: CONVERSATION_SOURCE,
          leadsTo: () => undefined,
          measured: ({ row, rate }) => ({ quality: row.quality, ageMs: row.ageMs, now: rate.means[0] }),
        },
      );
  }
}

/** How rows of a kind are chosen and shown. */
interface Kind<Row extends { readonly row: unknown }> {
  readonly columns: readonly Column<Row>[];
  readonly source: FilterSource<Row['row']>;
  readonly leadsTo: (row: Row) => Scope | undefined;
  readonly measured: (row: Row) => {
    readonly quality: Quality;
    readonly ageMs: number | undefined;
    readonly now: number | undefined;
  };
}

function choose<Row extends { readonly key: string; readonly row: unknown }>(
  all: readonly Row[],
  state: TopState,
  { columns, source, leadsTo, measured }: Kind<Row>,
): TopRows {
  const { view } = placeOf(state);
  const { matches } = compileFilter(state.filters[view], source);
  const rows = sortRows(
    all.filter(({ row }) => matches(row)),
    columns,
    state.sorting[view],
  );
  const figures = rows.map(measured);
  const ages = figures.flatMap(({ ageMs }) => ageMs ?? []);
  return {
    view,
    keys: rows.map(({ key }) => key),
    leadsTo: (wanted) => {
      const row = rows.find(({ key }) => key === wanted);
      return row === undefined ? undefined : leadsTo(row);
    },
    columns: columns.map(({ id }) => id),
    sortedBy: columns.find(({ id }) => id === state.sorting[view].column)?.name ?? '',
    quality: figures.find(({ quality }) => quality !== 'exact')?.quality ?? 'exact',
    ageMs: ages.length === 0 ? undefined : ages.reduce((oldest, age) => Math.max(oldest, age)),
    bitsPerSecond: figures.reduce((sum, { now }) => sum + (now ?? 0), 0),
    render: (style, range) => renderTable(rows, columns, style, range),
  };
}

/** True where the row belongs to the scope. A pair's conversations are those of both ways: a request without its answers is half of what one looks for. */
export function isInScope(scope: Scope, { bridge, from, to }: Pair): boolean {
  switch (scope.of) {
    case 'all':
      return true;
    case 'vm':
      return [from, to].some((end) => isOf(scope.vm, end));
    case 'pair': {
      const { pair } = scope;
      const isThere = isSameEnd(pair.from, from) && isSameEnd(pair.to, to);
      const isBack = isSameEnd(pair.from, to) && isSameEnd(pair.to, from);
      return bridge === pair.bridge && (isThere || isBack);
    }
  }
}

function isOf(vm: Extract<Scope, { of: 'vm' }>['vm'], end: PairEnd): boolean {
  return typeof end !== 'string' && keyOfVm(end) === keyOfVm(vm);
}

/** Equal ones in the order of their keys, so that they do not change places at every tick. */
function sortRows<Row extends { readonly key: string }>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  { column, isReversed }: Sorting,
): readonly Row[] {
  const order = columns.find(({ id }) => id === column)?.order ?? (() => undefined);
  const keyed = rows.map((row) => ({ row, by: order(row) }));
  const turn = isReversed ? -1 : 1;
  keyed.sort((a, b) => compareOrders(a.by, b.by, turn) || (a.row.key < b.row.key ? -1 : 1));
  return keyed.map(({ row }) => row);
}

type Order = ReturnType<Column<never>['order']>;

/** What is not known is last, either way. */
function compareOrders(a: Order, b: Order, turn: 1 | -1): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  if (typeof a === 'string' || typeof b === 'string') return turn * compareText(String(a), String(b));
  return turn * (Number(a < b) - Number(a > b));
}
