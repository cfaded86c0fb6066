/**
 * Whole OpenFlow messages out of a byte stream that is cut anywhere, by the header's length field. What is in a
 * message is codec.ts's. Pure but for the bytes it keeps until the rest of their message comes.
 */
import { decodeHeader, HEADER_BYTES } from './wire.ts';

/** Keeps the beginning of a message until its end arrives: at most 65,535 bytes, the most that a length field can say. */
export class MessageSplitter {
  #kept: Buffer = Buffer.alloc(0);

  /**
   * Takes the next bytes of the stream.
   * @returns the messages that are whole now, in order; views of the input where it can.
   * @throws OPENFLOW_PROTOCOL at a header whose length is impossible, after the messages before it; the stream is
   * lost then.
   */
  *push(chunk: Buffer): Generator<Buffer, void, undefined> {
    let bytes: Buffer = this.#kept.length === 0 ? chunk : Buffer.concat([this.#kept, chunk]);
    while (bytes.length >= HEADER_BYTES) {
      const { lengthBytes } = decodeHeader(bytes);
      if (bytes.length < lengthBytes) break;
      const message = bytes.subarray(0, lengthBytes);
      bytes = bytes.subarray(lengthBytes);
      this.#kept = bytes;
      yield message;
    }
    this.#kept = bytes;
  }
}
