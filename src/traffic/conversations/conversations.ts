/**
 * Conversations (5-tuples) out of what exporters report: added up, bounded, with rates. Where reports come from is
 * collector.ts's, who is at the ends conversationsends.ts's. No I/O; the time is an argument.
 */
import { PROTOCOLS } from '../../filter/values.ts';
import type { FlowReport } from './collectorformats.ts';
import type { BridgeEnds } from './conversationsends.ts';
import { rateOf, withMark, type Mark } from './conversationsrate.ts';
import type { Pair, PairEnd, Quality } from '../pairs/pair.ts';

/** What one end sent to another between two addresses and ports, since the look at it began. */
export interface Conversation extends Pair {
  readonly packets: bigint;
  readonly bytes: bigint;
  /** IANA's number, and its name; where that is not known here, the number again. */
  readonly protocol: number;
  readonly protocolName: string;
  /** Addresses, IPv4 or IPv6 (RFC 5952). */
  readonly source: string;
  readonly destination: string;
  /** `undefined` where the protocol has none. ICMP: type and code. */
  readonly sourcePort: number | undefined;
  readonly destinationPort: number | undefined;
  /** First and last packet, by the switch's clock. */
  readonly firstSeen: Date;
  readonly lastSeen: Date;
}

/** Conversations that are not shown by themselves. */
export interface LeftOut {
  readonly conversations: number;
  readonly packets: bigint;
  readonly bytes: bigint;
}

/** One exporter's, on one bridge. */
export interface ConversationSource {
  readonly bridge: string;
  readonly ends: BridgeEnds;
  /** May get worse. */
  readonly quality: Quality;
}

/**
 * Conversations that are kept, in about 100 MB; when there are a quarter more, the smallest are dropped. A port scan makes
 * 65,536 of them, and must not push out those that matter.
 */
const MOST_KEPT = 50_000;

interface Kept {
  readonly source: ConversationSource;
  readonly report: FlowReport;
  readonly from: PairEnd;
  to: PairEnd | undefined;
  packets: number;
  bytes: number;
  firstSeenMs: number;
  lastSeenMs: number;
  /** When the last report came. */
  toldAtMs: number;
  marks: readonly Mark[];
  /** It may have been here before, and have been dropped. */
  readonly isRest: boolean;
}

interface Sum {
  conversations: number;
  packets: number;
  bytes: number;
}

/** Adds up; the time is wall-clock milliseconds since 1970, as in the reports. */
export class ConversationLedger {
  readonly #mostKept: number;
  readonly #kept = new Map<string, Kept>();
  readonly #dropped: Sum = { conversations: 0, packets: 0, bytes: 0 };

  constructor(mostKept = MOST_KEPT) {
    this.#mostKept = mostKept;
  }

  add(source: ConversationSource, reports: readonly FlowReport[], nowMs: number): void {
    for (const report of reports) this.#add(source, report, nowMs);
    if (this.#kept.size > this.#mostKept * 1.25) this.#dropSmallest();
  }

  /**
   * The conversations that `wanted` says (`undefined`: all), those with most bytes first, at most `most` of them, and the sum
   * of the others of them. Those that were dropped meanwhile are in the sum, wanted or not.
   */
  top(
    nowMs: number,
    most: number,
    wanted: ((conversation: Conversation) => boolean) | undefined,
  ): { readonly conversations: readonly Conversation[]; readonly leftOut: LeftOut } {
    const conversations: Conversation[] = [];
    const rest = { ...this.#dropped };
    for (const kept of [...this.#kept.values()].sort((a, b) => b.bytes - a.bytes)) {
      const isRoom = conversations.length < most;
      // Of tens of thousands that are only summed up, nobody needs to know more.
      const conversation = isRoom || wanted ? toConversation(kept, nowMs) : undefined;
      if (conversation && wanted && !wanted(conversation)) continue;
      if (conversation && isRoom) conversations.push(conversation);
      else addTo(rest, kept);
    }
    const { packets, bytes } = rest;
    return { conversations, leftOut: { ...rest, packets: BigInt(packets), bytes: BigInt(bytes) } };
  }

  #add(source: ConversationSource, report: FlowReport, nowMs: number): void {
    source.ends.learn(report);
    const kept = this.#find(source, report, nowMs);
    kept.to = source.ends.to(report) ?? kept.to;
    kept.packets += report.packets;
    kept.bytes += report.bytes;
    kept.firstSeenMs = Math.min(kept.firstSeenMs, report.startedAtMs ?? nowMs);
    kept.lastSeenMs = Math.max(kept.lastSeenMs, report.endedAtMs ?? nowMs);
    kept.toldAtMs = nowMs;
    kept.marks = withMark(kept.marks, kept, nowMs);
  }

  #find(source: ConversationSource, report: FlowReport, nowMs: number): Kept {
    const key = keyOf(source, report);
    const found = this.#kept.get(key);
    if (found) return found;
    const startMs = report.startedAtMs ?? nowMs;
    const kept: Kept = {
      source,
      report,
      from: source.ends.from(report),
      to: undefined,
      packets: 0,
      bytes: 0,
      firstSeenMs: startMs,
      lastSeenMs: startMs,
      toldAtMs: nowMs,
      marks: [{ atMs: startMs, packets: 0, bytes: 0 }],
      isRest: this.#dropped.conversations > 0,
    };
    this.#kept.set(key, kept);
    return kept;
  }

  #dropSmallest(): void {
    const bySize = [...this.#kept].sort(([, a], [, b]) => b.bytes - a.bytes);
    for (const [key, kept] of bySize.slice(this.#mostKept)) {
      this.#kept.delete(key);
      addTo(this.#dropped, kept);
    }
  }
}

function addTo(sum: Sum, { packets, bytes }: Kept): void {
  sum.conversations += 1;
  sum.packets += packets;
  sum.bytes += bytes;
}

/** By the port that it came in at, too: the same addresses may be in use in two VLANs. */
function keyOf({ bridge }: ConversationSource, report: FlowReport): string {
  const { destination, destinationPort = '', input, protocol, source, sourcePort = '' } = report;
  const place =
    input.at === 'ofport'
      ? input.ofport
      : input.at === 'ifindex'
        ? input.ifindex
        : input.at === 'device'
          ? input.name
          : '';
  return `${bridge}/${String(place)}/${String(protocol)}/${source}/${String(sourcePort)}/${destination}/${String(destinationPort)}`;
}

function toConversation(kept: Kept, nowMs: number): Conversation {
  const { report, source } = kept;
  const { destination, protocol } = report;
  const rate = rateOf(kept.marks, nowMs);
  return {
    bridge: source.bridge,
    from: kept.from,
    to:
      kept.to ?? source.ends.addressee(destination) ?? (report.output.at === 'flooded' ? 'flood' : 'unknown'),
    protocol,
    protocolName: PROTOCOL_NAMES.get(protocol) ?? String(protocol),
    source: report.source,
    destination,
    sourcePort: report.sourcePort,
    destinationPort: report.destinationPort,
    packets: BigInt(kept.packets),
    bytes: BigInt(kept.bytes),
    packetsPerSecond: rate.packetsPerSecond,
    bitsPerSecond: rate.bitsPerSecond,
    quality: kept.isRest && source.quality === 'exact' ? 'at-least' : source.quality,
    ageMs: Math.max(0, nowMs - kept.toldAtMs),
    firstSeen: new Date(kept.firstSeenMs),
    lastSeen: new Date(kept.lastSeenMs),
  };
}

const PROTOCOL_NAMES: ReadonlyMap<number, string> = new Map(
  [...PROTOCOLS].map(([name, protocol]) => [protocol, name]),
);
