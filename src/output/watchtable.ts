/** A view as a table for people: as wide as the terminal allows, less important columns given up first. Pure. */
import type { PortRow } from '../traffic/attribute.ts';
import { sumMeasured, type Measured } from '../traffic/figures.ts';
import type { View } from '../traffic/views.ts';
import { renderRate } from '../units/bitrate.ts';
import { renderBytes } from '../units/bytesize.ts';
import type { Counter } from '../units/counter.ts';
import { toPrintable } from '../units/printable.ts';

export interface TableOptions {
  /** Characters that fit in a line; `undefined`: as many as needed. */
  readonly width: number | undefined;
  readonly colour: boolean;
}

/** One line: a port, a NIC, or the sum of a VM. */
interface Line {
  readonly names: { readonly vm: string; readonly nic: string; readonly port: PortRow | undefined };
  readonly measured: Measured;
  readonly isTotal: boolean;
}

interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
  /** The column with the highest number goes first where the line is too long; 0 stays. */
  readonly giveUp: number;
  readonly cell: (line: Line) => string;
}

const UNKNOWN = '-';
const GAP = '  ';
const BOLD = '\x1b[1m';
const PLAIN = '\x1b[0m';

const COLUMNS: readonly Column[] = [
  { title: 'VM', align: 'left', giveUp: 0, cell: (line) => line.names.vm },
  { title: 'NIC', align: 'left', giveUp: 3, cell: (line) => line.names.nic },
  { title: 'NETWORK', align: 'left', giveUp: 9, cell: (line) => line.names.port?.owner?.network ?? '' },
  { title: 'BRIDGE', align: 'left', giveUp: 7, cell: (line) => line.names.port?.bridge ?? '' },
  { title: 'PORT', align: 'left', giveUp: 0, cell: (line) => line.names.port?.port ?? '' },
  rateColumn('SENT bit/s', 0, (measured) => measured.sentBitsPerSecond),
  rateColumn('RECEIVED bit/s', 0, (measured) => measured.receivedBitsPerSecond),
  rateColumn('SENT pkt/s', 4, (measured) => measured.sentPacketsPerSecond),
  rateColumn('RECEIVED pkt/s', 4, (measured) => measured.receivedPacketsPerSecond),
  figureColumn('SENT', 6, (measured) => renderCount(measured.sentBytes)),
  figureColumn('RECEIVED', 6, (measured) => renderCount(measured.receivedBytes)),
  figureColumn('DROPPED', 5, (measured) => renderPair(measured.sentDropped, measured.receivedDropped)),
  figureColumn('ERRORS', 8, (measured) => renderPair(measured.sentErrors, measured.receivedErrors)),
];

/** The lines of the table, the first with time, bridges and totals; no line is wider than asked for. */
export function renderWatchTable(view: View, { width, colour }: TableOptions): string[] {
  const lines = toLines(view);
  const cells = COLUMNS.map((column) => [
    column.title,
    ...lines.map((line) => toPrintable(column.cell(line))),
  ]);
  const widths = cells.map((column) => Math.max(...column.map((cell) => cell.length)));
  const kept = chooseColumns(widths, width);
  const rows = [undefined, ...lines].map((line, row) => {
    const padded = kept.map((index) =>
      pad(cells[index]?.[row] ?? '', widths[index] ?? 0, COLUMNS[index]?.align),
    );
    const text = padded.join(GAP).trimEnd().slice(0, width);
    return colour && (line === undefined || line.isTotal) ? `${BOLD}${text}${PLAIN}` : text;
  });
  return [renderHead(view, lines).slice(0, width), ...rows];
}

function rateColumn(title: string, giveUp: number, rate: (measured: Measured) => number | undefined): Column {
  return figureColumn(title, giveUp, (measured) => renderPerSecond(rate(measured)));
}

function figureColumn(title: string, giveUp: number, cell: (measured: Measured) => string): Column {
  return { title, align: 'right', giveUp, cell: (line) => cell(line.measured) };
}

function toLines(view: View): Line[] {
  switch (view.view) {
    case 'ports':
      return view.ports.map((row) => toPortLine(row));
    case 'vms':
      return view.vms.flatMap((vm) => [
        { names: { vm: vm.vm, nic: 'total', port: undefined }, measured: vm.total, isTotal: true },
        ...vm.nics.map((row) => toPortLine(row)),
      ]);
  }
}

function toPortLine(row: PortRow): Line {
  const names = { vm: row.owner?.vm ?? UNKNOWN, nic: row.owner?.nic ?? '', port: row };
  return { names, measured: row, isTotal: false };
}

/** `16:45:52Z  1 bridge  2 VMs  sent 1.25M bit/s  received 980 bit/s`, with the bridges that could not be read. */
function renderHead(view: View, lines: readonly Line[]): string {
  const total = sumMeasured(lines.filter((line) => !line.isTotal).map((line) => line.measured));
  const parts = [
    `${view.at.toISOString().slice(11, 19)}Z`,
    count(view.bridges.length, 'bridge'),
    view.view === 'vms' ? count(view.vms.length, 'VM') : count(view.ports.length, 'port'),
    `sent ${renderPerSecond(total.sentBitsPerSecond)} bit/s`,
    `received ${renderPerSecond(total.receivedBitsPerSecond)} bit/s`,
  ];
  if (view.losses.length > 0) parts.push(`NOT READ: ${view.losses.map(({ bridge }) => bridge).join(', ')}`);
  return toPrintable(parts.join(GAP));
}

/** Indexes of the columns that fit, in order. */
function chooseColumns(widths: readonly number[], width: number | undefined): number[] {
  let kept = COLUMNS.map((_, index) => index);
  const total = (): number =>
    kept.reduce((sum, index) => sum + (widths[index] ?? 0) + GAP.length, -GAP.length);
  while (width !== undefined && total() > width) {
    const worst = Math.max(...kept.map((index) => COLUMNS[index]?.giveUp ?? 0));
    if (worst === 0) break;
    kept = kept.filter((index) => COLUMNS[index]?.giveUp !== worst);
  }
  return kept;
}

function pad(text: string, width: number, align: Column['align'] = 'left'): string {
  return align === 'right' ? text.padStart(width) : text.padEnd(width);
}

function renderPerSecond(rate: number | undefined): string {
  return rate === undefined ? UNKNOWN : renderRate(rate);
}

function renderCount(bytes: Counter): string {
  return bytes === undefined ? UNKNOWN : renderBytes(bytes);
}

/** Sent and received, as in `0/3`. */
function renderPair(sent: Counter, received: Counter): string {
  return sent === undefined && received === undefined
    ? UNKNOWN
    : `${String(sent ?? UNKNOWN)}/${String(received ?? UNKNOWN)}`;
}

function count(number: number, what: string): string {
  return `${String(number)} ${what}${number === 1 ? '' : 's'}`;
}
