/**
 * One OpenFlow message out of its bytes (OpenFlow 1.3.5 §7). Each message has its own file; this one only knows
 * which. Cutting the stream into messages is framing.ts's, questions and answers are connection.ts's. Pure.
 */
import type { SwitchEvent } from './asyncconfig.ts';
import { decodeError, type ErrorMessage } from './error.ts';
import { decodeFeaturesReply, type FeaturesReply } from './features.ts';
import { decodeFlowRemoved } from './flowremoved.ts';
import { decodeHello, type Hello } from './hello.ts';
import { decodeMultipartReply, type MultipartReply } from './multipart.ts';
import { decodePortStatus } from './portstatus.ts';
import {
  decodeHeader,
  encodeMessage,
  HEADER_BYTES,
  malformed,
  MessageType,
  type WireVersion,
} from './wire.ts';

/** A question whether the peer is there, or the answer, with the bytes that go back unchanged (§7.5.2, §7.5.3). */
export interface Echo {
  readonly type: 'echo-request' | 'echo-reply';
  readonly xid: number;
  readonly payload: Buffer;
}

/** Everything before it is done (§7.3.8). */
interface BarrierReply {
  readonly type: 'barrier-reply';
  readonly xid: number;
}

/** What this client has no use for, for example PACKET_IN. */
interface OtherMessage {
  readonly type: 'other';
  readonly xid: number;
  readonly messageType: number;
}

/** Everything that a switch may send. */
export type Message =
  Hello | ErrorMessage | Echo | FeaturesReply | MultipartReply | BarrierReply | SwitchEvent | OtherMessage;

/**
 * Reads one whole message.
 * @throws OPENFLOW_PROTOCOL where its bytes are not what its type asks for, or its version is not the one that was
 * agreed on (but HELLO and ERROR, which belong to the choice of a version).
 */
export function decodeMessage(bytes: Buffer, agreed: WireVersion): Message {
  const { version, type, lengthBytes, xid } = decodeHeader(bytes);
  if (bytes.length !== lengthBytes) {
    throw malformed(`a message of ${String(bytes.length)} bytes that says ${String(lengthBytes)}`);
  }
  if (type === MessageType.hello) return decodeHello(bytes, version, xid);
  if (type === MessageType.error) return decodeError(bytes, xid);
  if (version !== agreed) throw malformed(`a message of wire version ${String(version)}`);
  switch (type) {
    case MessageType.echoRequest:
      return { type: 'echo-request', xid, payload: bytes.subarray(HEADER_BYTES) };
    case MessageType.echoReply:
      return { type: 'echo-reply', xid, payload: bytes.subarray(HEADER_BYTES) };
    case MessageType.featuresReply:
      return decodeFeaturesReply(bytes, xid);
    case MessageType.multipartReply:
      return decodeMultipartReply(bytes, xid);
    case MessageType.flowRemoved:
      return decodeFlowRemoved(bytes, xid, agreed);
    case MessageType.portStatus:
      return decodePortStatus(bytes, xid, agreed);
    case MessageType.barrierReply:
      return { type: 'barrier-reply', xid };
    default:
      return { type: 'other', xid, messageType: type };
  }
}

/** The answer to an echo request: the same bytes, the same xid. */
export function encodeEchoReply(request: Echo, version: WireVersion): Buffer {
  return encodeMessage(MessageType.echoReply, request.xid, request.payload, version);
}
