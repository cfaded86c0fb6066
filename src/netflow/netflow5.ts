/**
 * NetFlow version 5: one datagram out of its bytes (Cisco, "NetFlow Export Datagram Formats", tables B-3 and B-4).
 * Where datagrams come from, and which VM an address is, is left to the caller. Pure.
 */
import { ipv4FromBytes } from '../units/addressbytes.ts';

const VERSION = 5;
const HEADER_BYTES = 24;
const RECORD_BYTES = 48;
const NS_PER_MS = 1_000_000;

/** One IPv4 flow: what was counted since the record before of the same flow. */
export interface Netflow5Record {
  readonly sourceAddress: string;
  readonly destinationAddress: string;
  readonly nextHop: string;
  /**
   * Where packets came in. Open vSwitch: the OpenFlow port; with `add_id_to_interface` only its low 9 bits, below 7 bits
   * of the engine's id (ovs-vswitchd.conf.db(5), table NetFlow).
   */
  readonly inputInterface: number;
  /** The same for the way out; Open vSwitch: 65535 flooded, 65534 several ports (or LOCAL), 65533 dropped. */
  readonly outputInterface: number;
  readonly packets: number;
  /** Open vSwitch: of whole Ethernet frames; others: from the IP header on. */
  readonly bytes: number;
  /** First and last packet, in milliseconds since 1970 by the exporter's clock. */
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly sourcePort: number;
  /** ICMP has type × 256 + code here. */
  readonly destinationPort: number;
  /** IP protocol, for example 6, TCP. */
  readonly protocol: number;
  /** Of all packets, or'd. */
  readonly tcpFlags: number;
  readonly tos: number;
  readonly sourceAs: number;
  readonly destinationAs: number;
  readonly sourceMask: number;
  readonly destinationMask: number;
}

export interface Netflow5Datagram {
  /** Milliseconds since the exporter started, modulo 2^32. */
  readonly uptimeMs: number;
  /** Milliseconds since 1970 by the exporter's clock. */
  readonly exportedAtMs: number;
  /**
   * Modulo 2^32: how many records the exporter sent before. Cisco counts up to this datagram's first record, so what was
   * lost since the datagram before it is the difference of both less the number of records in the earlier. Open vSwitch
   * counts up to this datagram's last record: less the number in the later.
   */
  readonly sequence: number;
  readonly engineType: number;
  readonly engineId: number;
  /** 0: not sampled, as Open vSwitch; 1: one packet in `samplingInterval`. */
  readonly samplingMode: number;
  readonly samplingInterval: number;
  readonly records: readonly Netflow5Record[];
}

export type Netflow5Result =
  | { readonly outcome: 'decoded'; readonly datagram: Netflow5Datagram }
  /** Not NetFlow 5, or not of the length that its count of records says: nothing of it is used. */
  | { readonly outcome: 'malformed'; readonly why: string };

/** Reads one datagram. Never throws, whatever the bytes. */
export function decodeNetflow5(datagram: Uint8Array): Netflow5Result {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  const why = findFault(view);
  return why === undefined
    ? { outcome: 'decoded', datagram: decodeDatagram(view) }
    : { outcome: 'malformed', why };
}

function findFault(view: DataView): string | undefined {
  const bytes = view.byteLength;
  if (bytes < HEADER_BYTES) return `${String(bytes)} bytes, fewer than a header has`;
  const version = view.getUint16(0);
  if (version !== VERSION) return `version ${String(version)}, not ${String(VERSION)}`;
  const count = view.getUint16(2);
  const expected = HEADER_BYTES + count * RECORD_BYTES;
  // Longer is wrong too: then the count is, and the sum of what it was about.
  return bytes === expected ? undefined : `${String(bytes)} bytes with ${String(count)} records`;
}

function decodeDatagram(view: DataView): Netflow5Datagram {
  const uptimeMs = view.getUint32(4);
  const exportedAtMs = view.getUint32(8) * 1000 + Math.trunc(view.getUint32(12) / NS_PER_MS);
  const sampling = view.getUint16(22);
  const records: Netflow5Record[] = [];
  for (let offset = HEADER_BYTES; offset < view.byteLength; offset += RECORD_BYTES) {
    records.push(decodeRecord(view, offset, uptimeMs, exportedAtMs));
  }
  return {
    uptimeMs,
    exportedAtMs,
    sequence: view.getUint32(16),
    engineType: view.getUint8(20),
    engineId: view.getUint8(21),
    samplingMode: sampling >>> 14,
    samplingInterval: sampling & 0x3fff,
    records,
  };
}

function decodeRecord(view: DataView, at: number, uptimeMs: number, exportedAtMs: number): Netflow5Record {
  return {
    sourceAddress: ipv4FromBytes(view, at),
    destinationAddress: ipv4FromBytes(view, at + 4),
    nextHop: ipv4FromBytes(view, at + 8),
    inputInterface: view.getUint16(at + 12),
    outputInterface: view.getUint16(at + 14),
    packets: view.getUint32(at + 16),
    bytes: view.getUint32(at + 20),
    startedAtMs: exportedAtMs - elapsedMs(uptimeMs, view.getUint32(at + 24)),
    endedAtMs: exportedAtMs - elapsedMs(uptimeMs, view.getUint32(at + 28)),
    sourcePort: view.getUint16(at + 32),
    destinationPort: view.getUint16(at + 34),
    tcpFlags: view.getUint8(at + 37),
    protocol: view.getUint8(at + 38),
    tos: view.getUint8(at + 39),
    sourceAs: view.getUint16(at + 40),
    destinationAs: view.getUint16(at + 42),
    sourceMask: view.getUint8(at + 44),
    destinationMask: view.getUint8(at + 45),
  };
}

/** Uptime wraps after 49.7 days, and a record may be a little younger than its header: so a signed 32-bit difference. */
function elapsedMs(uptimeMs: number, thenMs: number): number {
  return (uptimeMs - thenMs) | 0;
}
