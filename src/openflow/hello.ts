/** HELLO and the choice of a version (OpenFlow 1.3.5 §6.3.1 and §7.5.1). Pure. */
import {
  encodeMessage,
  HEADER_BYTES,
  malformed,
  MessageType,
  OPENFLOW_13,
  OPENFLOW_14,
  OPENFLOW_15,
  requireBytes,
  type WireVersion,
} from './wire.ts';

/** `OFPHET_VERSIONBITMAP`: bit n of the first word stands for wire version n. */
const VERSION_BITMAP = 1;

/** What a peer said it speaks. */
export interface Hello {
  readonly type: 'hello';
  readonly xid: number;
  /** The version in its header: the highest it speaks. */
  readonly version: number;
  /** Wire versions of its bitmap, ascending; `undefined` from a peer that sent none. */
  readonly bitmap: readonly number[] | undefined;
}

/** In the order in which they are wanted: 1.3 is what every Open vSwitch of today speaks, and is shortest. */
const WANTED: readonly WireVersion[] = [OPENFLOW_13, OPENFLOW_14, OPENFLOW_15];

/** Our HELLO: one version only, in the header and as a bitmap. */
export function encodeHello(xid: number, version: WireVersion): Buffer {
  const element = Buffer.alloc(8);
  element.writeUInt16BE(VERSION_BITMAP, 0);
  element.writeUInt16BE(element.length, 2);
  element.writeUInt32BE(1 << version, 4);
  return encodeMessage(MessageType.hello, xid, element, version);
}

/** @throws OPENFLOW_PROTOCOL where an element of the message is cut short. */
export function decodeHello(message: Buffer, version: number, xid: number): Hello {
  let bitmap: number[] | undefined;
  // Elements of other types are skipped, as §7.5.1 asks for.
  for (let offset = HEADER_BYTES; offset < message.length;) {
    requireBytes(message, offset, 4, 'an element of HELLO');
    const lengthBytes = message.readUInt16BE(offset + 2);
    if (lengthBytes < 4) throw malformed(`an element of HELLO of length ${String(lengthBytes)}`);
    requireBytes(message, offset, lengthBytes, 'an element of HELLO');
    if (message.readUInt16BE(offset) === VERSION_BITMAP) {
      bitmap = decodeBitmap(message.subarray(offset + 4, offset + lengthBytes));
    }
    offset += Math.ceil(lengthBytes / 8) * 8;
  }
  return { type: 'hello', xid, version, bitmap };
}

/**
 * The version to speak with a peer.
 * @returns one of its bitmap; without a bitmap 1.3, where its highest is not below it; `undefined` where there is none.
 */
export function chooseVersion(hello: Hello): WireVersion | undefined {
  const { bitmap, version } = hello;
  if (bitmap) return WANTED.find((wanted) => bitmap.includes(wanted));
  return version >= OPENFLOW_13 ? OPENFLOW_13 : undefined;
}

/** Versions as people write them: `1.0, 1.3`. */
export function renderVersions(hello: Hello): string {
  const versions = hello.bitmap ?? [hello.version];
  return versions.map((version) => `1.${String(version - 1)}`).join(', ') || 'none';
}

function decodeBitmap(words: Buffer): number[] {
  const versions: number[] = [];
  for (let offset = 0; offset + 4 <= words.length; offset += 4) {
    const word = words.readUInt32BE(offset);
    for (let bit = 0; bit < 32; bit++) {
      if (((word >>> bit) & 1) === 1) versions.push(offset * 8 + bit);
    }
  }
  return versions;
}
