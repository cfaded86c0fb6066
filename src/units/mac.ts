/** Ethernet addresses. Pure; errors are null results, because the caller knows where the text stood. */

declare const macBrand: unique symbol;
/** An Ethernet address as six lower-case hex pairs with colons, for example `52:54:00:10:00:01`. */
export type Mac = string & { readonly [macBrand]: true };

const MAC_TEXT = /^[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}$/i;

/**
 * Reads `aa:bb:cc:dd:ee:ff` or `aa-bb-…`, any case.
 * @returns the address in canonical form, or `undefined` where the text is no Ethernet address.
 */
export function toMac(text: string): Mac | undefined {
  if (!MAC_TEXT.test(text)) return undefined;
  return text.toLowerCase().replaceAll('-', ':') as Mac;
}

const HEX_BYTES: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
);

/** Six bytes of a packet or a datagram; who calls has checked that they are there. */
export function macFromBytes(view: DataView, offset: number): Mac {
  const hex = (index: number): string => HEX_BYTES[view.getUint8(offset + index)] ?? '';
  return `${hex(0)}:${hex(1)}:${hex(2)}:${hex(3)}:${hex(4)}:${hex(5)}` as Mac;
}

/** True for broadcast and multicast addresses: the group bit (IEEE 802) is set, so no NIC may have it. */
export function isGroupMac(mac: Mac): boolean {
  return (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1;
}

/** True where a NIC may have the address: no group address and not all zeros (Linux is_valid_ether_addr). */
export function isNicMac(mac: Mac): boolean {
  return !isGroupMac(mac) && mac !== '00:00:00:00:00:00';
}

/**
 * A locally administered address in QEMU's and libvirt's range `52:54:00:…`.
 * @param hex at least six hexadecimal digits, in lower case; the first six become the last three bytes
 */
export function macFromHash(hex: string): Mac {
  return `52:54:00:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4, 6)}` as Mac;
}
