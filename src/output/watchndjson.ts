/** A view as NDJSON: one JSON object per line and record. Pure. */
import type { View } from '../traffic/views.ts';
import { toWatchRecords, WATCH_FIELDS, type WatchRecord } from './watchrecords.ts';

/** The lines of one tick, each with its newline; empty where there is nothing to show. */
export function renderWatchNdjson(view: View): string {
  return toWatchRecords(view)
    .map((record) => `${renderRecord(record)}\n`)
    .join('');
}

const KEYS = WATCH_FIELDS.map((name) => `${JSON.stringify(name)}:`);

/** JSON.stringify refuses a bigint, and a number would lose digits above 2^53: its digits are a JSON number as they are. */
function renderRecord(record: WatchRecord): string {
  let members = '';
  record.forEach((value, index) => {
    if (value === undefined) return;
    const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
    members += `${members === '' ? '' : ','}${KEYS[index] ?? ''}${text}`;
  });
  return `{${members}}`;
}
