/** IP addresses out of the bytes of a packet or a datagram, as canonical text. Pure; who calls has checked the length. */

const OCTETS: readonly string[] = Array.from({ length: 256 }, (_, octet) => String(octet));

/** Four bytes as dotted quad, `10.0.0.1`. */
export function ipv4FromBytes(view: DataView, offset: number): string {
  const bits = view.getUint32(offset);
  // A table of texts: a collector makes two of these for each record.
  return `${octet(bits >>> 24)}.${octet(bits >>> 16)}.${octet(bits >>> 8)}.${octet(bits)}`;
}

/** Sixteen bytes as RFC 5952 writes them, `2001:db8::1`; an IPv4-mapped address is `::ffff:10.0.0.1` (§5). */
export function ipv6FromBytes(view: DataView, offset: number): string {
  const groups = Array.from({ length: 8 }, (_, index) => view.getUint16(offset + 2 * index));
  if (isIpv4Mapped(groups)) return `::ffff:${ipv4FromBytes(view, offset + 12)}`;
  const { start, length } = longestZeros(groups);
  if (length < 2) return renderGroups(groups);
  return `${renderGroups(groups.slice(0, start))}::${renderGroups(groups.slice(start + length))}`;
}

function octet(bits: number): string {
  return OCTETS[bits & 0xff] ?? '';
}

function isIpv4Mapped(groups: readonly number[]): boolean {
  return groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
}

/** The run of zero groups that `::` stands for: the longest, and of equals the first (RFC 5952 §4.2). */
function longestZeros(groups: readonly number[]): { start: number; length: number } {
  const longest = { start: 0, length: 0 };
  let length = 0;
  for (const [index, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > longest.length) Object.assign(longest, { start: index + 1 - length, length });
  }
  return longest;
}

function renderGroups(groups: readonly number[]): string {
  return groups.map((group) => group.toString(16)).join(':');
}
