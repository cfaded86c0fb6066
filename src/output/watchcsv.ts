/** A view as CSV (RFC 4180). Pure. */
import type { View, ViewName } from '../traffic/views.ts';
import { PAIRS_FIELDS, toPairRecord } from './pairsrecords.ts';
import { toWatchRecords, WATCH_FIELDS, type FieldValue } from './watchrecords.ts';

/** The first line: the names of the fields. */
export function watchCsvHeader(view: ViewName): string {
  return renderCsvLine(view === 'pairs' ? PAIRS_FIELDS : WATCH_FIELDS);
}

/** The lines of one tick, without the header; empty where there is nothing to show. */
export function renderWatchCsv(view: View): string {
  return toRecords(view).map(renderCsvLine).join('');
}

function toRecords(view: View): (readonly FieldValue[])[] {
  if (view.view !== 'pairs') return toWatchRecords(view);
  const at = view.at.toISOString();
  return view.pairs.map((pair) => toPairRecord(at, pair));
}

/** One line, with its end. */
export function renderCsvLine(record: readonly FieldValue[]): string {
  return `${record.map(renderField).join(',')}\r\n`;
}

/** Unknown is an empty field. Quotes only where RFC 4180 §2.6 wants them. */
function renderField(value: FieldValue): string {
  const text = value === undefined ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
