/** The question for rules with their counters, in every version. Pure. */
import { decodeFlowDescriptions } from './flowdescription.ts';
import {
  decodeFlowStats,
  encodeFlowStatsRequest,
  type FlowStats,
  type FlowStatsRequest,
} from './flowstats.ts';
import type { Statistic } from './multipart.ts';
import { OPENFLOW_15 } from './wire.ts';

/** An entry for each rule that is asked for. */
export function flowStats(request: FlowStatsRequest): Statistic<FlowStats> {
  return {
    what: 'flow statistics',
    multipartType: 1,
    request: () => encodeFlowStatsRequest(request),
    decode: (body, version) =>
      version === OPENFLOW_15 ? decodeFlowDescriptions(body) : decodeFlowStats(body),
  };
}
