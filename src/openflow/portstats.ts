/** Port statistics, one entry per port (OpenFlow 1.3.5 §7.3.5.6). Pure. */
import { toCounter, type Counter } from '../units/counter.ts';
import { decodeDuration } from './duration.ts';
import type { Statistic } from './multipart.ts';
import { decodeOfPort, type OfPort } from './ofport.ts';
import { OPENFLOW_13, sizedEntries, splitEntries } from './wire.ts';

/** Bytes of `ofp_port_stats`; since OpenFlow 1.4 it ends in properties, and others of these counters are there. */
const ENTRY_BYTES = 112;
const ENTRY_BYTES_14 = 80;
/** `OFPP_ANY`. */
const ANY_PORT = 0xffffffff;

/** Counters of a port since it was made; rx is what the switch received. Each `undefined` where the switch has none. */
export interface PortCounters {
  readonly rxPackets: Counter;
  readonly txPackets: Counter;
  readonly rxBytes: Counter;
  readonly txBytes: Counter;
  readonly rxDropped: Counter;
  readonly txDropped: Counter;
  readonly rxErrors: Counter;
  readonly txErrors: Counter;
}

export interface PortStats {
  readonly ofport: OfPort;
  readonly counters: PortCounters;
  /** How long the port has been there; `undefined` where the switch does not say. */
  readonly durationMs: number | undefined;
}

/** An entry for each port. */
export const PORT_STATS: Statistic<PortStats> = {
  what: 'port statistics',
  multipartType: 4,
  request() {
    const body = Buffer.alloc(8);
    body.writeUInt32BE(ANY_PORT, 0);
    return body;
  },
  decode: (body, version) =>
    version === OPENFLOW_13
      ? splitEntries(body, ENTRY_BYTES, 'port statistics').flatMap((entry) => decodeEntry(entry, 0, 8, 104))
      : sizedEntries(body, ENTRY_BYTES_14, 'port statistics').flatMap((entry) =>
          decodeEntry(entry, 4, 16, 8),
        ),
};

/** With the offsets of port number, counters and duration. */
function decodeEntry(entry: Buffer, portAt: number, countersAt: number, durationAt: number): PortStats[] {
  const ofport = decodeOfPort(entry.readUInt32BE(portAt));
  if (ofport === undefined) return [];
  return [
    { ofport, counters: decodeCounters(entry, countersAt), durationMs: decodeDuration(entry, durationAt) },
  ];
}

function decodeCounters(entry: Buffer, at: number): PortCounters {
  const counterAt = (offset: number): Counter => toCounter(entry.readBigUInt64BE(at + offset));
  return {
    rxPackets: counterAt(0),
    txPackets: counterAt(8),
    rxBytes: counterAt(16),
    txBytes: counterAt(24),
    rxDropped: counterAt(32),
    txDropped: counterAt(40),
    rxErrors: counterAt(48),
    txErrors: counterAt(56),
  };
}
