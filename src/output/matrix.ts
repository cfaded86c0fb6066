/** A matrix as text: for a terminal as much as fits it, the rest as one; as JSON and CSV all of it. Pure. */
import {
  plus,
  worse,
  type Matrix,
  type MatrixBy,
  type MatrixCell,
  type MatrixEnd,
} from '../traffic/pairs/matrix.ts';
import type { Quality } from '../traffic/pairs/pair.ts';
import { renderRate } from '../units/bitrate.ts';
import { renderBytes } from '../units/bytesize.ts';
import { FORMAT_VERSION } from '../units/formatversion.ts';
import { toPrintable } from '../units/printable.ts';
import { renderCsvLine } from './watchcsv.ts';
import { qualityMark } from './qualitymark.ts';

export interface MatrixTableOptions {
  /** Characters that fit in a line, and lines; `undefined`: as many as needed. */
  readonly width: number | undefined;
  readonly height: number | undefined;
  readonly colour: boolean;
}

const GAP = '  ';
/** Names are cut to this in the titles of columns where the line would be too long. */
const SHORT_NAME = 7;
const BOLD = '\x1b[1m';
const PLAIN = '\x1b[0m';

/** Rows send, columns receive; the last column and the last row are sums. */
export function renderMatrixTable(matrix: Matrix, { width, height, colour }: MatrixTableOptions): string[] {
  const lines = height === undefined ? matrix.ends.length : Math.max(1, height - HEIGHT_AROUND);
  const columns = width === undefined ? matrix.ends.length : Math.ceil(width / NARROWEST);
  const most = Math.min(matrix.ends.length, lines, columns);
  for (let shown = most; ; shown--) {
    for (const longest of [Number.POSITIVE_INFINITY, SHORT_NAME]) {
      const table = layOut(matrix, shown, longest);
      const isNarrow = width === undefined || (table[0]?.length ?? 0) <= width;
      if (isNarrow || shown <= 1) return frame(table, matrix, { width, colour });
    }
  }
}

/** No column takes less: a gap, and a dot. */
const NARROWEST = 3;
/** Head, titles, sums, and the line where the cursor is. */
const HEIGHT_AROUND = 5;

function frame(
  table: readonly string[],
  { by }: Matrix,
  { width, colour }: Pick<MatrixTableOptions, 'width' | 'colour'>,
): string[] {
  const head = `${TITLES[by]}; rows send, columns receive`;
  return [head, ...table].map((line, index) => {
    const text = line.slice(0, width).trimEnd();
    return colour && index === 1 ? `${BOLD}${text}${PLAIN}` : text;
  });
}

const TITLES = {
  bytes: 'bytes since each pair was first seen',
  packets: 'packets since each pair was first seen',
  rate: 'bit/s',
} as const;

interface Sum {
  readonly value: number | bigint;
  readonly quality: Quality;
}

/**
 * The first ends by name, the others as one; VMs before others. Who sends nothing has no row, and who receives nothing no
 * column. Every line is of the same length.
 */
function layOut({ ends, cells: all, by }: Matrix, shown: number, longest: number): string[] {
  const names = [
    ...ends.slice(0, shown).map((end) => toPrintable(nameOf(end))),
    `(${String(ends.length - shown)} more)`,
  ];
  const places = names
    .map((_, place) => place)
    .sort((a, b) => groupOf(ends, a, shown) - groupOf(ends, b, shown));
  const cells = new Map<number, Sum>();
  const sent = new Map<number, Sum>();
  const received = new Map<number, Sum>();
  const span = names.length;
  for (const cell of all) {
    const [from, to] = [Math.min(cell.from, shown), Math.min(cell.to, shown)];
    addTo(cells, from * span + to, cell);
    addTo(sent, from, cell);
    addTo(received, to, cell);
  }
  const whole = all.reduce<Sum | undefined>(sumOf, undefined);
  const rows = places.filter((place) => sent.has(place));
  const columns = places.filter((place) => received.has(place));
  const title = (place: number, most: number): string => shorten(names[place] ?? '', most);
  const render = (sum: Sum | undefined): string => renderCell(by, sum);
  return align([
    ['', ...columns.map((to) => title(to, longest)), 'SENT'],
    ...rows.map((from) => [
      title(from, 2 * longest),
      ...columns.map((to) => render(cells.get(from * span + to))),
      render(sent.get(from)),
    ]),
    ['RECEIVED', ...columns.map((to) => render(received.get(to))), render(whole)],
  ]);
}

/** VMs, then others, then the rest. */
function groupOf(ends: Matrix['ends'], place: number, shown: number): number {
  return place >= shown ? 2 : ends[place]?.isVm === true ? 0 : 1;
}

function align(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    rows.reduce((most, row) => Math.max(most, row[column]?.length ?? 0), 0),
  );
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join(GAP),
  );
}

function addTo(sums: Map<number, Sum>, key: number, cell: MatrixCell): void {
  sums.set(key, sumOf(sums.get(key), cell));
}

function sumOf(sum: Sum | undefined, { value, quality }: MatrixCell): Sum {
  return sum ? { value: plus(sum.value, value), quality: worse(sum.quality, quality) } : { value, quality };
}

/** A VM may be called `uplink`. */
function nameOf({ name, isVm }: MatrixEnd): string {
  return isVm ? name : `(${name})`;
}

/** Nothing is a dot: where little is said, the eye finds what is. */
function renderCell(by: MatrixBy, sum: Sum | undefined): string {
  if (sum === undefined || Number(sum.value) === 0) return '·';
  const bound = qualityMark(sum);
  switch (by) {
    case 'bytes':
      return bound + renderBytes(sum.value);
    case 'packets':
    case 'rate':
      return bound + renderRate(Number(sum.value));
  }
}

function shorten(name: string, longest: number): string {
  return name.length <= longest ? name : `${name.slice(0, longest - 1)}…`;
}

/** One object; `from` and `to` of a cell are as in the pairs of `vsb watch`, without the NIC. */
export function renderMatrixJson({ by, ends, cells }: Matrix, at: Date): string {
  const head = [
    `  "formatVersion": ${JSON.stringify(FORMAT_VERSION)},`,
    `  "at": "${at.toISOString()}",`,
    `  "by": "${by}",`,
  ];
  const toEnd = (place: number): string => {
    const end = ends[place];
    return JSON.stringify(end?.isVm === true ? { vm: end.name, topology: end.topology } : end?.name);
  };
  const lines = cells.map(
    // A bigint keeps its digits, which are a JSON number as they are.
    ({ from, to, value, quality }) =>
      `    {"from": ${toEnd(from)}, "to": ${toEnd(to)}, "${by === 'rate' ? 'bitsPerSecond' : by}": ${String(value)}, "quality": "${quality}"}`,
  );
  const list = lines.length === 0 ? '[]' : `[\n${lines.join(',\n')}\n  ]`;
  return `{\n${head.join('\n')}\n  "cells": ${list}\n}\n`;
}

/** The square (RFC 4180): a line for each that sends, a column for each that receives; empty where nothing is. */
export function renderMatrixCsv({ ends, cells }: Matrix): string {
  const values = new Map(cells.map(({ from, to, value }) => [from * ends.length + to, value]));
  const lines = ends.map((end, from) => [
    nameOf(end),
    ...ends.map((_, to) => values.get(from * ends.length + to)),
  ]);
  return [['from', ...ends.map(nameOf)], ...lines].map(renderCsvLine).join('');
}
