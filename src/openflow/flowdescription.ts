/** Flow statistics as OpenFlow 1.5 has them: descriptions of rules, with counters behind the match (1.5.1 §7.3.5.2). Pure. */
import type { FlowStats } from './flowstats.ts';
import { decodeInstructions } from './instructions.ts';
import { decodeMatch, measureMatch, readRegister } from './match.ts';
import { decodeRuleCounters } from './oxs.ts';
import { sizedEntries } from './wire.ts';

/** Bytes of `ofp_flow_desc` before its match. */
const FIXED_BYTES = 24;

/**
 * The entries of one part of the reply.
 * @throws OPENFLOW_PROTOCOL where an entry, its match or its counters are cut short.
 */
export function decodeFlowDescriptions(body: Buffer): FlowStats[] {
  return sizedEntries(body, FIXED_BYTES, 'flow descriptions').map(decodeEntry);
}

function decodeEntry(entry: Buffer): FlowStats {
  const { fieldsEnd, end: matchEnd } = measureMatch(entry, FIXED_BYTES);
  const { packets, bytes, durationMs, end } = decodeRuleCounters(entry, matchEnd, entry.length);
  return {
    tableId: entry.readUInt8(4),
    priority: entry.readUInt16BE(6),
    idleTimeoutS: entry.readUInt16BE(8),
    hardTimeoutS: entry.readUInt16BE(10),
    flags: entry.readUInt16BE(12),
    cookie: entry.readBigUInt64BE(16),
    packets,
    bytes,
    durationMs,
    get match() {
      return decodeMatch(entry, FIXED_BYTES);
    },
    get instructions() {
      return decodeInstructions(entry, end, entry.length);
    },
    register: (number) => readRegister(entry, FIXED_BYTES, fieldsEnd, number),
  };
}
