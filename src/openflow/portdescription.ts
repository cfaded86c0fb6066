/** Port description: number, name and state of every port (OpenFlow 1.3.5 §7.2.1 and §7.3.5.7, 1.4.1 the same). Pure. */
import type { Statistic } from './multipart.ts';
import { decodeOfPort, type OfPort } from './ofport.ts';
import {
  decodeText,
  OPENFLOW_13,
  OPENFLOW_15,
  sizedEntries,
  splitEntries,
  type WireVersion,
} from './wire.ts';

/** Bytes of `ofp_port`; since OpenFlow 1.4 it ends in properties, and has a length where padding was. */
const ENTRY_BYTES = 64;
const ENTRY_BYTES_14 = 40;
const LENGTH_OFFSET_14 = 4;
/** `OFPP_ANY`. */
const ANY_PORT = 0xffffffff;
const NAME_OFFSET = 16;
const NAME_BYTES = 16;
/** `OFPPC_PORT_DOWN` and `OFPPS_LINK_DOWN`. */
const DOWN_BIT = 1;

export interface PortDescription {
  readonly ofport: OfPort;
  /** At most 15 bytes: a longer name in the database is cut here, so match by number. */
  readonly name: string;
  /** Six lower-case hex pairs with colons. */
  readonly mac: string;
  /** False where somebody set the port down. */
  readonly adminUp: boolean;
  /** False where it has no carrier. */
  readonly linkUp: boolean;
}

/** An entry for each port. */
export const PORT_DESCRIPTIONS: Statistic<PortDescription> = {
  what: 'port descriptions',
  multipartType: 13,
  request(version) {
    if (version !== OPENFLOW_15) return Buffer.alloc(0);
    const body = Buffer.alloc(8);
    body.writeUInt32BE(ANY_PORT, 0);
    return body;
  },
  decode: decodePortDescriptions,
};

/**
 * A row of ports.
 * @throws OPENFLOW_PROTOCOL where the last one is cut short.
 */
export function decodePortDescriptions(body: Buffer, version: WireVersion): PortDescription[] {
  const entries =
    version === OPENFLOW_13
      ? splitEntries(body, ENTRY_BYTES, 'port descriptions')
      : sizedEntries(body, ENTRY_BYTES_14, 'port descriptions', LENGTH_OFFSET_14);
  return entries.flatMap((entry) => {
    const ofport = decodeOfPort(entry.readUInt32BE(0));
    return ofport === undefined ? [] : [{ ofport, ...decodeRest(entry) }];
  });
}

function decodeRest(entry: Buffer): Omit<PortDescription, 'ofport'> {
  return {
    name: decodeText(entry, NAME_OFFSET, NAME_BYTES),
    mac: Array.from(entry.subarray(8, 14), (byte) => byte.toString(16).padStart(2, '0')).join(':'),
    adminUp: (entry.readUInt32BE(32) & DOWN_BIT) === 0,
    linkUp: (entry.readUInt32BE(36) & DOWN_BIT) === 0,
  };
}
