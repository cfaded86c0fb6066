/** FLOW_REMOVED: a rule has gone, with its last counts (OpenFlow 1.3.5 §7.4.2). Pure. */
import { toCounter, type Counter } from '../units/counter.ts';
import { decodeMatch, measureMatch, readRegister, type Match } from './match.ts';
import { HEADER_BYTES, requireBytes } from './wire.ts';

/** Bytes of `ofp_flow_removed` between header and match. */
const FIXED_BYTES = 40;

/** `ofp_flow_removed_reason`, by number; the last two since OpenFlow 1.4. */
const REASONS = ['idle', 'hard', 'delete', 'group-delete', 'meter-delete', 'eviction'] as const;

/** Only rules that were made with OFPFF_SEND_FLOW_REM are told of. */
export interface FlowRemoved {
  readonly type: 'flow-removed';
  readonly xid: number;
  /** A timeout, somebody's deletion, that of a group or meter it used, or a full table; `other` for a number beyond. */
  readonly reason: (typeof REASONS)[number] | 'other';
  readonly tableId: number;
  readonly priority: number;
  readonly cookie: bigint;
  /**
   * The last counts. Those of a rule that was idle are whole. Of one that somebody deleted, packets of the last half
   * second may be missing: Open vSwitch brings counts from the datapath to a rule at that pace.
   */
  readonly packets: Counter;
  readonly bytes: Counter;
  /** How long the rule was there. */
  readonly durationMs: number;
  /** Seconds; 0 for never. */
  readonly idleTimeoutS: number;
  readonly hardTimeoutS: number;
  readonly match: Match;
  /** The value of `reg0` to `reg15` that it matched; `undefined` where it did not match the whole of it. */
  register(number: number): number | undefined;
}

/** @throws OPENFLOW_PROTOCOL where the message, or its match, is cut short. */
export function decodeFlowRemoved(message: Buffer, xid: number): FlowRemoved {
  requireBytes(message, HEADER_BYTES, FIXED_BYTES, 'a flow-removed message');
  const body = message.subarray(HEADER_BYTES);
  const { fieldsEnd } = measureMatch(body, FIXED_BYTES);
  const match = decodeMatch(body, FIXED_BYTES);
  return {
    type: 'flow-removed',
    xid,
    cookie: body.readBigUInt64BE(0),
    priority: body.readUInt16BE(8),
    reason: REASONS[body.readUInt8(10)] ?? 'other',
    tableId: body.readUInt8(11),
    durationMs: body.readUInt32BE(12) * 1000 + body.readUInt32BE(16) / 1_000_000,
    idleTimeoutS: body.readUInt16BE(20),
    hardTimeoutS: body.readUInt16BE(22),
    packets: toCounter(body.readBigUInt64BE(24)),
    bytes: toCounter(body.readBigUInt64BE(32)),
    match,
    register: (number) => readRegister(body, FIXED_BYTES, fieldsEnd, number),
  };
}
