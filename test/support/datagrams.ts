/** Datagrams of test/fixtures, and what a network may make of them. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';

/** The datagrams of a file of scripts/capture-flow-exports.ts, in the order in which they came. */
export function readDatagrams(path: string): Buffer[] {
  const lines = readFileSync(new URL(`../fixtures/${path}`, import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return lines.map((line) => Buffer.from(line, 'hex'));
}

/** Each beginning of a datagram, but the whole. */
export function beginningsOf(datagram: Buffer): Buffer[] {
  return Array.from({ length: datagram.length }, (_, length) => datagram.subarray(0, length));
}

/** A datagram of `among` in which some bytes, or a 16-bit or 32-bit word, are others; sometimes cut or longer. */
export function damaged(among: readonly Buffer[]): fc.Arbitrary<Buffer> {
  const edit = fc.record({
    at: fc.nat(),
    bytes: fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 4 }),
      fc.constantFrom(
        ...['0000', 'ffff', '00000000', 'ffffffff', '7fffffff', '0001', '00', 'ff'].map(fromHex),
      ),
    ),
  });
  return fc
    .record({
      datagram: fc.constantFrom(...among),
      edits: fc.array(edit, { minLength: 1, maxLength: 4 }),
      change: fc.constantFrom('none', 'none', 'cut', 'longer'),
      by: fc.nat(),
    })
    .map(({ datagram, edits, change, by }) => {
      const copy = Buffer.from(datagram);
      for (const { at, bytes } of edits)
        copy.set(bytes.slice(0, copy.length), at % Math.max(1, copy.length - 3));
      if (change === 'cut') return copy.subarray(0, by % copy.length);
      return change === 'longer' ? Buffer.concat([copy, copy.subarray(0, by % copy.length)]) : copy;
    });
}

function fromHex(digits: string): Uint8Array {
  return Buffer.from(digits, 'hex');
}

/** A datagram from its parts, in hexadecimal digits with spaces where one likes. */
export function datagramOf(...parts: readonly string[]): Buffer {
  return Buffer.from(parts.join('').replaceAll(' ', ''), 'hex');
}

/** Big-endian, in hexadecimal digits. */
export const u16 = (value: number): string => value.toString(16).padStart(4, '0');
export const u32 = (value: number): string => value.toString(16).padStart(8, '0');
