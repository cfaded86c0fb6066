/**
 * The metrics of one switch, for whoever asks: each scrape reads the switch anew, so the figures are of that moment. What
 * there is of metrics and how they are written is output/'s.
 */
import { map, shareReplay, Subject } from 'rxjs';
import { toVsbError, VsbError } from '../errors.ts';
import { MetricsPage, type OwnCost } from '../output/metricspage.ts';
import type { MetricFormat } from '../output/prometheus.ts';
import type { OvsdbClient } from '../ovsdb/client/client.ts';
import type { OpenVSwitchTables } from '../ovsdb/generated/vswitch.ts';
import type { Snapshot } from '../ovsdb/replica/snapshot.ts';
import type { ColumnChoice } from '../ovsdb/schema/schema.ts';
import type { PortRow } from '../traffic/attribute.ts';
import { BridgeReader } from '../traffic/bridgereader.ts';
import type { SwitchHealth } from '../traffic/health.ts';
import { readSwitchHealth } from '../traffic/healthreader.ts';
import type { Reading } from '../traffic/portsamples.ts';
import { toBridgePorts } from '../traffic/switchports.ts';
import type { NicRow, TrafficReading } from '../traffic/views.ts';
import { PipelineKeeper } from './pipelinekeeper.ts';
import type { Settings } from './settings.ts';
import { connectSwitch } from './switchclient.ts';
import { toTraffic, TRAFFIC_COLUMNS } from './traffic.ts';

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
  ...TRAFFIC_COLUMNS,
  Open_vSwitch: ['ovs_version'],
} as const satisfies ColumnChoice<OpenVSwitchTables>;

/** Prometheus gives up after 10 s by default; the figures that are there are to reach it by then. */
const READ_LIMIT_MS = 4_000;

/** Reads a switch for as long as it is wanted; the caller disposes of it. */
export class MetricsSource implements AsyncDisposable {
  readonly #ovsRundir: string;
  readonly #withPairs: boolean;
  readonly #client: OvsdbClient<OpenVSwitchTables>;
  readonly #reader: BridgeReader;
  readonly #keeper: PipelineKeeper;
  readonly #page: MetricsPage;
  readonly #readings$ = new Subject<Reading>();
  /** Of the last reading. */
  #traffic: TrafficReading | undefined;
  #reading: Promise<Omit<Scrape, 'text'>> | undefined;

  private constructor(
    { settings: { ovsRundir }, pairs = 0 }: MetricsOptions,
    client: OvsdbClient<OpenVSwitchTables>,
  ) {
    this.#ovsRundir = ovsRundir;
    this.#withPairs = pairs > 0;
    this.#client = client;
    const nowMs = (): number => performance.now();
    this.#reader = new BridgeReader({ ovsRundir, limitMs: READ_LIMIT_MS, nowMs, asked: 'both' });
    this.#keeper = new PipelineKeeper({ ovsRundir, restores: false });
    this.#page = new MetricsPage(pairs);
    this.#follow();
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
    this.#readings$.complete();
    this.#keeper[Symbol.dispose]();
    this.#reader[Symbol.dispose]();
    await this.#client.close();
  }

  /** Pairs and losses are followed from reading to reading. */
  #follow(): void {
    const client = this.#client;
    const { states } = this.#keeper;
    // What all is counted matters for losses alone, which one reading does not know.
    const look: PipelineKeeper['look'] = (...bridges) => {
      if (this.#traffic) this.#keeper.look(...bridges);
    };
    const bridges$ = client.snapshots$.pipe(
      map(toBridgePorts),
      // Lets go with the last of its subscribers, all in one stream.
      shareReplay({ bufferSize: 1, refCount: true }),
    );
    this.#readings$
      .pipe(toTraffic({ client, bridges$, keeper: { look, states }, isOfPairs: true }))
      .subscribe((traffic) => {
        this.#traffic = traffic;
      });
  }

  /** Hands the page what there is now. */
  async #read(): Promise<Omit<Scrape, 'text'>> {
    const page = this.#page;
    const startedMs = performance.now();
    const snapshot = this.#client.snapshot();
    const there = toBridgePorts(snapshot);
    this.#reader.keepOnly(new Set(there.map(({ bridge }) => bridge)));
    const [health, ...bridges] = await Promise.all([
      this.#readHealth(),
      ...there.map((bridge) => this.#reader.read(bridge)),
    ]);
    const atMs = performance.now();
    this.#readings$.next({ at: new Date(), atMs, bridges });
    const { rows = [], pairs = [], losses = [] } = this.#traffic ?? {};
    page.setNics(rows.filter(isNic), atMs);
    if (this.#withPairs) page.setPairs(pairs);
    page.setHealth(health instanceof VsbError ? undefined : health, ovsVersionOf(snapshot));
    page.addReading(bridges, atMs - startedMs);
    page.setCost(this.#cost());
    const errors = losses.map(({ error }) => error);
    const isBlind = losses.length > 0 && losses.length === bridges.length;
    return { losses: health instanceof VsbError ? [...errors, health] : errors, isBlind };
  }

  async #readHealth(): Promise<SwitchHealth | VsbError> {
    try {
      return await readSwitchHealth({ ovsRundir: this.#ovsRundir, timeoutMs: READ_LIMIT_MS });
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

function isNic(row: PortRow): row is NicRow {
  return row.owner !== undefined;
}

function ovsVersionOf(snapshot: Snapshot<OpenVSwitchTables>): string | undefined {
  const [root] = snapshot.table('Open_vSwitch').values();
  return root?.ovs_version;
}
