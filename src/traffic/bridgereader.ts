/**
 * Asks bridges for their counters over OpenFlow, each on a connection of its own that is kept for the next time. One
 * that failed is closed, and opened anew at the next question: the caller's tick is the pause between tries.
 */
import { toVsbError } from '../errors.ts';
import { OpenFlowConnection } from '../openflow/connection.ts';
import type { OfPort } from '../openflow/ofport.ts';
import type { PortStats } from '../openflow/portstats.ts';
import type { BridgeReading } from './portsamples.ts';
import type { PortSample } from './rates.ts';
import type { BridgePorts, SwitchPort } from './switchports.ts';

export interface BridgeReaderOptions {
  /** Directory of the sockets `<bridge>.mgmt`. */
  readonly ovsRundir: string;
  /** Milliseconds for connecting, and for each answer. */
  readonly limitMs: number;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
}

interface OpenBridge {
  /** Differs for every connection that was ever opened. */
  readonly session: number;
  readonly connection: Promise<OpenFlowConnection>;
  /** Closes it, also while it is being opened. */
  readonly end: AbortController;
}

/** Connections to bridges, open until it is disposed of or the bridge is forgotten. */
export class BridgeReader implements Disposable {
  readonly #options: BridgeReaderOptions;
  readonly #open = new Map<string, OpenBridge>();
  #lastSession = 0;

  constructor(options: BridgeReaderOptions) {
    this.#options = options;
  }

  /**
   * The counters of the ports that both the database and the switch know; a port that one of them has not heard of yet
   * is left out. Never fails: what went wrong is in a `lost` reading. One question at a time for each bridge.
   */
  async read({ bridge, ports }: BridgePorts): Promise<BridgeReading> {
    try {
      const opened = await this.#connect(bridge);
      const stats = await (await opened.connection).portStats();
      return {
        outcome: 'read',
        bridge,
        samples: toSamples(ports, stats, opened.session, this.#options.nowMs()),
      };
    } catch (thrown) {
      this.#close(bridge);
      return { outcome: 'lost', bridge, error: toVsbError(thrown) };
    }
  }

  /** Closes the connections to all other bridges. */
  keepOnly(bridges: ReadonlySet<string>): void {
    for (const bridge of this.#open.keys()) if (!bridges.has(bridge)) this.#close(bridge);
  }

  [Symbol.dispose](): void {
    this.keepOnly(new Set());
  }

  /** The connection of the last time, unless it has ended since: then the switch restarted, and may be back by now. */
  async #connect(bridge: string): Promise<OpenBridge> {
    const known = this.#open.get(bridge);
    if (known && (await known.connection).isOpen) return known;
    const end = new AbortController();
    const path = `${this.#options.ovsRundir}/${bridge}.mgmt`;
    const connection = OpenFlowConnection.connect(path, {
      limitMs: this.#options.limitMs,
      signal: end.signal,
    });
    const opened = { session: ++this.#lastSession, connection, end };
    this.#open.set(bridge, opened);
    return opened;
  }

  #close(bridge: string): void {
    this.#open.get(bridge)?.end.abort();
    this.#open.delete(bridge);
  }
}

function toSamples(
  ports: readonly SwitchPort[],
  stats: readonly PortStats[],
  session: number,
  atMs: number,
): PortSample[] {
  const byOfPort = new Map<OfPort, SwitchPort>();
  for (const port of ports) if (port.ofport !== undefined) byOfPort.set(port.ofport, port);
  return stats.flatMap(({ ofport, counters, durationMs }) => {
    const known = byOfPort.get(ofport);
    if (!known) return [];
    const { bridge, port, interfaceUuid } = known;
    return [{ bridge, port, interfaceUuid, ofport, session, atMs, durationMs, counters }];
  });
}
