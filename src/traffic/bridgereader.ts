/**
 * Asks bridges for their counters over OpenFlow, each on a connection of its own that is kept for the next time. One
 * that failed is closed, and opened anew at the next question: the caller's tick is the pause between tries.
 */
import { toVsbError } from '../errors.ts';
import type { SwitchEvent } from '../openflow/asyncconfig.ts';
import { OpenFlowConnection } from '../openflow/connection.ts';
import type { OfPort } from '../openflow/ofport.ts';
import type { PortStats } from '../openflow/portstats.ts';
import { ACCOUNT_REQUEST, toAccountRow, toLeftRow } from './pairs/accountrows.ts';
import type { AccountReading, AccountRow, LeftRow } from './pairs/pairledger.ts';
import type { BridgeReading } from './portsamples.ts';
import type { PortSample } from './rates.ts';
import type { BridgePorts, SwitchPort } from './switchports.ts';

/** What bridges are asked for: the counters of their ports; who sent to whom, where that is counted. */
export type Asked = 'ports' | 'pairs' | 'both';

export interface BridgeReaderOptions {
  /** Default: `ports`. */
  readonly asked?: Asked;
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
  /** Rows that left since the last reading. */
  left: LeftRow[];
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
  async read({ bridge, ports, wantsPairs }: BridgePorts): Promise<BridgeReading> {
    const { asked = 'ports', nowMs } = this.#options;
    try {
      const opened = await this.#connect(bridge);
      const connection = await opened.connection;
      // Pairs first: what a port received after that is not yet in them, so that none of it is taken for lost.
      const account =
        wantsPairs && asked !== 'ports' ? await readAccount(connection, opened, nowMs) : undefined;
      const stats = asked === 'pairs' ? [] : await connection.portStats();
      const samples = toSamples(ports, stats, opened.session, nowMs());
      return { outcome: 'read', bridge, session: opened.session, samples, account };
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
    const { asked = 'ports', limitMs, nowMs } = this.#options;
    const left: LeftRow[] = [];
    const onEvent = (event: SwitchEvent): void => {
      const row = event.type === 'flow-removed' ? toLeftRow(event, nowMs()) : undefined;
      if (row) opened.left.push(row);
    };
    const connection = OpenFlowConnection.connect(path, {
      limitMs,
      signal: end.signal,
      ...(asked === 'ports' ? {} : { onEvent }),
    });
    const opened: OpenBridge = { session: ++this.#lastSession, connection, left, end };
    this.#open.set(bridge, opened);
    return opened;
  }

  #close(bridge: string): void {
    this.#open.get(bridge)?.end.abort();
    this.#open.delete(bridge);
  }
}

/** Whoever awaits an answer goes on before an event that came after it: what has left by then, left before. */
async function readAccount(
  connection: OpenFlowConnection,
  opened: OpenBridge,
  nowMs: () => number,
): Promise<AccountReading> {
  const rows: AccountRow[] = [];
  await connection.eachFlow(ACCOUNT_REQUEST, (flow) => {
    const row = toAccountRow(flow);
    if (row) rows.push(row);
  });
  const { session, left } = opened;
  opened.left = [];
  return { session, atMs: nowMs(), rows, left };
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
