/**
 * What a switch tells without being asked. On `<bridge>.mgmt` that is nothing until SET_ASYNC asks for it
 * (ovs-vswitchd(8), OpenFlow 1.3.5 §7.3.10). Pure.
 */
import type { FlowRemoved } from './flowremoved.ts';
import type { PortStatus } from './portstatus.ts';
import { encodeMessage, MessageType } from './wire.ts';

/** What is told unasked: rules that went (those made with OFPFF_SEND_FLOW_REM), and ports. */
export type SwitchEvent = FlowRemoved | PortStatus;

/** A bit for each of the reasons that OpenFlow 1.3 has. */
const EVERY_PORT_REASON = 0b111;
const EVERY_REMOVAL_REASON = 0b1111;

/** Asks for all SwitchEvents, and for no packets. Answered by nothing, or by ERROR. */
export function encodeSetAsync(xid: number): Buffer {
  const body = Buffer.alloc(24);
  // Each mask is there twice: for masters and equals, and for slaves.
  for (const offset of [8, 12]) body.writeUInt32BE(EVERY_PORT_REASON, offset);
  for (const offset of [16, 20]) body.writeUInt32BE(EVERY_REMOVAL_REASON, offset);
  return encodeMessage(MessageType.setAsync, xid, body);
}

/** Asks for an answer once all questions before it are done (§7.3.8). */
export function encodeBarrierRequest(xid: number): Buffer {
  return encodeMessage(MessageType.barrierRequest, xid);
}
