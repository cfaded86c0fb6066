/** Values of fields as ovs-fields(7) and ovs-ofctl(8) write them. Pure. */
import { renderAddress } from '../units/cidr.ts';
import type { FieldFormat } from './matchfields.ts';

/** Names of reserved ports of 32 bits, `ofp_port_no` (OpenFlow 1.3.5 §7.2.1). */
const RESERVED_PORTS: ReadonlyMap<number, string> = new Map([
  [0xfffffff7, 'UNSET'],
  [0xfffffff8, 'IN_PORT'],
  [0xfffffff9, 'TABLE'],
  [0xfffffffa, 'NORMAL'],
  [0xfffffffb, 'FLOOD'],
  [0xfffffffc, 'ALL'],
  [0xfffffffd, 'CONTROLLER'],
  [0xfffffffe, 'LOCAL'],
  [0xffffffff, 'ANY'],
]);

/** `ip_frag` as value and mask of its two bits "is a fragment" and "is not the first of them". */
const FRAGMENTS: ReadonlyMap<string, string> = new Map([
  ['0/3', 'no'],
  ['0/1', 'no'],
  ['1/1', 'yes'],
  ['1/3', 'first'],
  ['3/3', 'later'],
  ['2/2', 'later'],
  ['0/2', 'not_later'],
]);

/** `17` or `LOCAL`. */
export function renderPort(port: number): string {
  return RESERVED_PORTS.get(port) ?? String(port);
}

/**
 * A value, with its mask where it has one.
 * @param bytes of the field
 */
export function renderFieldValue(
  format: FieldFormat,
  bytes: number,
  value: bigint,
  mask: bigint | undefined,
): string {
  if (format === 'frag') return FRAGMENTS.get(`${String(value)}/${String(mask ?? 3n)}`) ?? renderHex(value);
  if (mask === undefined) return renderPlain(format, bytes, value);
  switch (format) {
    case 'ipv4':
    case 'ipv6':
      return `${renderPlain(format, bytes, value)}/${renderAddressMask(mask, format === 'ipv4' ? 4 : 6)}`;
    case 'mac':
      return `${renderPlain(format, bytes, value)}/${renderPlain(format, bytes, mask)}`;
    // Masks are read in hexadecimal, whatever the value is.
    case 'decimal':
    case 'hex':
    case 'port':
      return `${renderHex(value)}/${renderHex(mask)}`;
  }
}

function renderPlain(format: Exclude<FieldFormat, 'frag'>, bytes: number, value: bigint): string {
  switch (format) {
    case 'decimal':
      return value.toString();
    case 'hex':
      return renderHex(value);
    case 'port':
      return renderPort(Number(value));
    case 'mac':
      return value
        .toString(16)
        .padStart(bytes * 2, '0')
        .replace(/(..)(?=.)/g, '$1:');
    case 'ipv4':
    case 'ipv6':
      return renderAddress(value, format === 'ipv4' ? 4 : 6);
  }
}

function renderHex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** The length of the prefix where the mask is one, else the mask as an address. */
function renderAddressMask(mask: bigint, family: 4 | 6): string {
  const bits = mask.toString(2).padStart(family === 4 ? 32 : 128, '0');
  return /^1*0*$/.test(bits) ? String(bits.lastIndexOf('1') + 1) : renderAddress(mask, family);
}
