/** Port description: number, name and state of every port (OpenFlow 1.3.5 §7.2.1 and §7.3.5.7). Pure. */
import { decodeOfPort, type OfPort } from './ofport.ts';
import { splitEntries } from './wire.ts';

/** Bytes of `ofp_port`. */
const ENTRY_BYTES = 64;
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

/**
 * The entries of one part of the reply.
 * @throws OPENFLOW_PROTOCOL where the last entry is cut short.
 */
export function decodePortDescriptions(body: Buffer): PortDescription[] {
  return splitEntries(body, ENTRY_BYTES, 'port descriptions').flatMap((entry) => {
    const ofport = decodeOfPort(entry.readUInt32BE(0));
    return ofport === undefined ? [] : [{ ofport, ...decodeRest(entry) }];
  });
}

function decodeRest(entry: Buffer): Omit<PortDescription, 'ofport'> {
  const name = entry.subarray(NAME_OFFSET, NAME_OFFSET + NAME_BYTES);
  const end = name.indexOf(0);
  return {
    name: name.toString('utf8', 0, end < 0 ? NAME_BYTES : end),
    mac: Array.from(entry.subarray(8, 14), (byte) => byte.toString(16).padStart(2, '0')).join(':'),
    adminUp: (entry.readUInt32BE(32) & DOWN_BIT) === 0,
    linkUp: (entry.readUInt32BE(36) & DOWN_BIT) === 0,
  };
}
