/** A view as CSV (RFC 4180). Pure. */
import type { View } from '../traffic/views.ts';
import { toWatchRecords, WATCH_FIELDS, type FieldValue } from './watchrecords.ts';

/** The first line: the names of the fields. */
export const WATCH_CSV_HEADER = `${WATCH_FIELDS.join(',')}\r\n`;

/** The lines of one tick, without the header; empty where there is nothing to show. */
export function renderWatchCsv(view: View): string {
  return toWatchRecords(view)
    .map((record) => `${record.map(renderField).join(',')}\r\n`)
    .join('');
}

/** Unknown is an empty field. Quotes only where RFC 4180 §2.6 wants them. */
function renderField(value: FieldValue): string {
  const text = value === undefined ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
