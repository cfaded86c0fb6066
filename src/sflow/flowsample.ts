/** Flow samples: one packet of N, with where it came in and went out (sFlow 5, `flow_sample`). Pure. */
import { decodePacket, type PacketHeaders } from './packet.ts';
import { decodeCompactSource, decodeExpandedSource, sliceRecords, type SflowSource } from './records.ts';

/** Enterprise 0, `flow_data` formats. */
const Format = { rawPacketHeader: 1, extendedSwitch: 1001 } as const;

/** Where a packet came in, or went out. */
export type SflowInterface =
  /** By ifindex. */
  | { readonly kind: 'interface'; readonly ifindex: number }
  /** The agent does not know; in Open vSwitch also a port without an ifindex, as vhost-user. */
  | { readonly kind: 'unknown' }
  /** From or to the device itself. */
  | { readonly kind: 'internal' }
  /** Not forwarded; the reason is that of the standard's list. */
  | { readonly kind: 'discarded'; readonly reason: number }
  /** To several interfaces; 0 where nobody says how many. */
  | { readonly kind: 'several'; readonly count: number };

export interface SampledPacket {
  /**
   * Of the Ethernet frame, without its checksum (`frame_length` less `stripped`), as Open vSwitch counts bytes elsewhere.
   */
  readonly frameBytes: number;
  readonly headers: PacketHeaders;
}

/** VLAN ids and priorities (802.1p) before and after the switch; 0 where there is none. */
export interface SflowExtendedSwitch {
  readonly sourceVlan: number;
  readonly sourcePriority: number;
  readonly destinationVlan: number;
  readonly destinationPriority: number;
}

export interface SflowFlowSample extends SflowSource {
  /** Counts the samples of the source. */
  readonly sequence: number;
  /** One packet in so many was sampled. */
  readonly samplingRate: number;
  /** How many packets there were to sample from, modulo 2^32. */
  readonly samplePool: number;
  /** How many samples the agent lost, modulo 2^32. */
  readonly drops: number;
  readonly input: SflowInterface;
  readonly output: SflowInterface;
  /** `undefined` where the agent sent no Ethernet, IPv4 or IPv6 header. */
  readonly packet: SampledPacket | undefined;
  readonly extendedSwitch: SflowExtendedSwitch | undefined;
  /** Records of kinds that are not known here, and a second packet or switch record. */
  readonly skippedRecords: number;
}

const COMPACT_BYTES = 32;
const EXPANDED_BYTES = 44;

/** @returns `undefined` where it is cut short */
export function decodeFlowSample(view: DataView, expanded: boolean): SflowFlowSample | undefined {
  const fixedBytes = expanded ? EXPANDED_BYTES : COMPACT_BYTES;
  if (view.byteLength < fixedBytes) return undefined;
  const head = expanded ? decodeExpandedHead(view) : decodeCompactHead(view);
  const contents = decodeContents(view, fixedBytes);
  return contents && { ...head, ...contents };
}

type Head = Omit<SflowFlowSample, 'packet' | 'extendedSwitch' | 'skippedRecords'>;

function decodeCompactHead(view: DataView): Head {
  return {
    sequence: view.getUint32(0),
    ...decodeCompactSource(view, 4),
    samplingRate: view.getUint32(8),
    samplePool: view.getUint32(12),
    drops: view.getUint32(16),
    input: decodeCompactInterface(view, 20),
    output: decodeCompactInterface(view, 24),
  };
}

function decodeExpandedHead(view: DataView): Head {
  return {
    sequence: view.getUint32(0),
    ...decodeExpandedSource(view, 4),
    samplingRate: view.getUint32(12),
    samplePool: view.getUint32(16),
    drops: view.getUint32(20),
    input: toInterface(view.getUint32(24), view.getUint32(28), EXPANDED_INTERNAL),
    output: toInterface(view.getUint32(32), view.getUint32(36), EXPANDED_INTERNAL),
  };
}

const COMPACT_INTERNAL = 0x3fff_ffff;
const EXPANDED_INTERNAL = 0xffff_ffff;

/** The format in the upper 2 bits. */
function decodeCompactInterface(view: DataView, offset: number): SflowInterface {
  const bits = view.getUint32(offset);
  return toInterface(bits >>> 30, bits & 0x3fff_ffff, COMPACT_INTERNAL);
}

function toInterface(format: number, value: number, internal: number): SflowInterface {
  if (format === 1) return { kind: 'discarded', reason: value };
  if (format === 2) return { kind: 'several', count: value };
  if (format !== 0 || value === 0) return { kind: 'unknown' };
  return value === internal ? { kind: 'internal' } : { kind: 'interface', ifindex: value };
}

type Contents = Pick<SflowFlowSample, 'packet' | 'extendedSwitch' | 'skippedRecords'>;

function decodeContents(view: DataView, offset: number): Contents | undefined {
  const records = sliceRecords(view, offset, view.getUint32(offset - 4));
  if (records === undefined) return undefined;
  let packet: SampledPacket | undefined;
  let extendedSwitch: SflowExtendedSwitch | undefined;
  let known = 0;
  for (const { format, body } of records) {
    if (format === Format.rawPacketHeader && packet === undefined) {
      const decoded = decodeRawPacket(body);
      if (decoded === undefined) return undefined;
      if (decoded === 'other') continue;
      packet = decoded;
      known++;
    } else if (format === Format.extendedSwitch && extendedSwitch === undefined) {
      extendedSwitch = decodeExtendedSwitch(body);
      if (extendedSwitch === undefined) return undefined;
      known++;
    }
  }
  return { packet, extendedSwitch, skippedRecords: records.length - known };
}

function decodeRawPacket(body: DataView): SampledPacket | 'other' | undefined {
  if (body.byteLength < 16) return undefined;
  const headerBytes = body.getUint32(12);
  if (body.byteLength - 16 < headerBytes) return undefined;
  const header = new DataView(body.buffer, body.byteOffset + 16, headerBytes);
  const headers = decodePacket(header, body.getUint32(0));
  if (headers === undefined) return 'other';
  return { frameBytes: Math.max(0, body.getUint32(4) - body.getUint32(8)), headers };
}

function decodeExtendedSwitch(body: DataView): SflowExtendedSwitch | undefined {
  if (body.byteLength < 16) return undefined;
  return {
    sourceVlan: body.getUint32(0),
    sourcePriority: body.getUint32(4),
    destinationVlan: body.getUint32(8),
    destinationPriority: body.getUint32(12),
  };
}
