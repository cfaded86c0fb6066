/** Statistics of the tables (OpenFlow 1.3.5 §7.3.5.4). Pure. */
import { toCounter, type Counter } from '../units/counter.ts';
import type { Statistic } from './multipart.ts';
import { splitEntries } from './wire.ts';

/** Bytes of `ofp_table_stats`. */
const ENTRY_BYTES = 24;

export interface TableStats {
  readonly tableId: number;
  readonly rules: number;
  /** Packets that were looked up in it, and those that a rule matched. */
  readonly lookups: Counter;
  readonly matches: Counter;
}

/** An entry for each table. */
export const TABLE_STATS: Statistic<TableStats> = {
  what: 'table statistics',
  multipartType: 3,
  request: () => Buffer.alloc(0),
  decode: (body) =>
    splitEntries(body, ENTRY_BYTES, 'table statistics').map((entry) => ({
      tableId: entry.readUInt8(0),
      rules: entry.readUInt32BE(4),
      lookups: toCounter(entry.readBigUInt64BE(8)),
      matches: toCounter(entry.readBigUInt64BE(16)),
    })),
};
