/** OpenFlow port numbers as Open vSwitch counts them. Pure. */

declare const ofPortBrand: unique symbol;
/**
 * A port of a bridge, in the 16 bits that Open vSwitch uses in its database: 1 to 65279 (0xfeff) for ports,
 * 65534 for the bridge's own (ovs-fields(7), "Port numbers").
 */
export type OfPort = number & { readonly [ofPortBrand]: true };

const LAST_PORT = 0xfeff;
/** `OFPP_LOCAL` in 16 bits. */
const LOCAL_PORT = 0xfffe;
/** OpenFlow 1.1 and later have the reserved numbers at the end of 32 bits: 0xfffffffe for 0xfffe. */
const RESERVED_OFFSET = 0xffff0000;

/** @returns the port, or `undefined` for what no port can have (-1 in the database: it could not be opened). */
export function toOfPort(value: number): OfPort | undefined {
  const isPort = Number.isInteger(value) && value >= 1 && (value <= LAST_PORT || value === LOCAL_PORT);
  return isPort ? (value as OfPort) : undefined;
}

/** The 32 bits of a message as a port; `undefined` for numbers that Open vSwitch gives to no port. */
export function decodeOfPort(wire: number): OfPort | undefined {
  return toOfPort(wire >= RESERVED_OFFSET ? wire - RESERVED_OFFSET : wire);
}
