/** PORT_STATUS: a port came, went or changed (OpenFlow 1.3.5 §7.4.3). Pure. */
import { decodePortDescriptions, type PortDescription } from './portdescription.ts';
import { HEADER_BYTES, malformed, requireBytes, type WireVersion } from './wire.ts';

/** `ofp_port_reason`, by number. */
const REASONS = ['add', 'delete', 'modify'] as const;
/** Bytes of reason and padding, before the port. */
const REASON_BYTES = 8;

export interface PortStatus {
  readonly type: 'port-status';
  readonly xid: number;
  readonly reason: (typeof REASONS)[number];
  /** As it is now, or was when it went; `undefined` for a port whose number no port of Open vSwitch has. */
  readonly port: PortDescription | undefined;
}

/** @throws OPENFLOW_PROTOCOL where it is cut short, or its reason is unknown. */
export function decodePortStatus(message: Buffer, xid: number, version: WireVersion): PortStatus {
  requireBytes(message, HEADER_BYTES, REASON_BYTES, 'a port-status message');
  const number = message.readUInt8(HEADER_BYTES);
  const reason = REASONS[number];
  if (reason === undefined) throw malformed(`a port-status message of reason ${String(number)}`);
  const [port] = decodePortDescriptions(message.subarray(HEADER_BYTES + REASON_BYTES), version);
  return { type: 'port-status', xid, reason, port };
}
