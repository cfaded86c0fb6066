/** VLAN ids (IEEE 802.1Q) and the way a port treats them. Pure. */

declare const vlanBrand: unique symbol;
/** A VLAN id a port may carry: 0 (untagged only) to 4094. 4095 is reserved by IEEE 802.1Q. */
export type VlanId = number & { readonly [vlanBrand]: true };

/** The highest id that may be used. */
export const MAX_VLAN_ID = 4094;

/** @returns the id, or `undefined` where the number is not a whole number from 0 to 4094. */
export function toVlanId(value: number): VlanId | undefined {
  return Number.isInteger(value) && value >= 0 && value <= MAX_VLAN_ID ? (value as VlanId) : undefined;
}

/**
 * What a port does with VLANs; the modes are those of `Port.vlan_mode` in ovs-vswitchd.conf.db(5).
 * `trunks` is never empty: Open vSwitch reads "no trunks" as "all".
 */
export type VlanMode =
  | { readonly mode: 'access'; readonly tag: VlanId }
  | { readonly mode: 'trunk'; readonly trunks: readonly VlanId[] }
  | {
      readonly mode: 'native-tagged' | 'native-untagged';
      readonly tag: VlanId;
      readonly trunks: readonly VlanId[];
    };

/**
 * Reads one entry of a VLAN list: `10` or `100-110`.
 * @returns the ids it names, ascending, or `undefined` where it is neither.
 */
export function toVlanRange(entry: number | string): VlanId[] | undefined {
  const text = String(entry).trim();
  const match = /^(\d{1,4})(?:\s*-\s*(\d{1,4}))?$/.exec(text);
  if (!match) return undefined;
  const first = toVlanId(Number(match[1]));
  const last = toVlanId(Number(match[2] ?? match[1]));
  if (first === undefined || last === undefined || last < first) return undefined;
  return Array.from({ length: last - first + 1 }, (_, offset) => (first + offset) as VlanId);
}

/** Ascending ids as people write them: `10,20,100-110`. */
export function renderVlans(ids: readonly number[]): string {
  const sorted = [...new Set(ids)].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let start = 0; start < sorted.length;) {
    let end = start;
    while (end + 1 < sorted.length && sorted[end + 1] === (sorted[end] ?? 0) + 1) end++;
    const first = String(sorted[start]);
    parts.push(end === start ? first : `${first}-${String(sorted[end])}`);
    start = end + 1;
  }
  return parts.join(',');
}
