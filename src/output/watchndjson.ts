/** A view as NDJSON: one JSON object per line and record. Pure. */
import type { View } from '../traffic/views.ts';
import type { Pair, PairEnd } from '../traffic/pairs/pair.ts';
import { rounded, toWatchRecords, WATCH_FIELDS, type FieldValue, type WatchRecord } from './watchrecords.ts';

/** The lines of one tick, each with its newline; empty where there is nothing to show. */
export function renderWatchNdjson(view: View): string {
  if (view.view === 'pairs')
    return view.pairs.map((pair) => renderPair(view.at.toISOString(), pair)).join('');
  return toWatchRecords(view)
    .map((record) => `${renderRecord(record)}\n`)
    .join('');
}

const KEYS = WATCH_FIELDS.map((name) => `${JSON.stringify(name)}:`);

function renderPair(at: string, pair: Pair): string {
  const { packets, bytes, packetsPerSecond, bitsPerSecond, quality, bridge, ageMs } = pair;
  const figures = [
    member('packets', packets),
    member('bytes', bytes),
    member('packetsPerSecond', rounded(packetsPerSecond)),
    member('bitsPerSecond', rounded(bitsPerSecond)),
    member('quality', quality),
    member('bridge', bridge),
    member('ageMs', Math.round(ageMs)),
  ].join('');
  return `{"at":"${at}","from":${renderEndMember(pair.from)},"to":${renderEndMember(pair.to)}${figures}}\n`;
}

/** A NIC of a topology has its place in the VM as a number; one that is not ours, the name of its port. */
export function renderEndMember(end: PairEnd): string {
  if (typeof end === 'string') return JSON.stringify(end);
  const nic = end.topology !== undefined && /^\d+$/.test(end.nic) ? Number(end.nic) : end.nic;
  return JSON.stringify({ vm: end.vm, nic });
}

/** `,"name":value`, or nothing where it is unknown. */
export function member(name: string, value: FieldValue): string {
  return value === undefined ? '' : `,"${name}":${renderValue(value)}`;
}

function renderRecord(record: WatchRecord): string {
  let members = '';
  record.forEach((value, index) => {
    if (value === undefined) return;
    members += `${members === '' ? '' : ','}${KEYS[index] ?? ''}${renderValue(value)}`;
  });
  return `{${members}}`;
}

/** JSON.stringify refuses a bigint, and a number would lose digits above 2^53: its digits are a JSON number as they are. */
function renderValue(value: string | number | bigint): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
