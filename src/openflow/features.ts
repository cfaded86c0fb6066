/** FEATURES: which datapath this is (OpenFlow 1.3.5 §7.3.1). Pure. */
import { encodeMessage, HEADER_BYTES, MessageType, requireBytes, type WireVersion } from './wire.ts';

export interface FeaturesReply {
  readonly type: 'features-reply';
  readonly xid: number;
  /** 16 hex digits, as `Bridge.datapath_id` has it. */
  readonly datapathId: string;
  readonly tables: number;
}

/** Asks for the features. */
export function encodeFeaturesRequest(xid: number, version: WireVersion): Buffer {
  return encodeMessage(MessageType.featuresRequest, xid, undefined, version);
}

/** @throws OPENFLOW_PROTOCOL where the reply is cut short. */
export function decodeFeaturesReply(message: Buffer, xid: number): FeaturesReply {
  requireBytes(message, HEADER_BYTES, 24, 'a features reply');
  return {
    type: 'features-reply',
    xid,
    datapathId: message.readBigUInt64BE(HEADER_BYTES).toString(16).padStart(16, '0'),
    tables: message.readUInt8(HEADER_BYTES + 12),
  };
}
