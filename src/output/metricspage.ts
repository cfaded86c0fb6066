/**
 * The metrics of one switch, from scrape to scrape: what was read last, and for a minute what was known of NICs that have
 * gone, so that their last counts are seen. The text's form is prometheus.ts's, names are metrics.ts's. Pure.
 */
import type { SwitchHealth } from '../traffic/health.ts';
import type { Pair } from '../traffic/pairs/pair.ts';
import type { BridgeReading } from '../traffic/portsamples.ts';
import type { NicRow } from '../traffic/views.ts';
import { pairKeyOf, pairLabelsOf } from './metricslabels.ts';
import { TopPairs } from './metricspairs.ts';
import { createMetricFamilies } from './metrics.ts';
import { renderMetrics, type MetricFormat, type Series } from './prometheus.ts';

/** Longer than a scrape interval that people use, and short enough for a page of today's VMs. */
export const GONE_NIC_MS = 60_000;

/** A NIC as a metric has it. */
export type MetricNic = Pick<NicRow, 'owner' | 'bridge' | 'port' | 'mac' | NicCounter>;

/** What our own work cost since we began. */
export interface OwnCost {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly ovsdbReconnects: number;
  readonly ovsdbUpdates: number;
  readonly ovsdbReceivedBytes: number;
}

const NIC_COUNTERS = [
  'sentBytes',
  'receivedBytes',
  'sentPackets',
  'receivedPackets',
  'sentDropped',
  'receivedDropped',
  'sentErrors',
  'receivedErrors',
  'hostLossPackets',
] as const;

type NicCounter = (typeof NIC_COUNTERS)[number];

/** The series of one NIC, kept since making their labels into text is most of the work. */
interface NicSeries {
  readonly network: string | undefined;
  readonly place: Place;
  /** Where it is; once, since a second one for a NIC would make every join with it fail. */
  readonly info: Series;
  readonly counters: readonly (readonly [name: NicCounter, series: Series])[];
  seenMs: number;
}

type Place = Pick<MetricNic, 'bridge' | 'port' | 'mac'>;

interface PairSeries {
  readonly quality: string;
  readonly bytes: Series;
  readonly packets: Series;
}

/** One page of metrics; hand in what was read, then render. */
export class MetricsPage {
  readonly #families = createMetricFamilies();
  readonly #nics = new Map<string, NicSeries>();
  readonly #topPairs: TopPairs;
  #pairs = new Map<string, PairSeries>();
  #readings = 0;
  #readingMs = 0;
  readonly #failures = new Map<string, number>();

  /** @param pairLimit how many pairs get series of their own; the rest becomes `other` */
  constructor(pairLimit: number) {
    this.#topPairs = new TopPairs(pairLimit);
  }

  /**
   * All NICs that there are, also those that could not be read: their counters are absent then.
   * @param nowMs monotonic
   */
  setNics(nics: readonly MetricNic[], nowMs: number): void {
    const seen = new Set<string>();
    for (const nic of nics) {
      const { topology, vm, nic: place } = nic.owner;
      const key = JSON.stringify([topology ?? '', vm, place]);
      if (seen.has(key)) continue;
      seen.add(key);
      this.#setNic(key, nic, nowMs);
    }
    this.#families.nicsLeftOut.set({}, nics.length - seen.size);
    for (const [key, { seenMs }] of this.#nics) if (nowMs - seenMs > GONE_NIC_MS) this.#removeNic(key);
  }

  /** All pairs that there are. */
  setPairs(pairs: readonly Pair[]): void {
    const { pairBytes, pairPackets, pairsLeftOut } = this.#families;
    const { top, others, leftOut } = this.#topPairs.update(pairs);
    const before = this.#pairs;
    this.#pairs = new Map();
    for (const pair of top) {
      const key = pairKeyOf(pair);
      const known = before.get(key);
      const series = known?.quality === pair.quality ? known : this.#createPair(pair);
      if (series === known) before.delete(key);
      series.bytes.value = pair.bytes;
      series.packets.value = pair.packets;
      this.#pairs.set(key, series);
    }
    for (const { bytes, packets } of before.values()) {
      pairBytes.remove(bytes);
      pairPackets.remove(packets);
    }
    for (const { bridge, quality, bytes, packets } of others) {
      const labels = { bridge, from: 'other', to: 'other', quality };
      pairBytes.set(labels, bytes);
      pairPackets.set(labels, packets);
    }
    pairsLeftOut.set({}, leftOut);
  }

  /** @param health `undefined` where ovs-vswitchd did not answer */
  setHealth(health: SwitchHealth | undefined, ovsVersion: string | undefined): void {
    const families = this.#families;
    families.switchInfo.clear();
    if (ovsVersion !== undefined) families.switchInfo.set({ ovs_version: ovsVersion }, 1);
    families.controlUp.set({}, health ? 1 : 0);
    const { datapathFlows, datapathFlowLimit, datapathFlowDump, datapathHits, datapathUpcalls } = families;
    const { datapathLost, switchEvents } = families;
    for (const family of [datapathFlows, datapathFlowLimit, datapathFlowDump, datapathHits]) family.clear();
    for (const family of [datapathUpcalls, datapathLost, switchEvents]) family.clear();
    for (const { name: datapath, flowDumpMs, ...known } of health?.datapaths ?? []) {
      datapathFlows.set({ datapath }, known.flows);
      datapathFlowLimit.set({ datapath }, known.flowLimit);
      datapathFlowDump.set({ datapath }, flowDumpMs === undefined ? undefined : flowDumpMs / 1000);
      datapathHits.set({ datapath }, known.hits);
      datapathUpcalls.set({ datapath }, known.upcalls);
      datapathLost.set({ datapath }, known.lost);
    }
    for (const [event, count] of health?.events ?? []) switchEvents.set({ event }, count);
  }

  /** One reading of all bridges, which took so many milliseconds. */
  addReading(bridges: readonly Pick<BridgeReading, 'bridge' | 'outcome'>[], tookMs: number): void {
    const { bridgeUp, bridgeFailures, readings, readingSeconds } = this.#families;
    this.#readings += 1;
    this.#readingMs += tookMs;
    readings.set({}, this.#readings);
    readingSeconds.set({}, this.#readingMs / 1000);
    bridgeUp.clear();
    bridgeFailures.clear();
    for (const { bridge, outcome } of bridges) {
      const isRead = outcome === 'read';
      const failures = (this.#failures.get(bridge) ?? 0) + (isRead ? 0 : 1);
      this.#failures.set(bridge, failures);
      bridgeUp.set({ bridge }, isRead ? 1 : 0);
      bridgeFailures.set({ bridge }, failures);
    }
  }

  setCost(cost: OwnCost): void {
    const families = this.#families;
    families.cpuSeconds.set({}, cost.cpuSeconds);
    families.residentMemory.set({}, cost.residentBytes);
    families.ovsdbReconnects.set({}, cost.ovsdbReconnects);
    families.ovsdbUpdates.set({}, cost.ovsdbUpdates);
    families.ovsdbReceivedBytes.set({}, cost.ovsdbReceivedBytes);
  }

  /** The text of what was handed in last. */
  render(format: MetricFormat): string {
    return renderMetrics(Object.values(this.#families), format);
  }

  #setNic(key: string, nic: MetricNic, nowMs: number): void {
    let known = this.#nics.get(key);
    if (!known || !isSamePlace(known, nic)) {
      // What it sent in another network is another series, and would be counted twice beside the new one.
      this.#removeNic(key);
      this.#nics.set(key, (known = this.#createNic(nic)));
    }
    known.seenMs = nowMs;
    for (const [name, series] of known.counters) series.value = nic[name];
  }

  #createNic({ owner, bridge, port, mac }: MetricNic): NicSeries {
    const info = this.#families.vmInfo.series({ ...owner, bridge, port, mac });
    info.value = 1;
    const counters = NIC_COUNTERS.map((name) => [name, this.#families[name].series({ ...owner })] as const);
    return { network: owner.network, place: { bridge, port, mac }, info, counters, seenMs: 0 };
  }

  #removeNic(key: string): void {
    const known = this.#nics.get(key);
    this.#nics.delete(key);
    if (!known) return;
    this.#families.vmInfo.remove(known.info);
    for (const [name, series] of known.counters) this.#families[name].remove(series);
  }

  #createPair(pair: Pair): PairSeries {
    const labels = pairLabelsOf(pair);
    const { pairBytes, pairPackets } = this.#families;
    return { quality: pair.quality, bytes: pairBytes.series(labels), packets: pairPackets.series(labels) };
  }
}

function isSamePlace({ network, place }: NicSeries, { owner, bridge, port, mac }: MetricNic): boolean {
  return network === owner.network && place.bridge === bridge && place.port === port && place.mac === mac;
}
