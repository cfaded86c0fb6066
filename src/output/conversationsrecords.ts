/** Conversations as flat records with stable names, for CSV and NDJSON. docs/watch.md describes every field. Pure. */
import type { Conversation } from '../traffic/conversations/conversations.ts';
import type { ConversationsView } from '../traffic/conversations/conversationsview.ts';
import type { PairEnd } from '../traffic/pairs/pair.ts';
import { renderCsvLine } from './watchcsv.ts';
import { member, renderEndMember } from './watchndjson.ts';
import { rounded, type FieldValue } from './watchrecords.ts';

/** Every field of CSV, in order of printing. New ones are only ever added at the end. */
export const CONVERSATIONS_FIELDS = [
  'at',
  'from',
  'fromNic',
  'to',
  'toNic',
  'protocol',
  'protocolNumber',
  'source',
  'sourcePort',
  'destination',
  'destinationPort',
  'packets',
  'bytes',
  'packetsPerSecond',
  'bitsPerSecond',
  'quality',
  'bridge',
  'ageMs',
  'firstSeen',
  'lastSeen',
] as const;

/** The first line of CSV. */
export function conversationsCsvHeader(): string {
  return renderCsvLine(CONVERSATIONS_FIELDS);
}

/** The lines of one tick, without the header. */
export function renderConversationsCsv({ at, conversations }: ConversationsView): string {
  return conversations.map((one) => renderCsvLine(toRecord(at, one))).join('');
}

/** One JSON object per line; `from` and `to` as in pairs. */
export function renderConversationsNdjson({ at, conversations }: ConversationsView): string {
  return conversations
    .map((one) => {
      const members = toRecord(at, one)
        .slice(FIRST_PLAIN)
        .map((value, index) => member(CONVERSATIONS_FIELDS[FIRST_PLAIN + index] ?? '', value));
      const ends = `"from":${renderEndMember(one.from)},"to":${renderEndMember(one.to)}`;
      return `{"at":"${at.toISOString()}",${ends}${members.join('')}}\n`;
    })
    .join('');
}

/** What is before it is written otherwise in NDJSON. */
const FIRST_PLAIN = CONVERSATIONS_FIELDS.indexOf('protocol');

/** The values of {@link CONVERSATIONS_FIELDS}, in that order. */
function toRecord(at: Date, one: Conversation): readonly FieldValue[] {
  return [
    ...[at.toISOString(), ...toEndValues(one.from), ...toEndValues(one.to)],
    ...[one.protocolName, one.protocol, one.source, one.sourcePort, one.destination, one.destinationPort],
    ...[one.packets, one.bytes, rounded(one.packetsPerSecond), rounded(one.bitsPerSecond), one.quality],
    ...[one.bridge, Math.round(one.ageMs), one.firstSeen.toISOString(), one.lastSeen.toISOString()],
  ];
}

function toEndValues(end: PairEnd): [FieldValue, FieldValue] {
  return typeof end === 'string' ? [end, undefined] : [end.vm, end.nic];
}
