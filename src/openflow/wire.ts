/**
 * The header that every OpenFlow message starts with, and checked reading of what follows it (OpenFlow 1.3.5 §7.1).
 * What a message means is left to its own file; where bytes come from, to connection.ts. Pure.
 */
import { fail } from '../errors.ts';

/** Wire versions of OpenFlow 1.3, 1.4 and 1.5. */
export const OPENFLOW_13 = 0x04;
export const OPENFLOW_14 = 0x05;
export const OPENFLOW_15 = 0x06;

/** Those that this client speaks. */
export type WireVersion = typeof OPENFLOW_13 | typeof OPENFLOW_14 | typeof OPENFLOW_15;

/** Bytes of the header: version, type, length, xid. */
export const HEADER_BYTES = 8;

/** Message types (§7.1, `ofp_type`), as far as they are sent or read here. */
export const MessageType = {
  hello: 0,
  error: 1,
  echoRequest: 2,
  echoReply: 3,
  featuresRequest: 5,
  featuresReply: 6,
  flowRemoved: 11,
  portStatus: 12,
  multipartRequest: 18,
  multipartReply: 19,
  barrierRequest: 20,
  barrierReply: 21,
  setAsync: 28,
} as const;

export interface Header {
  readonly version: number;
  readonly type: number;
  /** Of the whole message, this header included. */
  readonly lengthBytes: number;
  /** What the sender of a request chose; the reply repeats it. */
  readonly xid: number;
}

/** @throws OPENFLOW_PROTOCOL where there are fewer than 8 bytes, or the length is less than the header's own. */
export function decodeHeader(bytes: Buffer): Header {
  requireBytes(bytes, 0, HEADER_BYTES, 'a message header');
  const lengthBytes = bytes.readUInt16BE(2);
  if (lengthBytes < HEADER_BYTES) throw malformed(`a message of length ${String(lengthBytes)}`);
  return { version: bytes.readUInt8(0), type: bytes.readUInt8(1), lengthBytes, xid: bytes.readUInt32BE(4) };
}

/** One message: a header and its body. */
export function encodeMessage(
  type: number,
  xid: number,
  body: Uint8Array = new Uint8Array(),
  version: WireVersion = OPENFLOW_13,
): Buffer {
  const message = Buffer.alloc(HEADER_BYTES + body.length);
  message.writeUInt8(version, 0);
  message.writeUInt8(type, 1);
  message.writeUInt16BE(message.length, 2);
  message.writeUInt32BE(xid >>> 0, 4);
  message.set(body, HEADER_BYTES);
  return message;
}

/** @throws OPENFLOW_PROTOCOL where fewer than `count` bytes are left at `offset`, up to `end`. */
export function requireBytes(
  bytes: Buffer,
  offset: number,
  count: number,
  what: string,
  end = bytes.length,
): void {
  if (end - offset < count) {
    const left = String(Math.max(0, end - offset));
    throw malformed(`${what} cut short (${left} of ${String(count)} bytes)`);
  }
}

/**
 * The entries of a body that is a row of structures of the same size.
 * @throws OPENFLOW_PROTOCOL where the body does not divide into whole entries.
 */
export function splitEntries(body: Buffer, entryBytes: number, what: string): Buffer[] {
  if (body.length % entryBytes !== 0) {
    throw malformed(`${what} of ${String(body.length)} bytes, not a multiple of ${String(entryBytes)}`);
  }
  return Array.from({ length: body.length / entryBytes }, (_, index) =>
    body.subarray(index * entryBytes, (index + 1) * entryBytes),
  );
}

/**
 * The entries of a body that each say how long they are, in 16 bits at `lengthOffset`.
 * @throws OPENFLOW_PROTOCOL where one is shorter than `leastBytes`, or longer than what is left.
 */
export function sizedEntries(body: Buffer, leastBytes: number, what: string, lengthOffset = 0): Buffer[] {
  const entries: Buffer[] = [];
  for (let offset = 0; offset < body.length;) {
    const next = offset + entryBytes(body, offset, body.length, leastBytes, what, lengthOffset);
    entries.push(body.subarray(offset, next));
    offset = next;
  }
  return entries;
}

/**
 * The length of an entry that says it itself, in 16 bits at `offset`.
 * @param end of what the entry is in
 * @throws OPENFLOW_PROTOCOL where it is less than `leastBytes`, or more than what is left.
 */
export function entryBytes(
  bytes: Buffer,
  offset: number,
  end: number,
  leastBytes: number,
  what: string,
  lengthOffset = 0,
): number {
  requireBytes(bytes, offset, leastBytes, what, end);
  const lengthBytes = bytes.readUInt16BE(offset + lengthOffset);
  if (lengthBytes < leastBytes) throw malformed(`${what} of length ${String(lengthBytes)}`);
  requireBytes(bytes, offset, lengthBytes, what, end);
  return lengthBytes;
}

/** A text that ends at its first zero, or at the end of its `maxBytes`. */
export function decodeText(bytes: Buffer, offset: number, maxBytes: number): string {
  const end = bytes.indexOf(0, offset);
  return bytes.toString('utf8', offset, end < 0 ? offset + maxBytes : Math.min(end, offset + maxBytes));
}

/** OPENFLOW_PROTOCOL for what was found in place of a proper message. */
export function malformed(what: string): Error {
  return fail('OPENFLOW_PROTOCOL', { what, where: undefined });
}
