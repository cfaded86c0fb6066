/**
 * `node scripts/bench/metrics.mjs`, after `npm run build`: the metrics text of 80,000 series beside prom-client's, with
 * every value changed before each; then a whole scrape's worth, handing the values in by name included. Each side in
 * processes of its own, turn by turn: neither has the other's series in its heap, and both see the same machine.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Counter, Gauge, Registry } from 'prom-client';
import { createMetricFamilies } from '../../dist/output/metrics.js';
import { MetricsPage } from '../../dist/output/metricspage.js';
import { renderMetrics } from '../../dist/output/prometheus.js';
import { median, printRatio } from './measure.mjs';

const NICS = 10_000;
const PROCESSES = 5;
const ROUNDS = 7;
const COUNTERS = [
  ...['sentBytes', 'receivedBytes', 'sentPackets', 'receivedPackets'],
  ...['sentDropped', 'receivedDropped', 'sentErrors', 'receivedErrors'],
];
/** Added to every counter between two texts. */
const GROWTH = 1_234_567;

const owners = Array.from({ length: NICS }, (_, index) => ({
  topology: 'bench',
  vm: `vm${index}`,
  nic: '0',
  network: 'web',
}));
const placeOf = ({ vm }) => ({ bridge: 'br0', port: `tap-${vm}`, mac: '52:54:00:00:00:01' });

/** Side → makes it; it changes the values with `change`, and is measured in `text`. */
const SIDES = {
  text: () => {
    const all = createMetricFamilies();
    const families = COUNTERS.map((name) => all[name]);
    const series = families.flatMap((family) => owners.map((owner) => family.series(owner)));
    let value = 1_000_000_000n;
    const change = () => {
      value += BigInt(GROWTH);
      series.forEach((one, index) => (one.value = value + BigInt(index)));
    };
    return { change, text: () => renderMetrics(families, 'prometheus') };
  },
  'text, prom-client': () => {
    const registers = [new Registry()];
    const all = createMetricFamilies();
    const counters = COUNTERS.map((name) => {
      const { name: metric, help, labels } = all[name].definition;
      return new Counter({ name: metric, help, labelNames: [...labels], registers });
    });
    const children = counters.flatMap((counter) => owners.map((owner) => counter.labels(owner)));
    const change = () => children.forEach((child, index) => child.inc(GROWTH + index));
    return { change, text: () => registers[0].metrics() };
  },
  scrape: () => {
    const page = new MetricsPage(0);
    let nics = [];
    let value = 1_000_000_000;
    const change = () => {
      value += GROWTH;
      const known = Object.fromEntries(COUNTERS.map((name) => [name, BigInt(value)]));
      nics = owners.map((owner) => ({ ...known, owner, ...placeOf(owner) }));
    };
    const text = () => {
      page.setNics(nics, value);
      return page.render('prometheus');
    };
    return { change, text };
  },
  'scrape, prom-client': () => {
    const registers = [new Registry()];
    const labelNames = ['topology', 'vm', 'nic', 'network'];
    const create = (name, more = []) =>
      new Gauge({ name, help: name, labelNames: [...labelNames, ...more], registers });
    const gauges = COUNTERS.map((name) => create(name));
    const info = create('info', ['bridge', 'port', 'mac']);
    let value = 1_000_000_000;
    const change = () => (value += GROWTH);
    const text = () => {
      for (const owner of owners) {
        for (const gauge of gauges) gauge.set(owner, value);
        info.set({ ...owner, ...placeOf(owner) }, 1);
      }
      return registers[0].metrics();
    };
    return { change, text };
  },
};

const [, , side] = process.argv;
if (side === undefined) compare();
else console.log(JSON.stringify(await measure(SIDES[side]())));

function compare() {
  const times = Object.fromEntries(Object.keys(SIDES).map((name) => [name, []]));
  for (let turn = 0; turn < PROCESSES; turn++)
    for (const name of Object.keys(SIDES)) {
      const output = execFileSync(process.execPath, [fileURLToPath(import.meta.url), name]);
      times[name].push(...JSON.parse(output));
    }
  for (const [name, all] of Object.entries(times))
    console.log(`  ${name.padEnd(22)} ${median(all).toFixed(1).padStart(6)} ms`);
  for (const [name, target] of [['text', '≤ 0.15'], ['scrape']])
    printRatio(
      `${name}, ours / prom-client`,
      median(times[name]),
      median(times[`${name}, prom-client`]),
      target,
    );
}

/** The text is made bytes, as it is for a socket. */
async function measure({ change, text }) {
  const times = [];
  for (let round = 0; round <= ROUNDS; round++) {
    change();
    const start = performance.now();
    Buffer.from(await text());
    // The first one makes the series.
    if (round > 0) times.push(performance.now() - start);
  }
  return times;
}
