/** Conversations as a table for people. Pure. */
import type { Conversation } from '../traffic/conversations/conversations.ts';
import type { ConversationsView } from '../traffic/conversations/conversationsview.ts';
import { renderEnd } from '../traffic/pairs/pairorder.ts';
import { renderRate } from '../units/bitrate.ts';
import { renderBytes } from '../units/bytesize.ts';
import { clock, count, GAP, renderColumns, UNKNOWN, type Column, type TableOptions } from './columntable.ts';
import { qualityMark } from './qualitymark.ts';

const COLUMNS: readonly Column<Conversation>[] = [
  { title: 'FROM', align: 'left', giveUp: 0, cell: ({ from }) => renderEnd(from) },
  { title: 'TO', align: 'left', giveUp: 0, cell: ({ to }) => renderEnd(to) },
  { title: 'PROTO', align: 'left', giveUp: 2, cell: renderProtocol },
  { title: 'SOURCE', align: 'left', giveUp: 1, cell: (one) => renderPlace(one, one.source, one.sourcePort) },
  {
    title: 'DESTINATION',
    align: 'left',
    giveUp: 0,
    cell: (one) => renderPlace(one, one.destination, one.destinationPort),
  },
  { title: 'bit/s', align: 'right', giveUp: 0, cell: (one) => renderPerSecond(one.bitsPerSecond) },
  { title: 'pkt/s', align: 'right', giveUp: 5, cell: (one) => renderPerSecond(one.packetsPerSecond) },
  { title: 'BYTES', align: 'right', giveUp: 3, cell: (one) => qualityMark(one) + renderBytes(one.bytes) },
  { title: 'PACKETS', align: 'right', giveUp: 4, cell: (one) => qualityMark(one) + String(one.packets) },
  { title: 'BRIDGE', align: 'left', giveUp: 6, cell: ({ bridge }) => bridge },
];

/** The lines of the table, the first with time, bridges and totals; no line is wider than asked for. */
export function renderConversationsTable(view: ConversationsView, options: TableOptions): string[] {
  return [renderHead(view).slice(0, options.width), ...renderColumns(COLUMNS, view.conversations, options)];
}

/** `16:45:52Z  1 bridge  200 conversations  1.25M bit/s  and 12 smaller ones with 3.4 kB`. */
function renderHead({ at, bridges, conversations, leftOut }: ConversationsView): string {
  const rate = conversations.reduce((sum, { bitsPerSecond = 0 }) => sum + bitsPerSecond, 0);
  const parts = [
    clock(at),
    count(bridges.length, 'bridge'),
    count(conversations.length, 'conversation'),
    `${renderRate(rate)} bit/s`,
  ];
  if (leftOut.conversations > 0)
    parts.push(`and ${String(leftOut.conversations)} smaller with ${renderBytes(leftOut.bytes)}`);
  return parts.join(GAP);
}

/** ICMP for IPv4 and IPv6: its type and code stand where others have ports. */
const ICMP: readonly number[] = [1, 58];

/** `tcp`, `icmp 8/0`. */
function renderProtocol({
  destinationPort: code,
  protocol,
  protocolName,
  sourcePort: type,
}: Conversation): string {
  return ICMP.includes(protocol) && type !== undefined && code !== undefined
    ? `${protocolName} ${String(type)}/${String(code)}`
    : protocolName;
}

/** `10.0.0.1:53`, `[fd00::1]:53`, and where there are no ports the address alone. */
function renderPlace({ protocol }: Conversation, address: string, port: number | undefined): string {
  if (port === undefined || ICMP.includes(protocol)) return address;
  return address.includes(':') ? `[${address}]:${String(port)}` : `${address}:${String(port)}`;
}

function renderPerSecond(rate: number | undefined): string {
  return rate === undefined ? UNKNOWN : renderRate(rate);
}
