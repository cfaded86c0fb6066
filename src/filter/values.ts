/** What a value of a filter means for a field of its type: a test of what a row has. Pure. */
import { contains, toCidr, toIpAddress } from '../units/cidr.ts';
import { toDurationMs } from '../units/duration.ts';
import { toMac } from '../units/mac.ts';
import type { Operator, Value } from './expression.ts';
import type { FieldType } from './fields.ts';
import { matchesGlob } from './glob.ts';

/** Whether one value of a row is what was asked for. */
export type Test = (value: string | number | bigint) => boolean;

type Compare = Exclude<Operator, '!='>;

/** IANA's protocol numbers that have a name here; others are written as numbers. */
export const PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ['icmp', 1],
  ['igmp', 2],
  ['tcp', 6],
  ['udp', 17],
  ['gre', 47],
  ['esp', 50],
  ['icmp6', 58],
  ['ospf', 89],
  ['sctp', 132],
]);

/** Decimal, as traffic is counted and shown. */
const FACTORS: Readonly<Record<string, number>> = { '': 1, k: 1e3, K: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15 };

/**
 * The test that a comparison with this value makes; `=` for each value of a list.
 * @returns `undefined` where the text is no value of that type, see {@link describeValues}.
 */
export function toTest(type: FieldType, operator: Compare, value: Value): Test | undefined {
  switch (type) {
    case 'text':
      return toTextTest(value, value.text);
    case 'mac':
      return toMacTest(value);
    case 'address':
      return toAddressTest(value.text);
    case 'protocol':
      return toOrderTest('=', PROTOCOLS.get(value.text.toLowerCase()) ?? toWhole(value.text, 255));
    case 'port-number':
      return toOrderTest(operator, toWhole(value.text, 65_535));
    case 'bit-rate':
      return toOrderTest(operator, toDecimal(value.text, /^(?:bit\/s|bps)?$/));
    case 'byte-count':
      return toOrderTest(operator, toDecimal(value.text, /^B?$/));
    case 'count':
      return toOrderTest(operator, toDecimal(value.text, /^$/));
    case 'duration':
      return toOrderTest(operator, toDurationMs(value.text));
  }
}

/** How values of the type are written, for messages. */
export function describeValues(type: FieldType): string {
  switch (type) {
    case 'text':
      return 'a name, with * for any text';
    case 'mac':
      return 'a MAC address (52:54:00:10:00:01), with * for any text';
    case 'address':
      return 'an IP address or a network (10.0.0.0/24)';
    case 'protocol':
      return `a protocol (${[...PROTOCOLS.keys()].join(', ')}, or its number)`;
    case 'port-number':
      return 'a port number, 0 to 65535';
    case 'bit-rate':
      return 'a bit rate (980, 64k, 1.5M, 10G; 1k = 1000)';
    case 'byte-count':
      return 'a number of bytes (1500, 64k, 1.5M, 2GB; 1k = 1000)';
    case 'count':
      return 'a number (980, 64k, 1.5M; 1k = 1000)';
    case 'duration':
      return 'a duration (250ms, 2s, 5m)';
  }
}

function toTextTest({ isQuoted }: Value, wanted: string): Test {
  return isQuoted || !wanted.includes('*')
    ? (value) => value === wanted
    : (value) => matchesGlob(wanted, String(value));
}

/** Any case, colons or hyphens. What has a `*` is matched as text. */
function toMacTest(value: Value): Test | undefined {
  const wanted = value.text.toLowerCase().replaceAll('-', ':');
  if (!/^[0-9a-f:*]+$/.test(wanted)) return undefined;
  if (!wanted.includes('*') && toMac(wanted) === undefined) return undefined;
  const test = toTextTest(value, wanted);
  return (mac) => test(String(mac).toLowerCase());
}

/** An address is a network of one. */
function toAddressTest(text: string): Test | undefined {
  const wanted = toIpAddress(text);
  const network = toCidr(wanted === undefined ? text : `${text}/${wanted.family === 4 ? '32' : '128'}`);
  if (network === undefined) return undefined;
  return (value) => {
    const address = toIpAddress(String(value));
    return address !== undefined && contains(network, address);
  };
}

/** Numbers and bigints compare by value, but are never the same. */
function toOrderTest(operator: Compare, wanted: number | undefined): Test | undefined {
  if (wanted === undefined) return undefined;
  const isInOrder = toOrder(operator, wanted);
  return (value) => typeof value !== 'string' && isInOrder(value);
}

function toOrder(operator: Compare, wanted: number): (value: number | bigint) => boolean {
  switch (operator) {
    case '=':
      return (value) => value >= wanted && value <= wanted;
    case '<':
      return (value) => value < wanted;
    case '<=':
      return (value) => value <= wanted;
    case '>':
      return (value) => value > wanted;
    case '>=':
      return (value) => value >= wanted;
  }
}

function toWhole(text: string, max: number): number | undefined {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : undefined;
  return value !== undefined && value <= max ? value : undefined;
}

function toDecimal(text: string, unit: RegExp): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([kKMGTP]?)(.*)$/.exec(text);
  if (!match || !unit.test(match[3] ?? '')) return undefined;
  return Number(match[1]) * (FACTORS[match[2] ?? ''] ?? 1);
}
