/**
 * NetFlow 5, IPFIX and sFlow 5 as Open vSwitch sends them, brought to one shape: who sent how much to which address. How the
 * bytes are read is left to the rooms of the formats, whose ports they are to conversationsends.ts. No I/O, no clock.
 */
import { IpfixDecoder } from '../../ipfix/decoder.ts';
import type { IpfixRecord } from '../../ipfix/record.ts';
import { decodeNetflow5, type Netflow5Record } from '../../netflow/netflow5.ts';
import { decodeSflow } from '../../sflow/datagram.ts';
import type { SflowFlowSample, SflowInterface } from '../../sflow/flowsample.ts';

/** What it is sent by; the names are those of the Bridge's columns. */
export type ExportFormat = 'netflow' | 'ipfix' | 'sflow';

/** Where a packet came in or went out, as far as the format says. */
export type Place =
  | { readonly at: 'ofport'; readonly ofport: number }
  | { readonly at: 'device'; readonly name: string }
  | { readonly at: 'ifindex'; readonly ifindex: number }
  /** To every port of its VLAN. */
  | { readonly at: 'flooded' }
  /** To none. */
  | { readonly at: 'dropped' }
  | { readonly at: 'unknown' };

/** IP packets of one conversation in one direction, since the report before. */
export interface FlowReport {
  readonly input: Place;
  readonly output: Place;
  readonly destinationMac: string | undefined;
  /** IANA's number. */
  readonly protocol: number;
  readonly source: string;
  readonly destination: string;
  /** `undefined` where the protocol has none. ICMP: type and code, as in OpenFlow (`tp_src`, `tp_dst`). */
  readonly sourcePort: number | undefined;
  readonly destinationPort: number | undefined;
  /** Multiplied up where it was sampled. */
  readonly packets: number;
  /** Of whole Ethernet frames, without preamble and checksum. */
  readonly bytes: number;
  /** First and last packet, in milliseconds since 1970; `undefined` where the format does not say. */
  readonly startedAtMs: number | undefined;
  readonly endedAtMs: number | undefined;
}

export type ReadExport =
  | {
      readonly outcome: 'read';
      readonly reports: readonly FlowReport[];
      /** The number, modulo 2^32, that this datagram should have begun with, and the one that the next begins with. */
      readonly first: number;
      readonly next: number;
      /** What could not be read of a datagram that is well-formed: data before its template. */
      readonly lost: number;
    }
  /** Nothing of it is used: it is not what its format says, or of another exporter. */
  | { readonly outcome: 'malformed' | 'foreign' };

/** Reads the datagrams of one exporter, in order. */
export type ExportReader = (datagram: Uint8Array) => ReadExport;

/** @param domain what the exporter was told to call itself; sFlow has no place for it */
export function exportReader(format: ExportFormat, domain: number): ExportReader {
  switch (format) {
    case 'netflow':
      return (datagram) => readNetflow(datagram, domain);
    case 'ipfix': {
      const decoder = new IpfixDecoder();
      return (datagram) => readIpfix(decoder, datagram, domain);
    }
    case 'sflow':
      return readSflow;
  }
}

function readNetflow(bytes: Uint8Array, domain: number): ReadExport {
  const result = decodeNetflow5(bytes);
  if (result.outcome === 'malformed') return { outcome: 'malformed' };
  const { engineType, engineId, records, sequence } = result.datagram;
  if (engineType * 256 + engineId !== domain) return { outcome: 'foreign' };
  return {
    outcome: 'read',
    reports: records.map(fromNetflow),
    // Open vSwitch has the number of the datagram's last record there.
    first: (sequence - records.length + 1) >>> 0,
    next: (sequence + 1) >>> 0,
    lost: 0,
  };
}

/** Open vSwitch's `enum netflow_output_ports` (ofproto/netflow.h). */
const NETFLOW_FLOODED = 65_535;
const NETFLOW_DROPPED = 65_533;

function fromNetflow(record: Netflow5Record): FlowReport {
  const { protocol, sourcePort, destinationPort, outputInterface } = record;
  return {
    input: { at: 'ofport', ofport: record.inputInterface },
    output:
      outputInterface === NETFLOW_FLOODED
        ? { at: 'flooded' }
        : outputInterface === NETFLOW_DROPPED
          ? { at: 'dropped' }
          : { at: 'ofport', ofport: outputInterface },
    destinationMac: undefined,
    source: record.sourceAddress,
    destination: record.destinationAddress,
    ...(protocol === ICMP
      ? toPorts(protocol, destinationPort >>> 8, destinationPort & 0xff)
      : toPorts(protocol, sourcePort, destinationPort)),
    packets: record.packets,
    bytes: record.bytes,
    startedAtMs: record.startedAtMs,
    endedAtMs: record.endedAtMs,
  };
}

function readIpfix(decoder: IpfixDecoder, bytes: Uint8Array, domain: number): ReadExport {
  const result = decoder.decode(bytes, 'the only one');
  if (result.outcome === 'malformed') return { outcome: 'malformed' };
  const { observationDomain, options, records, sequence, setsWithoutTemplate } = result.message;
  // Open vSwitch tells of itself in domain 0.
  if (observationDomain !== domain && observationDomain !== 0) return { outcome: 'foreign' };
  return {
    outcome: 'read',
    reports: records.flatMap(fromIpfix),
    first: sequence,
    next: (sequence + records.length + options.length + setsWithoutTemplate) >>> 0,
    lost: setsWithoutTemplate,
  };
}

/** IPFIX element 61. */
const EGRESS = 1;

/** Nothing where it is no IP packet, or is told of where it goes out: it was told of where it came in. */
function fromIpfix({ values, startedAtMs, endedAtMs }: IpfixRecord): FlowReport[] {
  const source = values.sourceIPv4Address ?? values.sourceIPv6Address;
  const destination = values.destinationIPv4Address ?? values.destinationIPv6Address;
  const protocol = values.protocolIdentifier;
  if (source === undefined || destination === undefined || protocol === undefined) return [];
  if (values.flowDirection === EGRESS) return [];
  const sourcePort = values.sourceTransportPort ?? values.icmpTypeIPv4 ?? values.icmpTypeIPv6;
  const destinationPort = values.destinationTransportPort ?? values.icmpCodeIPv4 ?? values.icmpCodeIPv6;
  const name = values.ingressInterfaceName;
  return [
    {
      input: name === undefined ? { at: 'unknown' } : { at: 'device', name },
      // It is counted where it comes in, and there nobody knows yet where it goes.
      output: { at: 'unknown' },
      destinationMac: values.destinationMacAddress,
      source,
      destination,
      ...toPorts(protocol, sourcePort, destinationPort),
      // Open vSwitch has multiplied them up itself.
      packets: Number(values.packetDeltaCount ?? 0n),
      bytes: Number(values.layer2OctetDeltaCount ?? 0n),
      startedAtMs,
      endedAtMs,
    },
  ];
}

function readSflow(bytes: Uint8Array): ReadExport {
  const result = decodeSflow(bytes);
  if (result.outcome === 'malformed') return { outcome: 'malformed' };
  const { flowSamples, sequence } = result.datagram;
  return {
    outcome: 'read',
    reports: flowSamples.flatMap(fromSflow),
    first: sequence,
    next: (sequence + 1) >>> 0,
    lost: 0,
  };
}

/** Nothing where it is no IP packet. */
function fromSflow({ packet, input, output, samplingRate }: SflowFlowSample): FlowReport[] {
  const ip = packet?.headers.ip;
  if (!packet || !ip) return [];
  const { ethernet, transport } = packet.headers;
  const ports =
    transport?.kind === 'icmp'
      ? toPorts(ip.protocol, transport.type, transport.code)
      : toPorts(ip.protocol, transport?.sourcePort, transport?.destinationPort);
  return [
    {
      input: fromSflowInterface(input),
      output: fromSflowInterface(output),
      destinationMac: ethernet?.destinationMac,
      source: ip.sourceAddress,
      destination: ip.destinationAddress,
      ...ports,
      packets: samplingRate,
      bytes: packet.frameBytes * samplingRate,
      startedAtMs: undefined,
      endedAtMs: undefined,
    },
  ];
}

function fromSflowInterface(place: SflowInterface): Place {
  switch (place.kind) {
    case 'interface':
      return { at: 'ifindex', ifindex: place.ifindex };
    case 'several':
      return { at: 'flooded' };
    case 'discarded':
      return { at: 'dropped' };
    case 'unknown':
    case 'internal':
      return { at: 'unknown' };
  }
}

const ICMP = 1;
/** ICMP, TCP, UDP, DCCP, ICMPv6, SCTP, UDP-Lite: others have no ports, whatever stands in their place. */
const WITH_PORTS: readonly number[] = [ICMP, 6, 17, 33, 58, 132, 136];

function toPorts(
  protocol: number,
  sourcePort: number | undefined,
  destinationPort: number | undefined,
): Pick<FlowReport, 'protocol' | 'sourcePort' | 'destinationPort'> {
  return WITH_PORTS.includes(protocol)
    ? { protocol, sourcePort, destinationPort }
    : { protocol, sourcePort: undefined, destinationPort: undefined };
}
