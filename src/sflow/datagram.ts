/**
 * sFlow version 5: one datagram out of its bytes (sflow.org, "sFlow Version 5", sflow_version_5.txt). Samples and records
 * of other kinds are skipped by their length and counted. Where datagrams come from, and which VM an address is, is left
 * to the caller. Pure.
 */
import { ipv4FromBytes, ipv6FromBytes } from '../units/addressbytes.ts';
import { decodeCounterSample, type SflowCounterSample } from './countersample.ts';
import { decodeFlowSample, type SflowFlowSample } from './flowsample.ts';
import { sliceRecords } from './records.ts';

const VERSION = 5;
/** Enterprise 0, `sample_data` formats. */
const Format = { flowSample: 1, counterSample: 2, expandedFlowSample: 3, expandedCounterSample: 4 } as const;

export interface SflowDatagram {
  /** Of the device that sampled; `undefined` where it has none. */
  readonly agentAddress: string | undefined;
  /** Open vSwitch: the sub-id that it gives to each bridge. */
  readonly subAgent: number;
  /** Counts the datagrams of the sub-agent, modulo 2^32. */
  readonly sequence: number;
  /** Milliseconds since the agent started, modulo 2^32; Open vSwitch counts whole seconds. */
  readonly uptimeMs: number;
  readonly flowSamples: readonly SflowFlowSample[];
  readonly counterSamples: readonly SflowCounterSample[];
  /** Samples of kinds that are not known here. */
  readonly skippedSamples: number;
}

export type SflowResult =
  | { readonly outcome: 'decoded'; readonly datagram: SflowDatagram }
  /** Not sFlow 5, or a length in it goes beyond its end: nothing of it is used. */
  | { readonly outcome: 'malformed'; readonly why: string };

/** Reads one datagram. Never throws, whatever the bytes. */
export function decodeSflow(datagram: Uint8Array): SflowResult {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  const decoded = decodeDatagram(view);
  return typeof decoded === 'string'
    ? { outcome: 'malformed', why: decoded }
    : { outcome: 'decoded', datagram: decoded };
}

function decodeDatagram(view: DataView): SflowDatagram | string {
  const header = decodeHeader(view);
  if (typeof header === 'string') return header;
  const { samplesAt, count, ...rest } = header;
  const samples = sliceRecords(view, samplesAt, count);
  if (samples === undefined) return 'a sample is cut short';
  const flowSamples: SflowFlowSample[] = [];
  const counterSamples: SflowCounterSample[] = [];
  let skippedSamples = 0;
  for (const { format, body } of samples) {
    if (format === Format.flowSample || format === Format.expandedFlowSample) {
      const sample = decodeFlowSample(body, format === Format.expandedFlowSample);
      if (sample === undefined) return 'a flow sample is cut short';
      flowSamples.push(sample);
    } else if (format === Format.counterSample || format === Format.expandedCounterSample) {
      const sample = decodeCounterSample(body, format === Format.expandedCounterSample);
      if (sample === undefined) return 'a counter sample is cut short';
      counterSamples.push(sample);
    } else skippedSamples++;
  }
  return { ...rest, flowSamples, counterSamples, skippedSamples };
}

interface Header extends Pick<SflowDatagram, 'agentAddress' | 'subAgent' | 'sequence' | 'uptimeMs'> {
  readonly count: number;
  readonly samplesAt: number;
}

function decodeHeader(view: DataView): Header | string {
  const bytes = view.byteLength;
  if (bytes < 8) return `${String(bytes)} bytes, fewer than a header has`;
  const version = view.getUint32(0);
  if (version !== VERSION) return `version ${String(version)}, not ${String(VERSION)}`;
  const addressBytes = ADDRESS_BYTES[view.getUint32(4)];
  if (addressBytes === undefined) return 'an agent address of an unknown kind';
  const at = 8 + addressBytes;
  if (bytes < at + 16) return `${String(bytes)} bytes, fewer than a header has`;
  return {
    agentAddress: decodeAddress(view, addressBytes),
    subAgent: view.getUint32(at),
    sequence: view.getUint32(at + 4),
    uptimeMs: view.getUint32(at + 8),
    count: view.getUint32(at + 12),
    samplesAt: at + 16,
  };
}

/** By `address_type`: none, IPv4, IPv6. */
const ADDRESS_BYTES: readonly (number | undefined)[] = [0, 4, 16];

function decodeAddress(view: DataView, bytes: number): string | undefined {
  if (bytes === 4) return ipv4FromBytes(view, 8);
  return bytes === 16 ? ipv6FromBytes(view, 8) : undefined;
}
