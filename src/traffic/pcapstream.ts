/**
 * Packets out of a stream of the classic capture format, as `tcpdump -w -` writes it (pcap-savefile(5)), however the stream
 * was cut. Pure.
 */
import { fail } from '../errors.ts';

/** A captured frame. */
export interface CapturedPacket {
  /** Nanoseconds since 1970. */
  readonly atNs: bigint;
  /** As long as it was on the wire; `bytes` may be less. */
  readonly originalLength: number;
  /** Valid until the next push. */
  readonly bytes: Buffer;
}

const MICROSECONDS = 0xa1b2c3d4;
const NANOSECONDS = 0xa1b23c4d;
const FILE_HEADER_BYTES = 24;
const PACKET_HEADER_BYTES = 16;
/** libpcap's own limit for Ethernet (MAXIMUM_SNAPLEN); more is garbage. */
const MAX_PACKET_BYTES = 262_144;

/** Takes chunks as they come, gives the packets that they complete. */
export class PcapStream {
  #rest: Buffer = Buffer.alloc(0);
  #format: { readonly littleEndian: boolean; readonly nsPerUnit: bigint } | undefined;

  /** @throws CAPTURE_GARBLED where the stream is none of that format */
  push(chunk: Buffer): CapturedPacket[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    if (!this.#format) {
      if (bytes.length < FILE_HEADER_BYTES) {
        this.#rest = bytes;
        return [];
      }
      this.#format = readFormat(bytes);
      at = FILE_HEADER_BYTES;
    }
    const { littleEndian, nsPerUnit } = this.#format;
    const uint32 = (offset: number): number =>
      littleEndian ? bytes.readUInt32LE(offset) : bytes.readUInt32BE(offset);
    const packets: CapturedPacket[] = [];
    while (bytes.length - at >= PACKET_HEADER_BYTES) {
      const length = uint32(at + 8);
      if (length > MAX_PACKET_BYTES)
        throw fail('CAPTURE_GARBLED', { why: `a packet of ${String(length)} bytes` });
      const start = at + PACKET_HEADER_BYTES;
      if (bytes.length - start < length) break;
      packets.push({
        atNs: BigInt(uint32(at)) * 1_000_000_000n + BigInt(uint32(at + 4)) * nsPerUnit,
        originalLength: uint32(at + 12),
        bytes: bytes.subarray(start, start + length),
      });
      at = start + length;
    }
    this.#rest = bytes.subarray(at);
    return packets;
  }
}

function readFormat(bytes: Buffer): { littleEndian: boolean; nsPerUnit: bigint } {
  for (const littleEndian of [true, false]) {
    const magic = littleEndian ? bytes.readUInt32LE(0) : bytes.readUInt32BE(0);
    if (magic === NANOSECONDS) return { littleEndian, nsPerUnit: 1n };
    if (magic === MICROSECONDS) return { littleEndian, nsPerUnit: 1000n };
  }
  throw fail('CAPTURE_GARBLED', { why: 'it begins with no magic number of that format' });
}
