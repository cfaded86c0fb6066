/** Counters of rules as OpenFlow 1.5 has them: fields, each of which may be absent (OpenFlow 1.5.1 §7.2.4). Pure. */
import { toCounter, type Counter } from '../units/counter.ts';
import { decodeDuration } from './duration.ts';
import { requireBytes } from './wire.ts';

/** Bytes of `ofp_stats` before its fields, and of a field before its value. */
const HEADER_BYTES = 4;
/** Header of a field without its length: class 0x8002, `OFPXSC_OPENFLOW_BASIC`, and the number. */
const DURATION = 0x800200;
const FLOW_COUNT = 0x800206;
const PACKET_COUNT = 0x800208;
const BYTE_COUNT = 0x80020a;

export interface RuleCounters {
  readonly packets: Counter;
  readonly bytes: Counter;
  /** 0 where the switch does not say. */
  readonly durationMs: number;
  readonly rules: number;
  /** Offset after them and their padding. */
  readonly end: number;
}

/**
 * The counters at `start`.
 * @param limit of what they are in
 * @throws OPENFLOW_PROTOCOL where they are cut short.
 */
export function decodeRuleCounters(bytes: Buffer, start: number, limit: number): RuleCounters {
  requireBytes(bytes, start, HEADER_BYTES, 'counters', limit);
  const lengthBytes = Math.max(HEADER_BYTES, bytes.readUInt16BE(start + 2));
  const end = start + Math.ceil(lengthBytes / 8) * 8;
  requireBytes(bytes, start, end - start, 'counters', limit);
  const valueAt = new Map<number, number>();
  for (let offset = start + HEADER_BYTES; offset < start + lengthBytes;) {
    requireBytes(bytes, offset, HEADER_BYTES, 'a counter', end);
    const valueBytes = bytes.readUInt8(offset + 3);
    requireBytes(bytes, offset + HEADER_BYTES, valueBytes, 'a counter', end);
    const name = bytes.readUIntBE(offset, 3);
    requireBytes(bytes, offset + HEADER_BYTES, WIDTHS.get(name) ?? 0, 'a counter', offset + 4 + valueBytes);
    valueAt.set(name, offset + HEADER_BYTES);
    offset += HEADER_BYTES + valueBytes;
  }
  const counter = (name: number): Counter => {
    const at = valueAt.get(name);
    return at === undefined ? undefined : toCounter(bytes.readBigUInt64BE(at));
  };
  const durationAt = valueAt.get(DURATION);
  const rulesAt = valueAt.get(FLOW_COUNT);
  return {
    packets: counter(PACKET_COUNT),
    bytes: counter(BYTE_COUNT),
    durationMs: (durationAt === undefined ? undefined : decodeDuration(bytes, durationAt)) ?? 0,
    rules: rulesAt === undefined ? 0 : bytes.readUInt32BE(rulesAt),
    end,
  };
}

/** Bytes of the values that are read. */
const WIDTHS: ReadonlyMap<number, number> = new Map([
  [DURATION, 8],
  [FLOW_COUNT, 4],
  [PACKET_COUNT, 8],
  [BYTE_COUNT, 8],
]);
