/**
 * The accounting pipeline as numbers: what its writer (switch/) and its readers (traffic/) agree on. Pure.
 * What the tables do is in docs/visibility.md, "The accounting pipeline".
 */
import { hash } from 'node:crypto';

/** Tables of a bridge with `visibility: pairs`; numbered with gaps for what comes between. */
export const ACCOUNTING_TABLES = Object.freeze({
  /** in_port → reg0, who sends; and the VLAN → reg3. */
  classify: 0,
  /** Destination address and VLAN → reg1, who it is for. */
  destination: 30,
  /** One row for each pair (reg0, reg1), and one for the rest of each source. */
  account: 50,
  /** NORMAL. */
  forward: 60,
});

/** An end of a pair that is no VM's NIC. */
export type EndClass = 'uplink' | 'host' | 'flood' | 'unknown';

/** Ids of ends in reg0 and reg1. A NIC's id is its OpenFlow port number, so these begin above 16 bits. */
export const END_CLASS_IDS: Readonly<Record<EndClass, number>> = Object.freeze({
  uplink: 0x10001,
  host: 0x10002,
  flood: 0x10003,
  unknown: 0x10004,
});

const END_CLASSES: ReadonlyMap<number, EndClass> = new Map([
  [END_CLASS_IDS.uplink, 'uplink'],
  [END_CLASS_IDS.host, 'host'],
  [END_CLASS_IDS.flood, 'flood'],
  [END_CLASS_IDS.unknown, 'unknown'],
]);

/** @returns the class of an id in reg0 or reg1, or `undefined` where it is the OpenFlow port number of a NIC. */
export function toEndClass(id: number): EndClass | undefined {
  return END_CLASSES.get(id);
}

/** Upper 16 bits of every cookie of ours ("VB"), and the mask for them. */
export const OUR_COOKIE = 0x5642n << 48n;
export const OUR_COOKIE_MASK = 0xffffn << 48n;

/** Bits 47 to 40: the layout of the pipeline. Another number replaces every rule of the old one. */
const GENERATION = 1n;
const GENERATION_SHIFT = 40n;

/** The upper 4 of the 40 bits of a rule's id say what the rule is, where that matters. */
const ADDRESS_ID = 0xd0_0000_0000n;
const REST_ID = 0xe0_0000_0000n;
const PAIR_ID = 0xf0_0000_0000n;
const KIND_MASK = 0xf0_0000_0000n;
const SOURCE_MASK = 0x0f_ffff_ffffn;

/**
 * What a rule of ours is: `rule`, told from others by a hash of its text; `address`, the same for a rule that follows an
 * address of the host, which Open vSwitch may change by itself; `rest`, a source's row for what no pair's row counts;
 * `pair`, a pair's row. What a source sent is the sum of its rows of these two kinds.
 */
export type CookieMeaning =
  | { readonly kind: 'rule' | 'address'; readonly generation: number }
  | { readonly kind: 'rest' | 'pair'; readonly generation: number; readonly source: number };

/** @returns what the rule with this cookie is, or `undefined` where it is not ours. */
export function decodeCookie(cookie: bigint): CookieMeaning | undefined {
  if ((cookie & OUR_COOKIE_MASK) !== OUR_COOKIE) return undefined;
  const generation = Number((cookie >> GENERATION_SHIFT) & 0xffn);
  const source = Number(cookie & SOURCE_MASK);
  switch (cookie & KIND_MASK) {
    case PAIR_ID:
      return { kind: 'pair', generation, source };
    case REST_ID:
      return { kind: 'rest', generation, source };
    case ADDRESS_ID:
      return { kind: 'address', generation };
    default:
      return { kind: 'rule', generation };
  }
}

/** The cookie of a rule that is known by its text: the same text, the same cookie. */
export function ruleCookie(text: string): bigint {
  return toCookie(hashOf(text) % ADDRESS_ID);
}

/** The cookie of a rule that follows an address of the host. */
export function addressCookie(text: string): bigint {
  return toCookie(ADDRESS_ID | (hashOf(text) & SOURCE_MASK));
}

/** The cookie of the row that counts what a source sent and no pair's row counts. */
export function restCookie(source: number): bigint {
  return toCookie(REST_ID | BigInt(source));
}

/** The cookie that all pairs' rows of a source have, written or learned. */
export function pairCookie(source: number): bigint {
  return toCookie(PAIR_ID | BigInt(source));
}

function toCookie(id: bigint): bigint {
  return OUR_COOKIE | (GENERATION << GENERATION_SHIFT) | id;
}

/** 40 bits. */
function hashOf(text: string): bigint {
  return BigInt(`0x${hash('sha256', text).slice(0, 10)}`);
}
