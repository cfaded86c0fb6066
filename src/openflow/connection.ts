/**
 * A conversation with one bridge over its management socket (`<rundir>/<bridge>.mgmt`, ovs-vswitchd(8)): what can be
 * asked, and what is told unasked. Sockets and messages are transport.ts's; connecting again is the caller's, who knows
 * whether it is worth it.
 */
import { encodeBarrierRequest, encodeSetAsync, type SwitchEvent } from './asyncconfig.ts';
import { encodeFeaturesRequest, type FeaturesReply } from './features.ts';
import { flowStats } from './flowstatistic.ts';
import type { FlowStats, FlowStatsRequest } from './flowstats.ts';
import { encodeMultipartRequest, multipartReader, type Statistic } from './multipart.ts';
import { PORT_DESCRIPTIONS, type PortDescription } from './portdescription.ts';
import { PORT_STATS, type PortStats } from './portstats.ts';
import { Transport } from './transport.ts';

export interface ConnectOptions {
  /** Milliseconds for connecting with hello, and again for each answer. */
  readonly limitMs?: number;
  /** Ends the connection, whatever it is doing. */
  readonly signal?: AbortSignal;
  /**
   * Events are asked for where it is given. It is called in the order in which the switch sent events and answers: who
   * awaits an answer goes on before an event is told that came after it. So a rule that was told removed is in no
   * answer from then on; an answer may lack a rule whose removal is told some milliseconds later, since Open vSwitch
   * tells it once no thread uses the rule any more. Must not throw.
   */
  readonly onEvent?: (event: SwitchEvent) => void;
}

/** Reading 5,000 ports takes vswitchd 0.25 s; a reconfiguration can keep its main thread busy for longer than that. */
const DEFAULT_LIMIT_MS = 5000;

/**
 * An OpenFlow connection, of version 1.3 where the bridge allows it, else 1.4 or 1.5. It is open from `connect()` until
 * it is disposed of, its signal fires, or the switch ends it.
 * Every question fails with
 * OPENFLOW_TIMEOUT (no answer in time; the connection is closed then, since an answer may still come),
 * OPENFLOW_CLOSED, OPENFLOW_PROTOCOL (not OpenFlow; closed), OPENFLOW_REFUSED (an ERROR message; stays open), or
 * CANCELLED (the signal).
 */
export class OpenFlowConnection implements AsyncDisposable {
  readonly #transport: Transport;

  private constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Connects to the socket at `path` and agrees on a version.
   * @throws OPENFLOW_UNREACHABLE, OPENFLOW_FORBIDDEN, OPENFLOW_VERSION, OPENFLOW_PROTOCOL, OPENFLOW_TIMEOUT,
   * OPENFLOW_REFUSED (it tells no events), CANCELLED
   */
  static async connect(path: string, options: ConnectOptions = {}): Promise<OpenFlowConnection> {
    const { limitMs = DEFAULT_LIMIT_MS, signal, onEvent } = options;
    const transport = new Transport(path, { limitMs, signal, onEvent });
    try {
      await transport.open();
      if (onEvent) await askForEvents(transport);
      return new OpenFlowConnection(transport);
    } catch (thrown) {
      await transport[Symbol.asyncDispose]();
      throw thrown;
    }
  }

  /** False once it has ended, for whatever reason; it does not open again. */
  get isOpen(): boolean {
    return this.#transport.isOpen;
  }

  /** The counters of every port, as they are now. */
  portStats(): Promise<readonly PortStats[]> {
    return this.read(PORT_STATS);
  }

  /** Number, name and state of every port. */
  portDescriptions(): Promise<readonly PortDescription[]> {
    return this.read(PORT_DESCRIPTIONS);
  }

  /** Rules with their counters, which lag the packets by at most half a second. */
  flowStats(request: FlowStatsRequest = {}): Promise<readonly FlowStats[]> {
    return this.read(flowStats(request));
  }

  /**
   * The same for many rules, as they arrive: 100,000 do not hold up others, and nothing of them is kept. What `take` got
   * before a failure is part of no answer. It must not throw.
   */
  eachFlow(request: FlowStatsRequest, take: (flow: FlowStats) => void): Promise<void> {
    return this.#each(flowStats(request), take);
  }

  /** Any statistic, for example `TABLE_STATS`. */
  async read<Entry>(statistic: Statistic<Entry>): Promise<readonly Entry[]> {
    const entries: Entry[] = [];
    await this.#each(statistic, (entry) => entries.push(entry));
    return entries;
  }

  /** Which datapath this is. */
  features(): Promise<FeaturesReply> {
    const { version } = this.#transport;
    return this.#transport.ask(
      'features',
      (xid) => encodeFeaturesRequest(xid, version),
      (message) => (message.type === 'features-reply' ? message : undefined),
    );
  }

  /** Closes the socket, and waits until it is closed; whoever still waits for an answer gets OPENFLOW_CLOSED. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#transport[Symbol.asyncDispose]();
  }

  async #each<Entry>(statistic: Statistic<Entry>, take: (entry: Entry) => void): Promise<void> {
    const { version } = this.#transport;
    const readPart = multipartReader(statistic, version, take);
    await this.#transport.ask(
      statistic.what,
      (xid) => encodeMultipartRequest(xid, statistic, version),
      (message) => (message.type === 'multipart-reply' && readPart(message) ? message : undefined),
    );
  }
}

/** A barrier with the same xid: what comes back is either its reply or the refusal. */
async function askForEvents(transport: Transport): Promise<void> {
  const { version } = transport;
  await transport.ask(
    'events',
    (xid) => Buffer.concat([encodeSetAsync(xid, version), encodeBarrierRequest(xid, version)]),
    (message) => (message.type === 'barrier-reply' ? message : undefined),
  );
}
