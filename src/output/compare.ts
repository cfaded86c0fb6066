/** What `vsb compare` measured: a table, and bars. Pure. */
import { renderRate } from '../units/bitrate.ts';
import { toPrintable } from '../units/printable.ts';

/** As app/compare.ts has it. */
export interface ComparisonView {
  readonly rounds: number;
  readonly seconds: number;
  readonly accelerator: string;
  readonly ways: readonly WayView[];
}

export interface WayView {
  readonly way: string;
  /** Why it was not measured; `undefined` where it was. */
  readonly unavailable: string | undefined;
  readonly bitsPerSecond: SpreadView | undefined;
  readonly packetsPerSecond: SpreadView | undefined;
}

export interface SpreadView {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Medians, with the least and the most of the rounds behind them. */
export function renderComparison(view: ComparisonView): string {
  const rows = [
    ['WAY', 'TCP', 'LEAST', 'MOST', '64-BYTE FRAMES', 'LEAST', 'MOST'],
    ...view.ways.map(({ way, bitsPerSecond: bits, packetsPerSecond: packets }) => [
      way,
      ...(bits ? [bits.median, bits.least, bits.most].map(renderBits) : ['-', '-', '-']),
      ...(packets ? [packets.median, packets.least, packets.most].map(renderPackets) : ['-', '-', '-']),
    ]),
  ].map((row) => row.map(toPrintable));
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  const missing = view.ways.flatMap(({ way, unavailable }) =>
    unavailable === undefined ? [] : [`${way}: not measured, ${toPrintable(unavailable)}`],
  );
  return `${[...lines, '', caption(view), ...missing].join('\n')}\n`;
}

/** How the figures came about. */
function caption({ rounds, seconds, accelerator }: ComparisonView): string {
  const under =
    accelerator === 'tcg' ? 'under emulation (tcg), so they say little of a host with KVM' : 'with KVM';
  return `medians of ${String(rounds)} interleaved rounds of ${String(seconds)} s, ${under}`;
}

function renderBits(perSecond: number): string {
  return `${renderRate(perSecond)}bit/s`;
}

function renderPackets(perSecond: number): string {
  return perSecond >= 1e6 ? `${(perSecond / 1e6).toFixed(2)} M/s` : `${(perSecond / 1000).toFixed(1)} k/s`;
}

const CHART = { width: 760, row: 26, left: 190, bar: 420, top: 68 } as const;

/** Two groups of bars, one for each figure, as SVG that reads well on white and on black. */
export function renderComparisonSvg(view: ComparisonView): string {
  const groups = [
    {
      title: 'TCP, one stream',
      of: (way: WayView) => way.bitsPerSecond,
      words: renderBits,
      fill: '#2563eb',
    },
    {
      title: '64-byte frames a second',
      of: (way: WayView) => way.packetsPerSecond,
      words: renderPackets,
      fill: '#c2410c',
    },
  ];
  let y = CHART.top;
  const body: string[] = [];
  for (const { title, of, words, fill } of groups) {
    const measured = view.ways.flatMap((way) => {
      const spread = of(way);
      return spread ? [{ way: way.way, spread }] : [];
    });
    const most = Math.max(1, ...measured.map(({ spread }) => spread.most));
    const x = (value: number): number => CHART.left + (value / most) * CHART.bar;
    body.push(`<text x="12" y="${String(y)}" font-weight="600">${escape(title)}</text>`);
    y += 10;
    for (const { way, spread } of measured) {
      const middle = y + CHART.row / 2;
      body.push(
        `<text x="${String(CHART.left - 8)}" y="${String(middle + 4)}" text-anchor="end">${escape(way)}</text>`,
        `<rect x="${String(CHART.left)}" y="${String(y + 4)}" width="${(x(spread.median) - CHART.left).toFixed(1)}" height="${String(CHART.row - 8)}" rx="2" fill="${fill}"/>`,
        `<path d="M${x(spread.least).toFixed(1)} ${String(middle)} H${x(spread.most).toFixed(1)}" stroke="#111827" stroke-width="2"/>`,
        `<text x="${(x(spread.most) + 8).toFixed(1)}" y="${String(middle + 4)}">${escape(words(spread.median))}</text>`,
      );
      y += CHART.row;
    }
    y += 34;
  }
  const height = y - 22;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(CHART.width)} ${String(height)}" width="${String(CHART.width)}" height="${String(height)}" role="img">`,
    '<title>vsb compare: throughput and frames a second by way</title>',
    '<rect width="100%" height="100%" rx="6" fill="#ffffff"/>',
    `<g font-family="system-ui, 'DejaVu Sans', sans-serif" font-size="12" fill="#111827">`,
    `<text x="12" y="22" fill="#4b5563">${escape(caption(view))}</text>`,
    '<text x="12" y="40" fill="#4b5563">lines reach from the least to the most of the rounds</text>',
    ...body,
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

function escape(text: string): string {
  return text.replace(/[&<>]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[char] ?? char);
}
