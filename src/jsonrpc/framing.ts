/**
 * JSON texts out of a byte stream (RFC 7047 §4: messages follow each other without a separator), every byte looked at
 * once, however the stream was cut. Finds where a message ends; what is in it is for envelope.ts. No I/O, no clock.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { fail } from '../errors.ts';

/** A large object in a message: an object in an object in the message's own, as a table's rows are in a monitor's reply. */
export interface LargeObject {
  /** Offsets in the frame: of its braces, the closing one not included, and of some commas between its members. */
  readonly start: number;
  readonly end: number;
  readonly commas: readonly number[];
}

/** One message's text, as bytes that are known to be UTF-8. */
export class Frame {
  readonly #bytes: Buffer;
  readonly #isAscii: boolean;
  /** Whether it has 16 or more digits in a row outside of strings: maybe an integer beyond 2^53. */
  readonly hasLongNumber: boolean;
  readonly largeObjects: readonly LargeObject[];

  /** @throws JSONRPC_SYNTAX where the bytes are no UTF-8 */
  constructor(bytes: Buffer, hasLongNumber: boolean, largeObjects: readonly LargeObject[]) {
    this.#bytes = bytes;
    this.#isAscii = isAscii(bytes);
    this.hasLongNumber = hasLongNumber;
    this.largeObjects = largeObjects;
    if (!this.#isAscii && !isUtf8(bytes)) throw fail('JSONRPC_SYNTAX', { why: 'it is not UTF-8' });
  }

  get text(): string {
    return this.slice(0, this.byteLength);
  }

  get byteLength(): number {
    return this.#bytes.length;
  }

  /** The text between two offsets in bytes. */
  slice(start: number, end: number): string {
    // The second knows nothing of characters, and takes half the time.
    return this.#bytes.toString(this.#isAscii ? 'latin1' : 'utf8', start, end);
  }
}

export interface FramingLimits {
  readonly maxBytes: number;
  readonly maxDepth: number;
  /** How much of a large object is read at a time, at least. */
  readonly batchBytes: number;
}

/**
 * A database of 100,000 ports is about 50 MB; ovsdb-server's own parser stops at 1,000 levels (lib/json.c). A batch is enough
 * for a call of JSON.parse to be cheap for each row, and so little that what it makes is soon gone.
 */
const FRAMING_LIMITS: FramingLimits = Object.freeze({
  maxBytes: 1 << 29,
  maxDepth: 1000,
  batchBytes: 1 << 18,
});

/** The message's own, and two in each other. */
const LARGE_OBJECT_NESTING = 3;

const QUOTE = 0x22;
const COMMA = 0x2c;
const ZERO = 0x30;
const NINE = 0x39;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
/** 2^53 has 16 digits. */
const LONG_NUMBER_DIGITS = 16;

/** Takes chunks as they come, gives the messages that they complete. Broken for good after its first error. */
export class Framer {
  readonly #limits: FramingLimits;
  /** The brackets that are open, as the bytes that close them. */
  readonly #closers: Uint8Array;
  /** Earlier chunks of the message that is being received. */
  #chunks: Uint8Array[] = [];
  #chunkBytes = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #digits = 0;
  #hasLongNumber = false;
  /** How many of the open brackets are braces. */
  #nesting = 0;
  /** The object that may become a large one: its depth, where it begins, and where its last piece ends. */
  #largeDepth = 0;
  #largeStart = 0;
  #pieceStart = 0;
  #commas: number[] = [];
  #largeObjects: LargeObject[] = [];

  constructor(limits: FramingLimits = FRAMING_LIMITS) {
    this.#limits = limits;
    this.#closers = new Uint8Array(limits.maxDepth + 1);
  }

  /** Whether a message has begun and not ended. */
  get isInMessage(): boolean {
    return this.#depth > 0;
  }

  /**
   * The messages that this chunk completes, in order. The chunk must not be changed afterwards.
   * @throws JSONRPC_SYNTAX, JSONRPC_TOO_LARGE, JSONRPC_TOO_DEEP
   */
  push(chunk: Uint8Array): Frame[] {
    const frames: Frame[] = [];
    const closers = this.#closers;
    const { maxBytes, maxDepth, batchBytes } = this.#limits;
    const { length } = chunk;
    // Locals: a private field read per byte would cost more than the scan.
    let depth = this.#depth;
    let inString = this.#inString;
    let digits = this.#digits;
    let nesting = this.#nesting;
    let largeDepth = this.#largeDepth;
    let start = 0;
    /** What makes an index in this chunk an offset in the message. */
    let toOffset = this.#chunkBytes;
    // A backslash at the end of the chunk before escapes the first byte of this one.
    let index = this.#escaped && length > 0 ? 1 : 0;
    if (length > 0) this.#escaped = false;
    while (index < length) {
      if (inString) {
        // Most of the bytes are passed here.
        while (index < length) {
          const byte = chunk[index++];
          if (byte === QUOTE) {
            inString = false;
            break;
          }
          if (byte === BACKSLASH && ++index > length) this.#escaped = true;
        }
        continue;
      }
      const byte = chunk[index++] as number;
      if (byte >= ZERO && byte <= NINE) {
        digits += 1;
        if (digits === LONG_NUMBER_DIGITS) this.#hasLongNumber = true;
        if (depth > 0) continue;
      } else digits = 0;
      if (byte === QUOTE && depth > 0) inString = true;
      else if (byte === COMMA && depth > 0) {
        if (depth === largeDepth && index + toOffset - this.#pieceStart > batchBytes) {
          this.#pieceStart = index + toOffset;
          this.#commas.push(this.#pieceStart - 1);
        }
      } else if (byte === OPEN_BRACE || (byte === OPEN_BRACKET && depth > 0)) {
        if (depth === 0) {
          start = index - 1;
          toOffset = -start;
        }
        depth += 1;
        if (depth > maxDepth) throw fail('JSONRPC_TOO_DEEP', { limit: maxDepth });
        closers[depth] = byte + 2;
        if (byte === OPEN_BRACKET) continue;
        nesting += 1;
        if (nesting === LARGE_OBJECT_NESTING) {
          largeDepth = depth;
          this.#pieceStart = index + toOffset;
          this.#largeStart = this.#pieceStart - 1;
        }
      } else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && depth > 0) {
        if (closers[depth] !== byte) throw fail('JSONRPC_SYNTAX', { why: 'its brackets do not match' });
        if (byte === CLOSE_BRACE) {
          nesting -= 1;
          if (depth === largeDepth) {
            largeDepth = 0;
            this.#endLarge(index - 1 + toOffset);
          }
        }
        depth -= 1;
        if (depth > 0) continue;
        frames.push(this.#finish(chunk.subarray(start, index), maxBytes));
        start = index;
      } else if (depth === 0 && !isSpace(byte))
        throw fail('JSONRPC_SYNTAX', { why: `byte 0x${byte.toString(16)} stands where a message begins` });
    }
    this.#depth = depth;
    this.#inString = inString;
    this.#digits = digits;
    this.#nesting = nesting;
    this.#largeDepth = largeDepth;
    if (depth > 0) this.#keep(chunk.subarray(start), maxBytes);
    return frames;
  }

  #keep(part: Uint8Array, maxBytes: number): void {
    this.#chunkBytes += part.length;
    if (this.#chunkBytes > maxBytes) throw fail('JSONRPC_TOO_LARGE', { limitBytes: maxBytes });
    this.#chunks.push(part);
  }

  #endLarge(end: number): void {
    if (this.#commas.length === 0) return;
    this.#largeObjects.push({ start: this.#largeStart, end, commas: this.#commas });
    this.#commas = [];
  }

  #finish(part: Uint8Array, maxBytes: number): Frame {
    this.#keep(part, maxBytes);
    const [only] = this.#chunks;
    const bytes =
      only && this.#chunks.length === 1
        ? Buffer.from(only.buffer, only.byteOffset, only.length)
        : Buffer.concat(this.#chunks, this.#chunkBytes);
    const frame = new Frame(bytes, this.#hasLongNumber, this.#largeObjects);
    this.#chunks = [];
    this.#chunkBytes = 0;
    this.#hasLongNumber = false;
    this.#largeObjects = [];
    return frame;
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}
