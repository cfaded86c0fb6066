/** Counter samples: what the agent counted at an interface, and its names (sFlow 5, `counters_sample`). Pure. */
import { decodeCompactSource, decodeExpandedSource, sliceRecords, type SflowSource } from './records.ts';

/**
 * Enterprise 0, `counter_data` formats: generic interface counters (the standard), OpenFlow port and port name
 * (sflow.org, "sFlow OpenFlow Structures").
 */
const Format = { interfaceCounters: 1, openflowPort: 1004, portName: 1005 } as const;

/** Counters of IF-MIB; rx is what the switch received. All ones on the wire is not known: `undefined`, never 0. */
export interface SflowInterfaceCounters {
  readonly ifindex: number;
  readonly ifType: number;
  /** Bits per second. */
  readonly ifSpeed: bigint;
  /** 0 unknown, 1 full duplex, 2 half duplex, 3 in, 4 out. */
  readonly ifDirection: number;
  readonly adminUp: boolean;
  readonly operUp: boolean;
  readonly rxBytes: bigint | undefined;
  /** Open vSwitch: all packets, not only unicast. */
  readonly rxUnicastPackets: number | undefined;
  readonly rxMulticastPackets: number | undefined;
  readonly rxBroadcastPackets: number | undefined;
  readonly rxDiscards: number | undefined;
  readonly rxErrors: number | undefined;
  readonly rxUnknownProtocols: number | undefined;
  readonly txBytes: bigint | undefined;
  readonly txUnicastPackets: number | undefined;
  readonly txMulticastPackets: number | undefined;
  readonly txBroadcastPackets: number | undefined;
  readonly txDiscards: number | undefined;
  readonly txErrors: number | undefined;
}

export interface SflowOpenflowPort {
  /** 16 lower-case hex digits. */
  readonly datapathId: string;
  readonly ofport: number;
}

export interface SflowCounterSample extends SflowSource {
  /** Counts the samples of the source. */
  readonly sequence: number;
  readonly counters: SflowInterfaceCounters | undefined;
  readonly openflowPort: SflowOpenflowPort | undefined;
  /** The exporter's text: not fit for a terminal as it is. */
  readonly portName: string | undefined;
  /** Records of kinds that are not known here. */
  readonly skippedRecords: number;
}

const COMPACT_BYTES = 12;
const EXPANDED_BYTES = 16;

/** @returns `undefined` where it, or a record of it, is cut short */
export function decodeCounterSample(view: DataView, expanded: boolean): SflowCounterSample | undefined {
  const fixedBytes = expanded ? EXPANDED_BYTES : COMPACT_BYTES;
  if (view.byteLength < fixedBytes) return undefined;
  const sequence = view.getUint32(0);
  const source = expanded ? decodeExpandedSource(view, 4) : decodeCompactSource(view, 4);
  const records = sliceRecords(view, fixedBytes, view.getUint32(fixedBytes - 4));
  if (records === undefined) return undefined;
  let counters: SflowInterfaceCounters | undefined;
  let openflowPort: SflowOpenflowPort | undefined;
  let portName: string | undefined;
  let skippedRecords = 0;
  for (const { format, body } of records) {
    switch (format) {
      case Format.interfaceCounters:
        if ((counters = decodeInterfaceCounters(body)) === undefined) return undefined;
        break;
      case Format.openflowPort:
        if ((openflowPort = decodeOpenflowPort(body)) === undefined) return undefined;
        break;
      case Format.portName:
        if ((portName = decodeText(body)) === undefined) return undefined;
        break;
      default:
        skippedRecords++;
    }
  }
  return { sequence, ...source, counters, openflowPort, portName, skippedRecords };
}

function decodeInterfaceCounters(body: DataView): SflowInterfaceCounters | undefined {
  if (body.byteLength < 88) return undefined;
  const status = body.getUint32(20);
  return {
    ifindex: body.getUint32(0),
    ifType: body.getUint32(4),
    ifSpeed: body.getBigUint64(8),
    ifDirection: body.getUint32(16),
    adminUp: (status & 1) !== 0,
    operUp: (status & 2) !== 0,
    rxBytes: counter64(body, 24),
    rxUnicastPackets: counter32(body, 32),
    rxMulticastPackets: counter32(body, 36),
    rxBroadcastPackets: counter32(body, 40),
    rxDiscards: counter32(body, 44),
    rxErrors: counter32(body, 48),
    rxUnknownProtocols: counter32(body, 52),
    txBytes: counter64(body, 56),
    txUnicastPackets: counter32(body, 64),
    txMulticastPackets: counter32(body, 68),
    txBroadcastPackets: counter32(body, 72),
    txDiscards: counter32(body, 76),
    txErrors: counter32(body, 80),
  };
}

function counter32(body: DataView, offset: number): number | undefined {
  const count = body.getUint32(offset);
  return count === 0xffff_ffff ? undefined : count;
}

function counter64(body: DataView, offset: number): bigint | undefined {
  const count = body.getBigUint64(offset);
  return count === 0xffff_ffff_ffff_ffffn ? undefined : count;
}

function decodeOpenflowPort(body: DataView): SflowOpenflowPort | undefined {
  if (body.byteLength < 12) return undefined;
  const datapathId = body.getBigUint64(0).toString(16).padStart(16, '0');
  return { datapathId, ofport: body.getUint32(8) };
}

/** An XDR string: its length, its bytes, and zeros up to four. */
function decodeText(body: DataView): string | undefined {
  if (body.byteLength < 4) return undefined;
  const length = body.getUint32(0);
  if (body.byteLength - 4 < length) return undefined;
  return Buffer.from(body.buffer, body.byteOffset + 4, length).toString('utf8');
}
