/**
 * Matches of flows, and the fields in them and in actions (OpenFlow 1.3.5 §7.2.3). Which fields there are is
 * matchfields.ts's. Pure.
 */
import { fieldNamed, fieldOf, isExperimenterField, type Field } from './matchfields.ts';
import { renderFieldValue } from './fieldtext.ts';
import { malformed, requireBytes } from './wire.ts';

/** `OFPMT_OXM`. */
const OXM_MATCH = 1;
/** Class 0x0001, number 0, no mask, 4 bytes: the header of `reg0`. Each further register has 1 << 9 more. */
const REGISTER_0_HEADER = 0x0001_0004;
/** Class 0x8001, number 0, without mask and length: two registers at a time. */
const REGISTER_PAIR_0 = 0x8001 * 128;
const ALL_ONES = 0xffffffff;
/** Bytes of a match before its fields, and of a field before its value. */
const HEADER_BYTES = 4;
const MASK_BIT = 0x100;
const EXPERIMENTER_BYTES = 4;

/**
 * A field and its value. Every value is an unsigned number of `bytes` bytes, an address too, so that nothing of a
 * field that is not known here is lost.
 */
export interface FieldValue {
  readonly field: Field;
  readonly bytes: number;
  readonly value: bigint;
  /** Bits that count; `undefined` where all do. */
  readonly mask: bigint | undefined;
}

/** What a flow matches; without fields, everything. */
export type Match = readonly FieldValue[];

/**
 * A field for a question, for example `toFieldValue('reg0', 4, 7n)`.
 * @param bytes of the field in a message
 * @returns `undefined` where ovs-fields(7) has no field of that name, or it is not known here.
 */
export function toFieldValue(
  name: string,
  bytes: number,
  value: bigint,
  mask?: bigint,
): FieldValue | undefined {
  const field = fieldNamed(name);
  return field && { field, bytes, value, mask };
}

/**
 * The match at `start`.
 * @throws OPENFLOW_PROTOCOL where it is no row of fields.
 */
export function decodeMatch(bytes: Buffer, start: number): Match {
  const { fieldsEnd } = measureMatch(bytes, start);
  const fields: FieldValue[] = [];
  for (let offset = start + HEADER_BYTES; offset < fieldsEnd;) {
    fields.push(decodeField(bytes, offset, fieldsEnd));
    offset += HEADER_BYTES + bytes.readUInt8(offset + 3);
  }
  return fields;
}

/**
 * How far a match goes.
 * @returns offsets after its last field, and after the padding
 * @throws OPENFLOW_PROTOCOL where it is cut short, or of another type.
 */
export function measureMatch(bytes: Buffer, start: number): { fieldsEnd: number; end: number } {
  requireBytes(bytes, start, HEADER_BYTES, 'a match');
  const type = bytes.readUInt16BE(start);
  const lengthBytes = bytes.readUInt16BE(start + 2);
  if (type !== OXM_MATCH || lengthBytes < HEADER_BYTES) {
    throw malformed(`a match of type ${String(type)} and length ${String(lengthBytes)}`);
  }
  const end = start + Math.ceil(lengthBytes / 8) * 8;
  requireBytes(bytes, start, end - start, 'a match');
  return { fieldsEnd: start + lengthBytes, end };
}

/**
 * The value of a register in a match, without decoding the others: this is asked of every rule of a pipeline, often.
 * @param start of the match
 * @param fieldsEnd as `measureMatch` says
 * @param number 0 to 15
 * @returns `undefined` where the match does not have it, or not the whole of it.
 */
export function readRegister(
  bytes: Buffer,
  start: number,
  fieldsEnd: number,
  number: number,
): number | undefined {
  const wanted = REGISTER_0_HEADER + number * 512;
  const wantedPair = REGISTER_PAIR_0 + (number >>> 1);
  for (let offset = start + HEADER_BYTES; offset + HEADER_BYTES <= fieldsEnd;) {
    const header = bytes.readUInt32BE(offset);
    const next = offset + HEADER_BYTES + (header & 0xff);
    if (next > fieldsEnd) return undefined;
    if (header === wanted) return bytes.readUInt32BE(offset + HEADER_BYTES);
    if (header >>> 9 === wantedPair) return halfOfPair(bytes, offset + HEADER_BYTES, next, number & 1);
    offset = next;
  }
  return undefined;
}

/** With OpenFlow 1.5, Open vSwitch sends two registers as one field of 64 bits, the one with the even number first. */
function halfOfPair(bytes: Buffer, start: number, end: number, half: number): number | undefined {
  const isWhole =
    end - start === 8 || (end - start === 16 && bytes.readUInt32BE(start + 8 + half * 4) === ALL_ONES);
  return isWhole ? bytes.readUInt32BE(start + half * 4) : undefined;
}

/** The match as a message has it, padded to 8 bytes. */
export function encodeMatch(match: Match): Buffer {
  const fields = Buffer.concat(match.map(encodeField));
  const bytes = Buffer.alloc(Math.ceil((HEADER_BYTES + fields.length) / 8) * 8);
  bytes.writeUInt16BE(OXM_MATCH, 0);
  bytes.writeUInt16BE(HEADER_BYTES + fields.length, 2);
  bytes.set(fields, HEADER_BYTES);
  return bytes;
}

/**
 * The field at `start`, with its value.
 * @param end of what it is in
 * @throws OPENFLOW_PROTOCOL where it is cut short, or its mask is not as long as its value.
 */
export function decodeField(bytes: Buffer, start: number, end: number): FieldValue {
  requireBytes(bytes, start, HEADER_BYTES, 'a field', end);
  const header = bytes.readUInt32BE(start);
  const id = header >>> 9;
  const payloadEnd = start + HEADER_BYTES + (header & 0xff);
  requireBytes(bytes, start, payloadEnd - start, 'a field', end);
  const isExperimenter = isExperimenterField(id);
  if (isExperimenter) requireBytes(bytes, start, 2 * HEADER_BYTES, "a field's experimenter", payloadEnd);
  // A field of class 0xffff has the id of its experimenter before its value.
  const valueAt = start + HEADER_BYTES + (isExperimenter ? EXPERIMENTER_BYTES : 0);
  const field = fieldOf(id, isExperimenter ? bytes.readUInt32BE(start + HEADER_BYTES) : undefined);
  const masked = (header & MASK_BIT) !== 0;
  const width = (payloadEnd - valueAt) / (masked ? 2 : 1);
  if (!Number.isInteger(width)) throw malformed(`${field.name} with a mask of another length`);
  return {
    field,
    bytes: width,
    value: readUnsigned(bytes, valueAt, width),
    mask: masked ? readUnsigned(bytes, valueAt + width, width) : undefined,
  };
}

/** `in_port=1,eth_dst=52:54:00:00:00:01,reg0=0x7`, as ovs-ofctl(8) reads it; `` for one that matches everything. */
export function renderMatch(match: Match): string {
  return match.map((one) => `${one.field.name}=${renderValue(one)}`).join(',');
}

/** `0x1` or, with a mask, `10.0.0.0/8`. */
export function renderValue({ field, bytes, value, mask }: FieldValue): string {
  return renderFieldValue(field.format, bytes, value, mask);
}

function encodeField({ field, bytes, value, mask }: FieldValue): Buffer {
  const start = HEADER_BYTES + (field.experimenter === undefined ? 0 : EXPERIMENTER_BYTES);
  const encoded = Buffer.alloc(start + bytes * (mask === undefined ? 1 : 2));
  // Multiplied, not shifted: the class is in the upper bits of 32.
  encoded.writeUInt32BE(field.id * 512 + (mask === undefined ? 0 : MASK_BIT) + encoded.length - HEADER_BYTES);
  if (field.experimenter !== undefined) encoded.writeUInt32BE(field.experimenter, HEADER_BYTES);
  encoded.set(toBytes(value, bytes), start);
  if (mask !== undefined) encoded.set(toBytes(mask, bytes), start + bytes);
  return encoded;
}

function readUnsigned(bytes: Buffer, offset: number, width: number): bigint {
  if (width === 0) return 0n;
  // Far cheaper than by way of text, and most fields are so short.
  if (width <= 6) return BigInt(bytes.readUIntBE(offset, width));
  return BigInt(`0x${bytes.toString('hex', offset, offset + width)}`);
}

function toBytes(value: bigint, bytes: number): Buffer {
  return bytes === 0 ? Buffer.alloc(0) : Buffer.from(value.toString(16).padStart(bytes * 2, '0'), 'hex');
}
