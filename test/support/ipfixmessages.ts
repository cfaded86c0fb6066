/** IPFIX messages made by hand, of parts in hexadecimal digits. */
import { datagramOf, u16, u32 } from './datagrams.ts';

/** A message of an observation domain, exported at the second 1,700,000,000. */
export function messageOf(domain: number, ...sets: readonly string[]): Buffer {
  const body = datagramOf(...sets);
  const header = u16(10) + u16(16 + body.length) + u32(1_700_000_000) + u32(0) + u32(domain);
  return Buffer.concat([datagramOf(header), body]);
}

/** A set: 2 for templates, 3 for options templates, from 256 on data. */
export function setOf(id: number, ...contents: readonly string[]): string {
  const body = datagramOf(...contents);
  return u16(id) + u16(4 + body.length) + body.toString('hex');
}

type Field = readonly [id: number, length: number, enterprise?: number];

export function templateOf(id: number, ...fields: readonly Field[]): string {
  return u16(id) + u16(fields.length) + fields.map(fieldOf).join('');
}

export function optionsTemplateOf(id: number, scopes: number, ...fields: readonly Field[]): string {
  return u16(id) + u16(fields.length) + u16(scopes) + fields.map(fieldOf).join('');
}

function fieldOf([id, length, enterprise]: Field): string {
  return enterprise === undefined ? u16(id) + u16(length) : u16(id | 0x8000) + u16(length) + u32(enterprise);
}
