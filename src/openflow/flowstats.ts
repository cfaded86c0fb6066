/**
 * Flow statistics: rules with their counters, as OpenFlow 1.3 and 1.4 have them (OpenFlow 1.3.5 §7.3.5.2). Pure.
 *
 * A bridge may have 100,000 rules, of which a reader wants a few numbers each, every second. So an entry is a view of
 * the bytes that arrived, and what it holds is read when it is asked for.
 */
import { toCounter, type Counter } from '../units/counter.ts';
import { decodeInstructions, type Instruction } from './instructions.ts';
import { decodeMatch, encodeMatch, measureMatch, readRegister, type Match } from './match.ts';
import { entryBytes, malformed } from './wire.ts';

/** Bytes of `ofp_flow_stats` before its match. */
const FIXED_BYTES = 48;

/** `OFPTT_ALL`, `OFPP_ANY`, `OFPG_ANY`. */
const ALL_TABLES = 0xff;
const ANY = 0xffffffff;

/** Which rules are asked for; without any of these, all. */
export interface FlowStatsRequest {
  /** 0 to 254. */
  readonly tableId?: number;
  /** Rules whose cookie agrees with it in the bits of `cookieMask`. */
  readonly cookie?: bigint;
  /** All ones where there is a cookie and no mask. */
  readonly cookieMask?: bigint;
  /** Rules that match these fields alike, and maybe others besides. */
  readonly match?: Match;
}

/**
 * A rule and its counters. It keeps the message that it came in from being freed, up to 64 KiB: take what is to be kept
 * out of it. `match` and `instructions` are decoded each time; they throw OPENFLOW_PROTOCOL where their bytes are none.
 */
export interface FlowStats {
  readonly tableId: number;
  readonly priority: number;
  readonly cookie: bigint;
  readonly packets: Counter;
  readonly bytes: Counter;
  /** How long the rule has been there. */
  readonly durationMs: number;
  /** Seconds without a packet after which it goes; 0 for never. */
  readonly idleTimeoutS: number;
  /** Seconds after which it goes; 0 for never. */
  readonly hardTimeoutS: number;
  /** `ofp_flow_mod_flags`: 1 is OFPFF_SEND_FLOW_REM. */
  readonly flags: number;
  readonly match: Match;
  readonly instructions: readonly Instruction[];
  /** The value of `reg0` to `reg15` that it matches; `undefined` where it does not match the whole of it. */
  register(number: number): number | undefined;
}

/** The body of a question for statistics of rules, as OFPMP_FLOW and OFPMP_AGGREGATE have it. */
export function encodeFlowStatsRequest(request: FlowStatsRequest): Buffer {
  const { cookie = 0n, cookieMask = request.cookie === undefined ? 0n : 0xffff_ffff_ffff_ffffn } = request;
  const fixed = Buffer.alloc(32);
  fixed.writeUInt8(request.tableId ?? ALL_TABLES, 0);
  fixed.writeUInt32BE(ANY, 4);
  fixed.writeUInt32BE(ANY, 8);
  fixed.writeBigUInt64BE(cookie, 16);
  fixed.writeBigUInt64BE(cookieMask, 24);
  return Buffer.concat([fixed, encodeMatch(request.match ?? [])]);
}

/**
 * The entries of one part of the reply.
 * @throws OPENFLOW_PROTOCOL where an entry, or its match, is cut short.
 */
export function decodeFlowStats(body: Buffer): FlowStats[] {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const flows: FlowStats[] = [];
  for (let offset = 0; offset < body.length;) {
    const lengthBytes = entryBytes(body, offset, body.length, FIXED_BYTES, 'flow statistics');
    const match = measureMatch(body, offset + FIXED_BYTES);
    if (match.end > offset + lengthBytes) throw malformed('a match that is longer than its flow statistics');
    flows.push(new FlowStatsView(body, view, offset, match.fieldsEnd));
    offset += lengthBytes;
  }
  return flows;
}

/** `ofp_flow_stats` at an offset of a message. */
class FlowStatsView implements FlowStats {
  readonly #body: Buffer;
  // Of the same bytes: reading 64 bits by it costs a third of what Buffer takes for them.
  readonly #view: DataView;
  readonly #at: number;
  readonly #fieldsEnd: number;

  constructor(body: Buffer, view: DataView, at: number, fieldsEnd: number) {
    this.#body = body;
    this.#view = view;
    this.#at = at;
    this.#fieldsEnd = fieldsEnd;
  }

  get tableId(): number {
    return this.#view.getUint8(this.#at + 2);
  }

  get durationMs(): number {
    return this.#view.getUint32(this.#at + 4) * 1000 + this.#view.getUint32(this.#at + 8) / 1_000_000;
  }

  get priority(): number {
    return this.#view.getUint16(this.#at + 12);
  }

  get idleTimeoutS(): number {
    return this.#view.getUint16(this.#at + 14);
  }

  get hardTimeoutS(): number {
    return this.#view.getUint16(this.#at + 16);
  }

  get flags(): number {
    return this.#view.getUint16(this.#at + 18);
  }

  get cookie(): bigint {
    return this.#view.getBigUint64(this.#at + 24);
  }

  get packets(): Counter {
    return toCounter(this.#view.getBigUint64(this.#at + 32));
  }

  get bytes(): Counter {
    return toCounter(this.#view.getBigUint64(this.#at + 40));
  }

  get match(): Match {
    return decodeMatch(this.#body, this.#at + FIXED_BYTES);
  }

  get instructions(): readonly Instruction[] {
    const { end } = measureMatch(this.#body, this.#at + FIXED_BYTES);
    return decodeInstructions(this.#body, end, this.#at + this.#view.getUint16(this.#at));
  }

  register(number: number): number | undefined {
    return readRegister(this.#body, this.#at + FIXED_BYTES, this.#fieldsEnd, number);
  }
}
