/** Sums over rules (OpenFlow 1.3.5 §7.3.5.3). Pure. */
import { toCounter, type Counter } from '../units/counter.ts';
import { encodeFlowStatsRequest, type FlowStatsRequest } from './flowstats.ts';
import type { Statistic } from './multipart.ts';
import { decodeRuleCounters } from './oxs.ts';
import { OPENFLOW_15, splitEntries } from './wire.ts';

/** Bytes of `ofp_aggregate_stats_reply`. */
const REPLY_BYTES = 24;

/** What all rules that were asked for counted together. */
export interface AggregateStats {
  readonly packets: Counter;
  readonly bytes: Counter;
  readonly rules: number;
}

/** One entry. */
export function aggregateStats(request: FlowStatsRequest): Statistic<AggregateStats> {
  return {
    what: 'aggregate statistics',
    multipartType: 2,
    request: () => encodeFlowStatsRequest(request),
    decode: (body, version) => (version === OPENFLOW_15 ? [decode15(body)] : decode(body)),
  };
}

function decode(body: Buffer): AggregateStats[] {
  return splitEntries(body, REPLY_BYTES, 'aggregate statistics').map((entry) => ({
    packets: toCounter(entry.readBigUInt64BE(0)),
    bytes: toCounter(entry.readBigUInt64BE(8)),
    rules: entry.readUInt32BE(16),
  }));
}

/** OpenFlow 1.5.1 §7.3.5.4. */
function decode15(body: Buffer): AggregateStats {
  const { packets, bytes, rules } = decodeRuleCounters(body, 0, body.length);
  return { packets, bytes, rules };
}
