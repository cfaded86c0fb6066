/**
 * Multipart requests and replies: a question whose answer may come in several messages (OpenFlow 1.3.5 §7.3.5).
 * What stands in a part is the statistic's own file; putting parts together is here. Pure.
 */
import {
  encodeMessage,
  HEADER_BYTES,
  malformed,
  MessageType,
  requireBytes,
  type WireVersion,
} from './wire.ts';

/** `OFPMPF_REPLY_MORE`. */
const MORE_FLAG = 1;
/** Bytes of type, flags and padding, before the body. */
const PREFIX_BYTES = 8;

/** A question that is answered by a row of entries. Those of later versions look different here and there. */
export interface Statistic<Entry> {
  /** For people: `port statistics`. */
  readonly what: string;
  /** `ofp_multipart_type`. */
  readonly multipartType: number;
  readonly request: (version: WireVersion) => Uint8Array;
  /**
   * The entries of one part of the reply.
   * @throws OPENFLOW_PROTOCOL
   */
  readonly decode: (body: Buffer, version: WireVersion) => readonly Entry[];
}

export interface MultipartReply {
  readonly type: 'multipart-reply';
  readonly xid: number;
  readonly multipartType: number;
  /** True where another part follows. */
  readonly more: boolean;
  readonly body: Buffer;
}

/** Asks for a statistic. */
export function encodeMultipartRequest(
  xid: number,
  { multipartType, request }: Statistic<unknown>,
  version: WireVersion,
): Buffer {
  const asked = request(version);
  const body = Buffer.alloc(PREFIX_BYTES + asked.length);
  body.writeUInt16BE(multipartType, 0);
  body.set(asked, PREFIX_BYTES);
  return encodeMessage(MessageType.multipartRequest, xid, body, version);
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
  version: WireVersion,
  take: (entry: Entry) => void,
): (part: MultipartReply) => boolean {
  return ({ multipartType, body, more }) => {
    if (multipartType !== statistic.multipartType) {
      throw malformed(`a part of type ${String(multipartType)} in a reply of ${statistic.what}`);
    }
    for (const entry of statistic.decode(body, version)) take(entry);
    return !more;
  };
}
