/** IP addresses and networks, on ip-cidr. The only file that knows it. Pure. */
import IPCIDR from 'ip-cidr';

/** A network: the text as canonical CIDR, its family and its length of prefix. */
export interface Cidr {
  readonly text: string;
  readonly family: 4 | 6;
  readonly prefixLength: number;
  /** First and last address as integers. */
  readonly first: bigint;
  readonly last: bigint;
}

/** @returns the network, or `undefined` where the text is no CIDR (`10.1.0.0/24`, `fd00::/64`). */
export function toCidr(text: string): Cidr | undefined {
  if (!/^[^%]+\/\d{1,3}$/.test(text) || !IPCIDR.isValidCIDR(text)) return undefined;
  const parsed = new IPCIDR(text);
  const first = parsed.start<bigint>({ type: 'bigInteger' });
  const last = parsed.end<bigint>({ type: 'bigInteger' });
  const prefixLength = Number(text.slice(text.lastIndexOf('/') + 1));
  const family = text.includes(':') ? 6 : 4;
  return {
    text: `${renderAddress(first, family)}/${String(prefixLength)}`,
    family,
    prefixLength,
    first,
    last,
  };
}

/** An address without prefix: its canonical text, family and value. */
export interface IpAddress {
  readonly text: string;
  readonly family: 4 | 6;
  readonly value: bigint;
}

/** @returns the address, or `undefined` where the text is no IPv4 or IPv6 address (a zone, `%eth0`, is none). */
export function toIpAddress(text: string): IpAddress | undefined {
  if (!text.includes(':')) return toIpv4Address(text);
  if (/[/%]/.test(text) || !IPCIDR.isValidAddress(text)) return undefined;
  const value = new IPCIDR(`${text}/128`).start<bigint>({ type: 'bigInteger' });
  return { text: renderAddress(value, 6), family: 6, value };
}

/** Dotted quads without ip-cidr, which takes 40 µs for each: a file may have thousands. The results are the same. */
function toIpv4Address(text: string): IpAddress | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (!match) return undefined;
  let value = 0;
  for (const octet of match.slice(1)) {
    // A leading zero is octal to some programs and decimal to others.
    if (Number(octet) > 255 || (octet.length > 1 && octet.startsWith('0'))) return undefined;
    value = value * 256 + Number(octet);
  }
  return { text, family: 4, value: BigInt(value) };
}

/** True where the address lies in the network, its first and last address included. */
export function contains(network: Cidr, address: IpAddress): boolean {
  return network.family === address.family && address.value >= network.first && address.value <= network.last;
}

/**
 * The addresses that a host may have: without network and broadcast address (IPv4 up to /30) and without
 * the subnet-router anycast address (IPv6, RFC 4291 §2.6.1).
 */
export function hostRange(network: Cidr): { readonly first: bigint; readonly last: bigint } {
  if (network.last - network.first < 2n) return { first: network.first, last: network.last };
  return { first: network.first + 1n, last: network.family === 4 ? network.last - 1n : network.last };
}

/** An address from its value: dotted quad, or IPv6 as RFC 5952 writes it. */
export function renderAddress(value: bigint, family: 4 | 6): string {
  if (family === 4) {
    const bits = Number(value);
    return `${String(bits >>> 24)}.${String((bits >>> 16) & 0xff)}.${String((bits >>> 8) & 0xff)}.${String(bits & 0xff)}`;
  }
  const groups = Array.from({ length: 8 }, (_, index) => (value >> BigInt(112 - 16 * index)) & 0xffffn);
  const full = groups.map((group) => group.toString(16)).join(':');
  return IPCIDR.createAddress(full).correctForm();
}
