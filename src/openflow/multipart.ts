/**
 * Multipart requests and replies: a question whose answer may come in several messages (OpenFlow 1.3.5 §7.3.5).
 * What stands in a part is the statistic's own file; putting parts together is here. Pure.
 */
import { decodePortDescriptions, type PortDescription } from './portdescription.ts';
import { decodePortStats, type PortStats } from './portstats.ts';
import { encodeMessage, HEADER_BYTES, malformed, MessageType, requireBytes } from './wire.ts';

/** `ofp_multipart_type`, as far as it is asked for. */
const MultipartType = { portStats: 4, portDescription: 13 } as const;
/** `OFPMPF_REPLY_MORE`. */
const MORE_FLAG = 1;
/** `OFPP_ANY`. */
const ANY_PORT = 0xffffffff;
/** Bytes of type, flags and padding, before the body. */
const PREFIX_BYTES = 8;

/** What one part holds. */
type MultipartBody =
  | { readonly kind: 'port-stats'; readonly ports: readonly PortStats[] }
  | { readonly kind: 'port-description'; readonly ports: readonly PortDescription[] }
  | { readonly kind: 'unknown'; readonly multipartType: number };

export interface MultipartReply {
  readonly type: 'multipart-reply';
  readonly xid: number;
  /** True where another part follows. */
  readonly more: boolean;
  readonly body: MultipartBody;
}

/** Asks for the statistics of every port. */
export function encodePortStatsRequest(xid: number): Buffer {
  const body = Buffer.alloc(8);
  body.writeUInt32BE(ANY_PORT, 0);
  return encodeRequest(MultipartType.portStats, xid, body);
}

/** Asks for the description of every port. */
export function encodePortDescriptionRequest(xid: number): Buffer {
  return encodeRequest(MultipartType.portDescription, xid, Buffer.alloc(0));
}

/** @throws OPENFLOW_PROTOCOL where the part, or an entry in it, is cut short. */
export function decodeMultipartReply(message: Buffer, xid: number): MultipartReply {
  requireBytes(message, HEADER_BYTES, PREFIX_BYTES, 'a multipart reply');
  const multipartType = message.readUInt16BE(HEADER_BYTES);
  const more = (message.readUInt16BE(HEADER_BYTES + 2) & MORE_FLAG) !== 0;
  const bytes = message.subarray(HEADER_BYTES + PREFIX_BYTES);
  return { type: 'multipart-reply', xid, more, body: decodeBody(multipartType, bytes) };
}

/**
 * The entries of one reply, part by part.
 * @param kind what was asked for
 * @returns `add`: takes the next part, and returns all entries once the last has come.
 */
export function multipartJoiner<K extends 'port-stats' | 'port-description'>(
  kind: K,
): { add(part: MultipartReply): readonly EntryOf<K>[] | undefined } {
  const entries: EntryOf<K>[] = [];
  return {
    add({ body, more }) {
      if (!isOfKind(body, kind)) throw malformed(`a ${body.kind} part in a reply of ${kind}`);
      for (const entry of body.ports) entries.push(entry);
      return more ? undefined : entries;
    },
  };
}

type EntryOf<K> = K extends 'port-stats' ? PortStats : PortDescription;

function isOfKind<K extends 'port-stats' | 'port-description'>(
  body: MultipartBody,
  kind: K,
): body is MultipartBody & { kind: K; ports: readonly EntryOf<K>[] } {
  return body.kind === kind;
}

function encodeRequest(multipartType: number, xid: number, body: Buffer): Buffer {
  const whole = Buffer.alloc(PREFIX_BYTES + body.length);
  whole.writeUInt16BE(multipartType, 0);
  whole.set(body, PREFIX_BYTES);
  return encodeMessage(MessageType.multipartRequest, xid, whole);
}

function decodeBody(multipartType: number, bytes: Buffer): MultipartBody {
  switch (multipartType) {
    case MultipartType.portStats:
      return { kind: 'port-stats', ports: decodePortStats(bytes) };
    case MultipartType.portDescription:
      return { kind: 'port-description', ports: decodePortDescriptions(bytes) };
    default:
      return { kind: 'unknown', multipartType };
  }
}
