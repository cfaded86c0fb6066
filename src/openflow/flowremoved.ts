/** FLOW_REMOVED: a rule has gone, with its last counts (OpenFlow 1.3.5 §7.4.2). Pure. */
import { toCounter, type Counter } from '../units/counter.ts';
import { decodeDuration } from './duration.ts';
import { decodeMatch, measureMatch, readRegister, type Match } from './match.ts';
import { decodeRuleCounters } from './oxs.ts';
import { HEADER_BYTES, OPENFLOW_15, requireBytes, type WireVersion } from './wire.ts';

/** Bytes of `ofp_flow_removed` between header and match. */
const FIXED_BYTES = 40;
const FIXED_BYTES_15 = 16;

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
   * The last counts. Those of a rule that was idle are whole, where its timeout is longer than datapath flows stay
   * without packets (`other_config:max-idle`, 10 s). Of one that somebody deleted, or that was too old, packets of the
   * last half second may be missing: Open vSwitch brings counts from the datapath to a rule at that pace.
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
export function decodeFlowRemoved(message: Buffer, xid: number, version: WireVersion): FlowRemoved {
  const what = 'a flow-removed message';
  const body = message.subarray(HEADER_BYTES);
  const matchAt = version === OPENFLOW_15 ? FIXED_BYTES_15 : FIXED_BYTES;
  requireBytes(body, 0, matchAt, what);
  const { fieldsEnd, end } = measureMatch(body, matchAt);
  return {
    type: 'flow-removed',
    xid,
    ...(version === OPENFLOW_15 ? decodeFixed15(body, end) : decodeFixed(body)),
    match: decodeMatch(body, matchAt),
    register: (number) => readRegister(body, matchAt, fieldsEnd, number),
  };
}

type Fixed = Omit<FlowRemoved, 'type' | 'xid' | 'match' | 'register'>;

function decodeFixed(body: Buffer): Fixed {
  return {
    cookie: body.readBigUInt64BE(0),
    priority: body.readUInt16BE(8),
    reason: REASONS[body.readUInt8(10)] ?? 'other',
    tableId: body.readUInt8(11),
    durationMs: decodeDuration(body, 12) ?? 0,
    idleTimeoutS: body.readUInt16BE(20),
    hardTimeoutS: body.readUInt16BE(22),
    packets: toCounter(body.readBigUInt64BE(24)),
    bytes: toCounter(body.readBigUInt64BE(32)),
  };
}

/** OpenFlow 1.5.1 §7.4.2: the counters are behind the match. */
function decodeFixed15(body: Buffer, countersAt: number): Fixed {
  const { packets, bytes, durationMs } = decodeRuleCounters(body, countersAt, body.length);
  return {
    tableId: body.readUInt8(0),
    reason: REASONS[body.readUInt8(1)] ?? 'other',
    priority: body.readUInt16BE(2),
    idleTimeoutS: body.readUInt16BE(4),
    hardTimeoutS: body.readUInt16BE(6),
    cookie: body.readBigUInt64BE(8),
    packets,
    bytes,
    durationMs,
  };
}
