/**
 * JSON texts out of a byte stream (RFC 7047 §4: messages follow each other without a separator), every byte looked at
 * once, however the stream was cut. Finds where a message ends; what is in it is for envelope.ts. No I/O, no clock.
 */
import { isUtf8 } from 'node:buffer';
import { fail } from '../errors.ts';

/** One message's text. */
export interface Frame {
  readonly text: string;
  /** Whether it has 16 or more digits in a row outside of strings: maybe an integer beyond 2^53. */
  readonly hasLongNumber: boolean;
}

export interface FramingLimits {
  readonly maxBytes: number;
  readonly maxDepth: number;
}

/** A database of 100,000 ports is about 50 MB; ovsdb-server's own parser stops at 1,000 levels (lib/json.c). */
const FRAMING_LIMITS: FramingLimits = Object.freeze({ maxBytes: 1 << 29, maxDepth: 1000 });

const QUOTE = 0x22;
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
    const { maxBytes, maxDepth } = this.#limits;
    const length = chunk.length;
    // Locals: a private field read per byte would cost more than the scan.
    let depth = this.#depth;
    let inString = this.#inString;
    let escaped = this.#escaped;
    let digits = this.#digits;
    let start = 0;
    for (let index = 0; index < length; index += 1) {
      const byte = chunk[index] as number;
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === QUOTE) inString = false;
        else if (byte === BACKSLASH) escaped = true;
        continue;
      }
      if (byte >= 0x30 && byte <= 0x39) {
        digits += 1;
        if (digits === LONG_NUMBER_DIGITS) this.#hasLongNumber = true;
        if (depth > 0) continue;
      } else digits = 0;
      if (byte === QUOTE && depth > 0) inString = true;
      else if (byte === OPEN_BRACE || (byte === OPEN_BRACKET && depth > 0)) {
        if (depth === 0) start = index;
        depth += 1;
        if (depth > maxDepth) throw fail('JSONRPC_TOO_DEEP', { limit: maxDepth });
        closers[depth] = byte + 2;
      } else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && depth > 0) {
        if (closers[depth] !== byte) throw fail('JSONRPC_SYNTAX', { why: 'its brackets do not match' });
        depth -= 1;
        if (depth > 0) continue;
        frames.push(this.#finish(chunk.subarray(start, index + 1), maxBytes));
        start = index + 1;
      } else if (depth === 0 && !isSpace(byte))
        throw fail('JSONRPC_SYNTAX', { why: `byte 0x${byte.toString(16)} stands where a message begins` });
    }
    this.#depth = depth;
    this.#inString = inString;
    this.#escaped = escaped;
    this.#digits = digits;
    if (depth > 0) this.#keep(chunk.subarray(start), maxBytes);
    return frames;
  }

  #keep(part: Uint8Array, maxBytes: number): void {
    this.#chunkBytes += part.length;
    if (this.#chunkBytes > maxBytes) throw fail('JSONRPC_TOO_LARGE', { limitBytes: maxBytes });
    this.#chunks.push(part);
  }

  #finish(part: Uint8Array, maxBytes: number): Frame {
    this.#keep(part, maxBytes);
    const bytes = Buffer.concat(this.#chunks, this.#chunkBytes);
    const hasLongNumber = this.#hasLongNumber;
    this.#chunks = [];
    this.#chunkBytes = 0;
    this.#hasLongNumber = false;
    if (!isUtf8(bytes)) throw fail('JSONRPC_SYNTAX', { why: 'it is not UTF-8' });
    return { text: bytes.toString('utf8'), hasLongNumber };
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}
