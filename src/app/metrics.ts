/**
 * The metrics of one switch, for whoever asks: each scrape reads the switch anew, so the figures are of that moment. What
 * there is of metrics and how they are written is output/'s.
 */
import { toVsbError, VsbError } from '../errors.ts';
import type { OvsdbClient } from '../ovsdb/client/client.ts';
import type { OpenVSwitchTables } from '../ovsdb/generated/vswitch.ts';
import type { ColumnChoice } from '../ovsdb/schema/schema.ts';
import { MetricsPage, type MetricNic, type OwnCost } from '../output/metricspage.ts';
import type { MetricFormat } from '../output/prometheus.ts';
import { BridgeReader } from '../traffic/bridgereader.ts';
import { NOT_MEASURED, toMeasured, type Measured } from '../traffic/figures.ts';
import type { SwitchHealth } from '../traffic/health.ts';
import { readSwitchHealth } from '../traffic/healthreader.ts';
import type { BridgeReading } from '../traffic/portsamples.ts';
import type { PortSample } from '../traffic/rates.ts';
import { SWITCH_PORT_COLUMNS, toBridgePorts, type BridgePorts } from '../traffic/switchports.ts';
import type { Settings } from './settings.ts';
import { connectSwitch } from './switchclient.ts';

export interface MetricsOptions {
  readonly settings: Settings;
  /** How many pairs get series of their own. Default: 0, no pairs at all. */
  readonly pairs?: number;
  readonly signal?: AbortSignal;
}

/** What one scrape came to. */
export interface Scrape {
  /** Complete with its last newline. */
  readonly text: string;
  /** What could not be read, each also told by a metric. */
  readonly losses: readonly VsbError[];
  /** There are bridges, and none of them could be read. */
  readonly isBlind: boolean;
}

/** What the replica has to hold. */
const COLUMNS = {
  ...SWITCH_PORT_COLUMNS,
  Open_vSwitch: ['ovs_version'],
} as const satisfies ColumnChoice<OpenVSwitchTables>;

/** Prometheus gives up after 10 s by default; the figures that are there are to reach it by then. */
const READ_LIMIT_MS = 4_000;

/** Reads a switch for as long as it is wanted; the caller disposes of it. */
export class MetricsSource implements AsyncDisposable {
  readonly #settings: Settings;
  readonly #client: OvsdbClient<OpenVSwitchTables>;
  readonly #reader: BridgeReader;
  readonly #page: MetricsPage;
  #reading: Promise<Omit<Scrape, 'text'>> | undefined;

  private constructor({ settings, pairs = 0 }: MetricsOptions, client: OvsdbClient<OpenVSwitchTables>) {
    this.#settings = settings;
    this.#client = client;
    const { ovsRundir } = settings;
    this.#reader = new BridgeReader({ ovsRundir, limitMs: READ_LIMIT_MS, nowMs: () => performance.now() });
    this.#page = new MetricsPage(pairs);
  }

  /** @throws what connectSwitch throws */
  static async open(options: MetricsOptions): Promise<MetricsSource> {
    const client = await connectSwitch(options.settings, { columns: COLUMNS, signal: options.signal });
    return new MetricsSource(options, client);
  }

  /** The metrics as they are now. Whoever asks while the switch is being read gets that reading. Never fails. */
  async scrape(format: MetricFormat = 'prometheus'): Promise<Scrape> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    const found = await this.#reading;
    return { ...found, text: this.#page.render(format) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#reader[Symbol.dispose]();
    await this.#client.close();
  }

  /** Hands the page what there is now. */
  async #read(): Promise<Omit<Scrape, 'text'>> {
    const page = this.#page;
    const startedMs = performance.now();
    const snapshot = this.#client.snapshot();
    const bridges = toBridgePorts(snapshot);
    this.#reader.keepOnly(new Set(bridges.map(({ bridge }) => bridge)));
    const [health, ...readings] = await Promise.all([
      this.#readHealth(),
      ...bridges.map((bridge) => this.#reader.read(bridge)),
    ]);
    const nowMs = performance.now();
    const [root] = snapshot.table('Open_vSwitch').values();
    page.setNics(toMetricNics(bridges, readings), nowMs);
    page.setHealth(health instanceof VsbError ? undefined : health, root?.ovs_version);
    page.addReading(
      readings.map(({ bridge, outcome }) => ({ bridge, isRead: outcome === 'read' })),
      nowMs - startedMs,
    );
    page.setCost(this.#cost());
    const lost = readings.flatMap((reading) => (reading.outcome === 'lost' ? [reading.error] : []));
    const isBlind = lost.length > 0 && lost.length === bridges.length;
    return { losses: health instanceof VsbError ? [...lost, health] : lost, isBlind };
  }

  async #readHealth(): Promise<SwitchHealth | VsbError> {
    const { ovsRundir } = this.#settings;
    try {
      return await readSwitchHealth({ ovsRundir, timeoutMs: READ_LIMIT_MS });
    } catch (thrown) {
      return toVsbError(thrown);
    }
  }

  #cost(): OwnCost {
    const { user, system } = process.cpuUsage();
    const { reconnects, updates, bytesReceived } = this.#client.metrics();
    return {
      cpuSeconds: (user + system) / 1_000_000,
      residentBytes: process.memoryUsage.rss(),
      ovsdbReconnects: reconnects,
      ovsdbUpdates: updates,
      ovsdbReceivedBytes: bytesReceived,
    };
  }
}

/** Every NIC that the database names; without figures where its bridge could not be read. */
function toMetricNics(bridges: readonly BridgePorts[], readings: readonly BridgeReading[]): MetricNic[] {
  const samples = new Map(
    readings
      .flatMap((reading) => (reading.outcome === 'read' ? reading.samples : []))
      .map((sample) => [sample.interfaceUuid, sample]),
  );
  return bridges.flatMap(({ ports }) =>
    ports.flatMap(({ owner, bridge, port, mac, interfaceUuid }): MetricNic[] => {
      if (!owner) return [];
      const sample = samples.get(interfaceUuid);
      const figures = sample ? toFigures(sample) : NOT_MEASURED;
      return [{ ...figures, owner, bridge, port, mac }];
    }),
  );
}

/** Totals alone: rates are made of them where they are kept. */
function toFigures(sample: PortSample): Measured {
  return toMeasured({ sample, rates: undefined, discontinuity: 'first-sample' }, sample.atMs);
}
