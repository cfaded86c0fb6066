/** ERROR: what a peer could not do, and why (OpenFlow 1.3.5 §7.5.4). Pure. */
import { encodeMessage, HEADER_BYTES, MessageType, requireBytes } from './wire.ts';

const HELLO_FAILED = 0;
const HELLO_INCOMPATIBLE = 0;

/** Names of `ofp_error_type`, by number. */
const TYPE_NAMES: readonly string[] = [
  'OFPET_HELLO_FAILED',
  'OFPET_BAD_REQUEST',
  'OFPET_BAD_ACTION',
  'OFPET_BAD_INSTRUCTION',
  'OFPET_BAD_MATCH',
  'OFPET_FLOW_MOD_FAILED',
  'OFPET_GROUP_MOD_FAILED',
  'OFPET_PORT_MOD_FAILED',
  'OFPET_TABLE_MOD_FAILED',
  'OFPET_QUEUE_OP_FAILED',
  'OFPET_SWITCH_CONFIG_FAILED',
  'OFPET_ROLE_REQUEST_FAILED',
  'OFPET_METER_MOD_FAILED',
  'OFPET_TABLE_FEATURES_FAILED',
];

export interface ErrorMessage {
  readonly type: 'error';
  readonly xid: number;
  readonly errorType: number;
  readonly errorCode: number;
  /** Text where the hello failed, else the first bytes of the message that was refused. */
  readonly data: Buffer;
}

/** @throws OPENFLOW_PROTOCOL where type and code are missing. */
export function decodeError(message: Buffer, xid: number): ErrorMessage {
  requireBytes(message, HEADER_BYTES, 4, 'an error message');
  return {
    type: 'error',
    xid,
    errorType: message.readUInt16BE(HEADER_BYTES),
    errorCode: message.readUInt16BE(HEADER_BYTES + 2),
    data: message.subarray(HEADER_BYTES + 4),
  };
}

/** What we say to a peer that speaks no version of ours, before closing (§6.3.1). */
export function encodeIncompatible(xid: number, text: string): Buffer {
  const reason = Buffer.from(text, 'ascii');
  const body = Buffer.alloc(4 + reason.length);
  body.writeUInt16BE(HELLO_FAILED, 0);
  body.writeUInt16BE(HELLO_INCOMPATIBLE, 2);
  body.set(reason, 4);
  return encodeMessage(MessageType.error, xid, body);
}

/** True for the end of version negotiation without a version. */
export function isHelloFailure(error: ErrorMessage): boolean {
  return error.errorType === HELLO_FAILED;
}

/** `OFPET_BAD_REQUEST code 2`, with the text that came along with a failed hello. */
export function renderError(error: ErrorMessage): string {
  const name = TYPE_NAMES[error.errorType] ?? `type ${String(error.errorType)}`;
  const text = isHelloFailure(error) ? `: ${error.data.toString('ascii').replace(/[^\x20-\x7e]/g, '')}` : '';
  return `${name} code ${String(error.errorCode)}${text}`;
}
