/** The columns of each view of `vsb top`: what is in them, how they sort, which are given up first. Pure. */
import { AVERAGE_WINDOWS_MS, type Trend } from '../../traffic/averages.ts';
import type { Quality } from '../../traffic/pairs/pair.ts';
import { renderRate } from '../../units/bitrate.ts';
import { renderBytes } from '../../units/bytesize.ts';
import type { Paint } from '../paint.ts';
import type { TopConversation, TopPair, TopVm } from './snapshot.ts';
import { renderEnd } from '../../traffic/pairs/pairorder.ts';
import { renderSparkline } from './sparkline.ts';
import type { TopState } from './state.ts';

type Unit = TopState['unit'];

export interface Column<Row> {
  /** Stays the same in all views where it means the same. */
  readonly id: string;
  readonly title: string;
  /** The title where it stands alone. */
  readonly name: string;
  readonly align: 'left' | 'right';
  /** Cells: at least, and at most as many as the widest text needs. */
  readonly min: number;
  readonly max: number;
  /** It takes all that there is up to `max`, whatever is in it. */
  readonly isElastic?: true;
  /** The column with the highest number goes first where the line is too long; 0 stays. */
  readonly giveUp: number;
  readonly cell: (row: Row, unit: Unit, width: number) => string;
  /** What it sorts by: figures from the highest, texts from A; `undefined` is last. */
  readonly order: (row: Row) => number | bigint | string | undefined;
  /** How the cell is painted; `undefined`: as the rest. */
  readonly colour?: (row: Row) => Parameters<Paint>[0] | undefined;
}

const UNKNOWN = '-';

export const VM_COLUMNS: readonly Column<TopVm>[] = [
  nameColumn('name', 'VM', 0, ({ row }) => row.vm),
  meanColumn('now', 'SENT', 0, 0, ({ sent }) => sent),
  meanColumn('soon', 'SENT', 1, 5, ({ sent }) => sent),
  meanColumn('long', 'SENT', 2, 7, ({ sent }) => sent),
  meanColumn('received-now', 'RECV', 0, 0, ({ received }) => received),
  meanColumn('received-soon', 'RECV', 1, 5, ({ received }) => received),
  meanColumn('received-long', 'RECV', 2, 7, ({ received }) => received),
  trendColumn(6, ({ sent, received }) => addTrends(sent, received)),
  nameColumn('peer', 'TOP PEER', 3, ({ topPeer }) => topPeer ?? UNKNOWN),
  {
    ...figureColumn('lost', 'LOST', 5, 2, ({ lostPackets }) => lostPackets, renderPackets),
    colour: ({ lostPackets }) => (lostPackets !== undefined && lostPackets > 0n ? 'red' : undefined),
  },
  figureColumn('sent-packets', 'SENT pkt/s', 10, 8, ({ row }) => row.total.sentPacketsPerSecond, renderRate),
  figureColumn(
    'received-packets',
    'RECV pkt/s',
    10,
    8,
    ({ row }) => row.total.receivedPacketsPerSecond,
    renderRate,
  ),
  figureColumn('sent-bytes', 'SENT', 7, 9, ({ row }) => row.total.sentBytes, renderBytes),
  figureColumn('received-bytes', 'RECEIVED', 8, 9, ({ row }) => row.total.receivedBytes, renderBytes),
];

const END_COLUMNS: readonly Column<TopPair>[] = [
  nameColumn('name', 'FROM', 0, ({ row }) => renderEnd(row.from)),
  nameColumn('to', 'TO', 0, ({ row }) => renderEnd(row.to)),
];

const PAIR_FIGURES: readonly Column<TopPair>[] = [
  meanColumn('now', 'RATE', 0, 0, ({ rate }) => rate),
  meanColumn('soon', 'RATE', 1, 5, ({ rate }) => rate),
  meanColumn('long', 'RATE', 2, 7, ({ rate }) => rate),
  trendColumn(4, ({ rate }) => rate),
  figureColumn('packet-rate', 'pkt/s', 5, 6, ({ row }) => row.packetsPerSecond, renderRate),
  figureColumn('bytes', 'BYTES', 7, 3, ({ row }) => row.bytes, renderBytes),
  figureColumn('packets', 'PACKETS', 7, 8, ({ row }) => row.packets, renderPackets),
  {
    ...nameColumn('quality', 'QUALITY', 2, ({ row }) => renderQuality(row.quality)),
    min: 7,
    colour: ({ row }) => (row.quality === 'exact' ? 'dim' : 'yellow'),
  },
];

export const PAIR_COLUMNS: readonly Column<TopPair>[] = [
  ...END_COLUMNS,
  ...PAIR_FIGURES,
  nameColumn('bridge', 'BRIDGE', 9, ({ row }) => row.bridge),
];

export const CONVERSATION_COLUMNS: readonly Column<TopConversation>[] = [
  ...END_COLUMNS,
  nameColumn('protocol', 'PROTO', 0, ({ row }) => row.protocolName),
  addressColumn('source', 'SOURCE', 5, ({ row }) => renderPlace(row.source, row.sourcePort)),
  addressColumn('destination', 'DESTINATION', 1, ({ row }) =>
    renderPlace(row.destination, row.destinationPort),
  ),
  ...PAIR_FIGURES,
];

/** A rate in the person's unit, without it. */
export function renderIn(unit: Unit, bitsPerSecond: number | undefined): string {
  if (bitsPerSecond === undefined) return UNKNOWN;
  return renderRate(unit === 'bits' ? bitsPerSecond : bitsPerSecond / 8);
}

function nameColumn<Row>(id: string, title: string, giveUp: number, name: (row: Row) => string): Column<Row> {
  return {
    id,
    title,
    name: title,
    align: 'left',
    min: Math.max(8, title.length),
    max: 30,
    giveUp,
    cell: name,
    order: name,
  };
}

/** Wide enough for any IPv4 address with its port: half an address is none. */
function addressColumn<Row>(
  id: string,
  title: string,
  giveUp: number,
  address: (row: Row) => string,
): Column<Row> {
  return { ...nameColumn(id, title, giveUp, address), min: '255.255.255.255:65535'.length, max: 47 };
}

/** The first window's title names what is measured, the others' only their window. */
function meanColumn<Row>(
  id: string,
  what: string,
  window: 0 | 1 | 2,
  giveUp: number,
  trendOf: (row: Row) => Trend,
): Column<Row> {
  const seconds = `${String(AVERAGE_WINDOWS_MS[window] / 1000)}s`;
  const name = `${what} ${seconds}`;
  const title = window === 0 ? name : seconds;
  const width = Math.max(5, title.length);
  const order = (row: Row): number | undefined => trendOf(row).means[window];
  const cell = (row: Row, unit: Unit): string => renderIn(unit, order(row));
  return { id, title, name, align: 'right', min: width, max: width, giveUp, cell, order };
}

function figureColumn<Row, Figure extends number | bigint>(
  id: string,
  title: string,
  width: number,
  giveUp: number,
  figureOf: (row: Row) => Figure | undefined,
  render: (figure: Figure) => string,
): Column<Row> {
  const cell = (row: Row): string => {
    const figure = figureOf(row);
    return figure === undefined ? UNKNOWN : render(figure);
  };
  return { id, title, name: title, align: 'right', min: width, max: width, giveUp, cell, order: figureOf };
}

/** Sorts by the mean over the longest window. Where there is room, it grows to the length of its history. */
function trendColumn<Row>(giveUp: number, trendOf: (row: Row) => Trend): Column<Row> {
  return {
    id: 'trend',
    title: 'TREND',
    name: 'TREND',
    align: 'left',
    min: 6,
    max: 40,
    isElastic: true,
    giveUp,
    cell: (row, _unit, width) => renderSparkline(trendOf(row).history, width),
    order: (row) => trendOf(row).means[2],
    colour: () => 'green',
  };
}

function addTrends(a: Trend, b: Trend): Trend {
  const add = (one: number | undefined, other: number | undefined): number | undefined =>
    one === undefined || other === undefined ? undefined : one + other;
  return {
    means: [add(a.means[0], b.means[0]), add(a.means[1], b.means[1]), add(a.means[2], b.means[2])],
    history: a.history.map((value, index) => add(value, b.history[index])),
  };
}

function renderPackets(packets: bigint): string {
  return packets < 100_000n ? String(packets) : renderRate(Number(packets));
}

function renderQuality(quality: Quality): string {
  return quality === 'at-least' ? '≥' : quality.replace('sampled ', '');
}

/** `10.0.0.1:53`, `[fd00::1]:53`. */
function renderPlace(address: string, port: number | undefined): string {
  if (port === undefined) return address;
  return address.includes(':') ? `[${address}]:${String(port)}` : `${address}:${String(port)}`;
}
