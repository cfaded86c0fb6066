/** Who sends to whom, as a table for people. Pure. */
import type { Pair } from '../traffic/pairs/pair.ts';
import { renderEnd } from '../traffic/pairs/pairorder.ts';
import type { PairsView } from '../traffic/views.ts';
import { renderRate } from '../units/bitrate.ts';
import { renderBytes } from '../units/bytesize.ts';
import { toPrintable } from '../units/printable.ts';
import { clock, count, GAP, renderColumns, UNKNOWN, type Column, type TableOptions } from './columntable.ts';
import { qualityMark } from './qualitymark.ts';

const COLUMNS: readonly Column<Pair>[] = [
  { title: 'FROM', align: 'left', giveUp: 0, cell: ({ from }) => renderEnd(from) },
  { title: 'TO', align: 'left', giveUp: 0, cell: ({ to }) => renderEnd(to) },
  { title: 'bit/s', align: 'right', giveUp: 0, cell: (pair) => renderPerSecond(pair.bitsPerSecond) },
  { title: 'pkt/s', align: 'right', giveUp: 4, cell: (pair) => renderPerSecond(pair.packetsPerSecond) },
  {
    title: 'BYTES',
    align: 'right',
    giveUp: 1,
    cell: (pair) => (pair.bytes === undefined ? UNKNOWN : qualityMark(pair) + renderBytes(pair.bytes)),
  },
  {
    title: 'PACKETS',
    align: 'right',
    giveUp: 3,
    cell: (pair) => (pair.packets === undefined ? UNKNOWN : qualityMark(pair) + String(pair.packets)),
  },
  { title: 'BRIDGE', align: 'left', giveUp: 5, cell: ({ bridge }) => bridge },
];

/** The lines of the table, the first with time, bridges and totals; no line is wider than asked for. */
export function renderPairsTable(view: PairsView, options: TableOptions): string[] {
  return [renderHead(view).slice(0, options.width), ...renderColumns(COLUMNS, view.pairs, options)];
}

/** `16:45:52Z  1 bridge  12 pairs  1.25M bit/s`, with the bridges that could not be read, or are not counted. */
function renderHead({ at, bridges, pairs, losses, states }: PairsView): string {
  const rates = pairs.map(({ bitsPerSecond }) => bitsPerSecond);
  const known = rates.filter((rate) => rate !== undefined);
  const sum = known.length === 0 && rates.length > 0 ? undefined : known.reduce((all, rate) => all + rate, 0);
  const parts = [
    clock(at),
    count(bridges.length, 'bridge'),
    count(pairs.length, 'pair'),
    `${renderPerSecond(sum)} bit/s`,
  ];
  const uncounted = states
    .filter(({ mode, error }) => mode === 'ports' || (mode === 'foreign' && error))
    .map(({ bridge }) => bridge);
  if (uncounted.length > 0) parts.push(`NOT COUNTED: ${uncounted.join(', ')}`);
  if (losses.length > 0) parts.push(`NOT READ: ${losses.map(({ bridge }) => bridge).join(', ')}`);
  return toPrintable(parts.join(GAP));
}

function renderPerSecond(rate: number | undefined): string {
  return rate === undefined ? UNKNOWN : renderRate(rate);
}
