/** A view as a table for people: as wide as the terminal allows, less important columns given up first. Pure. */
import type { PortRow } from '../traffic/attribute.ts';
import { sumMeasured, type Measured } from '../traffic/figures.ts';
import type { View } from '../traffic/views.ts';
import type { FiguresView } from './watchrecords.ts';
import { renderRate } from '../units/bitrate.ts';
import { renderBytes } from '../units/bytesize.ts';
import type { Counter } from '../units/counter.ts';
import { toPrintable } from '../units/printable.ts';
import { clock, count, GAP, renderColumns, UNKNOWN, type Column, type TableOptions } from './columntable.ts';
import { renderPairsTable } from './pairstable.ts';

/** One line: a port, a NIC, or the sum of a VM. */
interface Line {
  readonly names: { readonly vm: string; readonly nic: string; readonly port: PortRow | undefined };
  readonly measured: Measured;
  readonly isTotal: boolean;
}

const COLUMNS: readonly Column<Line>[] = [
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

/** Mostly there is none: it takes room only where there is. */
const HOST_LOSS = figureColumn('HOST LOSS', 2, ({ hostLossPackets }) => String(hostLossPackets ?? UNKNOWN));

/** The lines of the table, the first with time, bridges and totals; no line is wider than asked for. */
export function renderWatchTable(view: View, options: TableOptions): string[] {
  if (view.view === 'pairs') return renderPairsTable(view, options);
  const lines = toLines(view);
  const columns = lines.some(hasHostLoss) ? [...COLUMNS, HOST_LOSS] : COLUMNS;
  const rows = renderColumns(columns, lines, options, (line) => line.isTotal);
  return [renderHead(view, lines).slice(0, options.width), ...rows];
}

function hasHostLoss({ measured }: Line): boolean {
  return measured.hostLossPackets !== undefined && measured.hostLossPackets > 0n;
}

function rateColumn(
  title: string,
  giveUp: number,
  rate: (measured: Measured) => number | undefined,
): Column<Line> {
  return figureColumn(title, giveUp, (measured) => renderPerSecond(rate(measured)));
}

function figureColumn(title: string, giveUp: number, cell: (measured: Measured) => string): Column<Line> {
  return { title, align: 'right', giveUp, cell: (line) => cell(line.measured) };
}

function toLines(view: FiguresView): Line[] {
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
function renderHead(view: FiguresView, lines: readonly Line[]): string {
  const total = sumMeasured(lines.filter((line) => !line.isTotal).map((line) => line.measured));
  const parts = [
    clock(view.at),
    count(view.bridges.length, 'bridge'),
    view.view === 'vms' ? count(view.vms.length, 'VM') : count(view.ports.length, 'port'),
    `sent ${renderPerSecond(total.sentBitsPerSecond)} bit/s`,
    `received ${renderPerSecond(total.receivedBitsPerSecond)} bit/s`,
  ];
  if (view.losses.length > 0) parts.push(`NOT READ: ${view.losses.map(({ bridge }) => bridge).join(', ')}`);
  return toPrintable(parts.join(GAP));
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
