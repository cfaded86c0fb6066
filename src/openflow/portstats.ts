/** Port statistics, one entry per port (OpenFlow 1.3.5 §7.3.5.6). Pure. */
import { toCounter, type Counter } from '../units/counter.ts';
import { decodeOfPort, type OfPort } from './ofport.ts';
import { splitEntries } from './wire.ts';

/** Bytes of `ofp_port_stats`. */
const ENTRY_BYTES = 112;
/** Nanoseconds of an unknown duration are all ones; a known one is below a second. */
const NS_PER_S = 1_000_000_000;

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

/**
 * The entries of one part of the reply.
 * @throws OPENFLOW_PROTOCOL where the last entry is cut short.
 */
export function decodePortStats(body: Buffer): PortStats[] {
  return splitEntries(body, ENTRY_BYTES, 'port statistics').flatMap((entry) => {
    const ofport = decodeOfPort(entry.readUInt32BE(0));
    return ofport === undefined
      ? []
      : [{ ofport, counters: decodeCounters(entry), durationMs: durationOf(entry) }];
  });
}

function decodeCounters(entry: Buffer): PortCounters {
  const counterAt = (offset: number): Counter => toCounter(entry.readBigUInt64BE(offset));
  return {
    rxPackets: counterAt(8),
    txPackets: counterAt(16),
    rxBytes: counterAt(24),
    txBytes: counterAt(32),
    rxDropped: counterAt(40),
    txDropped: counterAt(48),
    rxErrors: counterAt(56),
    txErrors: counterAt(64),
  };
}

function durationOf(entry: Buffer): number | undefined {
  const seconds = entry.readUInt32BE(104);
  const nanoseconds = entry.readUInt32BE(108);
  return nanoseconds < NS_PER_S ? seconds * 1000 + nanoseconds / 1_000_000 : undefined;
}
