/**
 * Multipart requests and replies: a question whose answer may come in several messages (OpenFlow 1.3.5 §7.3.5).
 * What stands in a part is the statistic's own file; putting parts together is here. Pure.
 */
import {
  decodeFlowStats,
  encodeFlowStatsRequest,
  type FlowStats,
  type FlowStatsRequest,
} from './flowstats.ts';
import { decodePortDescriptions, type PortDescription } from './portdescription.ts';
import { decodePortStats, type PortStats } from './portstats.ts';
import { encodeMessage, HEADER_BYTES, malformed, MessageType, requireBytes } from './wire.ts';

/** `OFPMPF_REPLY_MORE`. */
const MORE_FLAG = 1;
/** `OFPP_ANY`. */
const ANY_PORT = 0xffffffff;
/** Bytes of type, flags and padding, before the body. */
const PREFIX_BYTES = 8;

/** A question that is answered by a row of entries. */
export interface Statistic<Entry> {
  /** For people: `port statistics`. */
  readonly what: string;
  /** `ofp_multipart_type`. */
  readonly multipartType: number;
  readonly request: Uint8Array;
  /**
   * The entries of one part of the reply.
   * @throws OPENFLOW_PROTOCOL
   */
  readonly decode: (body: Buffer) => readonly Entry[];
}

export interface MultipartReply {
  readonly type: 'multipart-reply';
  readonly xid: number;
  readonly multipartType: number;
  /** True where another part follows. */
  readonly more: boolean;
  readonly body: Buffer;
}

/** Every port's counters (§7.3.5.6). */
export const PORT_STATS: Statistic<PortStats> = {
  what: 'port statistics',
  multipartType: 4,
  request: anyPort(),
  decode: decodePortStats,
};

/** Every port's number, name and state (§7.3.5.7). */
export const PORT_DESCRIPTION: Statistic<PortDescription> = {
  what: 'port descriptions',
  multipartType: 13,
  request: Buffer.alloc(0),
  decode: decodePortDescriptions,
};

/** Rules with their counters (§7.3.5.2). */
export function flowStatistic(request: FlowStatsRequest): Statistic<FlowStats> {
  return {
    what: 'flow statistics',
    multipartType: 1,
    request: encodeFlowStatsRequest(request),
    decode: decodeFlowStats,
  };
}

/** Asks for a statistic. */
export function encodeMultipartRequest(xid: number, statistic: Statistic<unknown>): Buffer {
  const body = Buffer.alloc(PREFIX_BYTES + statistic.request.length);
  body.writeUInt16BE(statistic.multipartType, 0);
  body.set(statistic.request, PREFIX_BYTES);
  return encodeMessage(MessageType.multipartRequest, xid, body);
}

/** @throws OPENFLOW_PROTOCOL where it is cut short before its body. */
export function decodeMultipartReply(message: Buffer, xid: number): MultipartReply {
  requireBytes(message, HEADER_BYTES, PREFIX_BYTES, 'a multipart reply');
  return {
    type: 'multipart-reply',
    xid,
    multipartType: message.readUInt16BE(HEADER_BYTES),
    more: (message.readUInt16BE(HEADER_BYTES + 2) & MORE_FLAG) !== 0,
    body: message.subarray(HEADER_BYTES + PREFIX_BYTES),
  };
}

/**
 * Takes the entries of one reply, part by part, in order.
 * @returns takes the next part; true once the last has come; throws OPENFLOW_PROTOCOL where it is of another type than
 * the question.
 */
export function multipartReader<Entry>(
  statistic: Statistic<Entry>,
  take: (entry: Entry) => void,
): (part: MultipartReply) => boolean {
  return ({ multipartType, body, more }) => {
    if (multipartType !== statistic.multipartType) {
      throw malformed(`a part of type ${String(multipartType)} in a reply of ${statistic.what}`);
    }
    for (const entry of statistic.decode(body)) take(entry);
    return !more;
  };
}

function anyPort(): Buffer {
  const body = Buffer.alloc(8);
  body.writeUInt32BE(ANY_PORT, 0);
  return body;
}
