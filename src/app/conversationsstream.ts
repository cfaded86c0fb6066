/** One exporter of a look with its socket: what it sends goes into the ledger. Who makes the exporter is conversationslook.ts's. */
import { randomInt } from 'node:crypto';
import { openUdpSocket } from '../process/udpsocket.ts';
import type { ExporterKind } from '../switch/exporterrows.ts';
import { Collector, type CollectorCounts } from '../traffic/conversations/collector.ts';
import { exportReader, type FlowReport } from '../traffic/conversations/collectorformats.ts';
import type { ConversationLedger } from '../traffic/conversations/conversations.ts';
import type { BridgeEnds } from '../traffic/conversations/conversationsends.ts';
import type { ConversationsSource } from '../traffic/conversations/conversationsview.ts';
import type { Quality } from '../traffic/pairs/pair.ts';

/** Open vSwitch's own default for sFlow; and all packets where they can be counted one by one. */
const DEFAULT_SAMPLING: Readonly<Record<ExporterKind, number>> = { netflow: 1, ipfix: 1, sflow: 400 };

/** One exporter with its socket; as a whole what exporters.ts makes a row of. */
export class ExportStream implements Disposable {
  readonly bridge: string;
  readonly kind: ExporterKind;
  readonly families: ConversationsSource['families'];
  readonly ends: BridgeEnds;
  readonly sampling: number;
  readonly domain: number;
  readonly #collector: Collector;

  private constructor(
    { bridge, kind, families, ends }: Opening,
    sampling: number,
    domain: number,
    collect: (take: (reports: readonly FlowReport[]) => void) => Collector,
    ledger: ConversationLedger,
  ) {
    this.bridge = bridge;
    this.kind = kind;
    this.families = families;
    this.ends = ends;
    this.sampling = sampling;
    this.domain = domain;
    this.#collector = collect((reports) => {
      const ours = families === 'IPv6' ? reports.filter(isIpv6) : reports;
      ledger.add(this, ours, Date.now());
      // What another exporter counts still tells whose addresses they are.
      if (ours.length < reports.length)
        reports.forEach((report) => {
          ends.learn(report);
        });
    });
  }

  /** @throws COLLECTOR_UNAVAILABLE, NETNS_MISSING, NOT_PERMITTED, PROGRAM_MISSING */
  static async open(
    opening: Opening,
    givenSampling: number | undefined,
    netns: string | undefined,
    ledger: ConversationLedger,
  ): Promise<ExportStream> {
    const { kind } = opening;
    const sampling = kind === 'netflow' ? 1 : (givenSampling ?? DEFAULT_SAMPLING[kind]);
    // Told from what a port that was in use before may still get; 0 is where IPFIX has what Open vSwitch says of itself.
    const domain = randomInt(1, 65_536);
    const socket = await openUdpSocket(netns);
    const read = exportReader(kind, domain);
    return new ExportStream(opening, sampling, domain, (take) => new Collector(socket, read, take), ledger);
  }

  get port(): number {
    return this.#collector.port;
  }

  get counts(): CollectorCounts {
    return this.#collector.counts;
  }

  /** What is not multiplied up is exact, as long as nothing is known to be missing. */
  get quality(): Quality {
    if (this.sampling > 1) return `sampled 1:${String(this.sampling) as `${number}`}`;
    const { lost, restarts } = this.counts;
    return this.kind === 'netflow' && lost === 0 && restarts === 0 ? 'exact' : 'at-least';
  }

  [Symbol.dispose](): void {
    this.#collector[Symbol.dispose]();
  }
}

function isIpv6({ source }: FlowReport): boolean {
  return source.includes(':');
}

/** What a stream is opened for. */
interface Opening extends Pick<ConversationsSource, 'bridge' | 'kind' | 'families'> {
  readonly ends: BridgeEnds;
}
