/** Rows as the lines of a table, as wide as there is room: first columns are given up, then names are cut. Pure. */
import type { Paint } from '../paint.ts';
import type { Column } from './columns.ts';
import type { Sorting, TopState } from './state.ts';
import { fit, widthOf } from './text.ts';

export interface TableStyle {
  /** Cells of a line; `undefined`: as many as needed. */
  readonly width: number | undefined;
  readonly unit: TopState['unit'];
  readonly sorting: Sorting;
  readonly paint: Paint;
  /** The chosen row's key; `undefined` where none can be chosen. */
  readonly selected: string | undefined;
}

/** A column with its place: how wide, and the space before it. */
interface Placed<Row> {
  readonly column: Column<Row>;
  readonly width: number;
  readonly gap: number;
}

const MARK = '▸';

/** The title line, then a line for each of the rows from `from` to before `to`. */
export function renderTable<Row extends { readonly key: string }>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  style: TableStyle,
  [from, to]: readonly [number, number],
): string[] {
  const placed = placeColumns(columns, rows, style);
  const { paint, selected, sorting, unit, width } = style;
  const indent = selected === undefined ? '' : ' ';
  const titles = join(placed, ({ column, width: cells }) => {
    const title = fit(column.title, cells, column.align);
    return column.id === sorting.column ? paint('cyan', title) : title;
  });
  const lines = rows.slice(from, to).map((row) => {
    const isSelected = row.key === selected;
    const text = join(placed, ({ column, width: cells }) => {
      const cell = fit(column.cell(row, unit, cells), cells, column.align);
      const colour = column.colour?.(row);
      // In the bar of the chosen row nothing else is painted: the end of one colour would be that of the bar.
      return isSelected || colour === undefined ? cell : paint(colour, cell);
    });
    if (isSelected) return paint('inverse', fit(MARK + text, width ?? widthOf(MARK + text)));
    return (indent + text).trimEnd();
  });
  return [paint('bold', (indent + titles).trimEnd()), ...lines];
}

function join<Row>(placed: readonly Placed<Row>[], cell: (one: Placed<Row>) => string): string {
  return placed.map((one) => ' '.repeat(one.gap) + cell(one)).join('');
}

/** What fits: columns go by their number, what is left over goes to those that could be wider, and names are cut last. */
function placeColumns<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { width, sorting, selected }: TableStyle,
): Placed<Row>[] {
  const room = width === undefined ? Infinity : width - (selected === undefined ? 0 : 1);
  // What it is sorted by stays in sight.
  const giveUpOf = (column: Column<Row>): number => (column.id === sorting.column ? 0 : column.giveUp);
  let kept = columns.map((column) => ({ column, wanted: wantedWidth(column, rows) }));
  const least = (): number =>
    sum(kept.map(({ column, wanted }, index) => gapBefore(column, index) + Math.min(column.min, wanted)));
  while (least() > room) {
    const worst = Math.max(...kept.map(({ column }) => giveUpOf(column)));
    if (worst === 0) break;
    kept = kept.filter(({ column }) => giveUpOf(column) !== worst);
  }
  // A terminal that is too narrow for the rest still has its first column.
  while (kept.length > 1 && least() > room) kept = kept.slice(0, -1);
  let spare = Math.max(0, room - least());
  return kept.map(({ column, wanted }, index) => {
    const base = Math.min(column.min, wanted, Math.max(0, room));
    const more = Math.min(spare, wanted - base);
    spare -= more;
    return { column, width: base + more, gap: gapBefore(column, index) };
  });
}

function wantedWidth<Row>(column: Column<Row>, rows: readonly Row[]): number {
  if (column.isElastic === true || column.min === column.max) return column.max;
  const cells = rows.map((row) => widthOf(column.cell(row, 'bits', column.max)));
  return Math.min(column.max, Math.max(widthOf(column.title), ...cells));
}

/** Figures stand at the right end of their cells, so a text after one needs more space. */
function gapBefore<Row>(column: Column<Row>, index: number): number {
  return index === 0 ? 0 : column.align === 'left' ? 2 : 1;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
