/** Statistics of queues (OpenFlow 1.3.5 §7.3.5.8; OpenFlow 1.4.1 §7.3.5.8 has them with properties). Pure. */
import { toCounter, type Counter } from '../units/counter.ts';
import { decodeDuration } from './duration.ts';
import type { Statistic } from './multipart.ts';
import { decodeOfPort, type OfPort } from './ofport.ts';
import { OPENFLOW_13, sizedEntries, splitEntries } from './wire.ts';

/** Bytes of `ofp_queue_stats`; since OpenFlow 1.4 with a length and its padding before. */
const ENTRY_BYTES = 40;
const ENTRY_BYTES_14 = 48;
/** `OFPP_ANY` and `OFPQ_ALL`. */
const ALL = 0xffffffff;

export interface QueueStats {
  readonly ofport: OfPort;
  readonly queue: number;
  readonly txBytes: Counter;
  readonly txPackets: Counter;
  /** Packets that were dropped since the queue was full. */
  readonly txErrors: Counter;
  /** How long the queue has been there; `undefined` where the switch does not say. */
  readonly durationMs: number | undefined;
}

/** An entry for each queue of each port. */
export const QUEUE_STATS: Statistic<QueueStats> = {
  what: 'queue statistics',
  multipartType: 5,
  request() {
    const body = Buffer.alloc(8);
    body.writeUInt32BE(ALL, 0);
    body.writeUInt32BE(ALL, 4);
    return body;
  },
  decode: (body, version) =>
    version === OPENFLOW_13
      ? splitEntries(body, ENTRY_BYTES, 'queue statistics').flatMap((entry) => decodeEntry(entry, 0, 32))
      : sizedEntries(body, ENTRY_BYTES_14, 'queue statistics').flatMap((entry) => decodeEntry(entry, 8, 40)),
};

function decodeEntry(entry: Buffer, at: number, durationAt: number): QueueStats[] {
  const ofport = decodeOfPort(entry.readUInt32BE(at));
  if (ofport === undefined) return [];
  return [
    {
      ofport,
      queue: entry.readUInt32BE(at + 4),
      txBytes: toCounter(entry.readBigUInt64BE(at + 8)),
      txPackets: toCounter(entry.readBigUInt64BE(at + 16)),
      txErrors: toCounter(entry.readBigUInt64BE(at + 24)),
      durationMs: decodeDuration(entry, durationAt),
    },
  ];
}
