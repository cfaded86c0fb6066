/**
 * What a switch tells without being asked. On `<bridge>.mgmt` that is nothing until SET_ASYNC asks for it
 * (OpenFlow 1.3.5 §7.3.10, 1.4.1 §7.3.10). Pure.
 */
import type { FlowRemoved } from './flowremoved.ts';
import type { PortStatus } from './portstatus.ts';
import { encodeMessage, MessageType, OPENFLOW_13, type WireVersion } from './wire.ts';

/** What is told unasked: rules that went (those made with OFPFF_SEND_FLOW_REM), and ports. */
export type SwitchEvent = FlowRemoved | PortStatus;

/** A bit for each reason; the last two for rules since OpenFlow 1.4. */
const PORT_REASONS = 0b111;
const REMOVAL_REASONS = 0b1111;
const REMOVAL_REASONS_14 = 0b11_1111;
/** `ofp_async_config_prop_type` of OpenFlow 1.4. */
const PACKET_IN = 0;
const PORT_STATUS = 2;
const FLOW_REMOVED = 4;

/** Asks for all SwitchEvents, and for no packets. Answered by nothing, or by ERROR. */
export function encodeSetAsync(xid: number, version: WireVersion): Buffer {
  const masks =
    version === OPENFLOW_13
      ? [0, PORT_REASONS, REMOVAL_REASONS].flatMap(toWords)
      : [
          ...toProperties(PACKET_IN, 0),
          ...toProperties(PORT_STATUS, PORT_REASONS),
          ...toProperties(FLOW_REMOVED, REMOVAL_REASONS_14),
        ];
  const body = Buffer.alloc(masks.length * 4);
  masks.forEach((word, index) => body.writeUInt32BE(word, index * 4));
  return encodeMessage(MessageType.setAsync, xid, body, version);
}

/** Asks for an answer once all questions before it are done (§7.3.8). */
export function encodeBarrierRequest(xid: number, version: WireVersion): Buffer {
  return encodeMessage(MessageType.barrierRequest, xid, undefined, version);
}

/** Each mask is there twice: for masters and equals, and for slaves. */
function toWords(mask: number): number[] {
  return [mask, mask];
}

/** Since OpenFlow 1.4 each is a property of 8 bytes (type, length, mask), that for slaves first. */
function toProperties(type: number, mask: number): number[] {
  return [type, type + 1].flatMap((property) => [property * 0x10000 + 8, mask]);
}
