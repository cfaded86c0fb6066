/** Lines under titles, as wide as the terminal allows: less important columns are given up first. Pure. */
import { toPrintable } from '../units/printable.ts';

export interface TableOptions {
  /** Characters that fit in a line; `undefined`: as many as needed. */
  readonly width: number | undefined;
  readonly colour: boolean;
}

export interface Column<Line> {
  readonly title: string;
  readonly align: 'left' | 'right';
  /** The column with the highest number goes first where the line is too long; 0 stays. */
  readonly giveUp: number;
  readonly cell: (line: Line) => string;
}

/** In place of what is not known. */
export const UNKNOWN = '-';
/** Between columns. */
export const GAP = '  ';
const BOLD = '\x1b[1m';
const PLAIN = '\x1b[0m';

/** The titles, then a line for each; none is wider than asked for. */
export function renderColumns<Line>(
  columns: readonly Column<Line>[],
  lines: readonly Line[],
  { width, colour }: TableOptions,
  isBold: (line: Line) => boolean = () => false,
): string[] {
  const cells = columns.map((column) => [
    column.title,
    ...lines.map((line) => toPrintable(column.cell(line))),
  ]);
  const widths = cells.map((column) => column.reduce((most, cell) => Math.max(most, cell.length), 0));
  const kept = chooseColumns(columns, widths, width);
  return [undefined, ...lines].map((line, row) => {
    const padded = kept.map((index) =>
      pad(cells[index]?.[row] ?? '', widths[index] ?? 0, columns[index]?.align),
    );
    const text = padded.join(GAP).trimEnd().slice(0, width);
    return colour && (line === undefined || isBold(line)) ? `${BOLD}${text}${PLAIN}` : text;
  });
}

/** Indexes of the columns that fit, in order. */
function chooseColumns(
  columns: readonly Column<never>[],
  widths: readonly number[],
  width: number | undefined,
): number[] {
  let kept = columns.map((_, index) => index);
  const total = (): number =>
    kept.reduce((sum, index) => sum + (widths[index] ?? 0) + GAP.length, -GAP.length);
  while (width !== undefined && total() > width) {
    const worst = Math.max(...kept.map((index) => columns[index]?.giveUp ?? 0));
    if (worst === 0) break;
    kept = kept.filter((index) => columns[index]?.giveUp !== worst);
  }
  return kept;
}

function pad(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  return align === 'right' ? text.padStart(width) : text.padEnd(width);
}

/** `2 bridges` */
export function count(number: number, what: string): string {
  return `${String(number)} ${what}${number === 1 ? '' : 's'}`;
}

/** `16:45:52Z` */
export function clock(at: Date): string {
  return `${at.toISOString().slice(11, 19)}Z`;
}
