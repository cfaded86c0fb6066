/**
 * `node scripts/bench/ovsdb-update.mjs`, after `npm run build`: what a live replica costs, beside its peers.
 *  (a) 1,000 interfaces' statistics in one update: CPU of ours and of python's ovs.db.idl, both holding these columns only;
 *  (b) one port more on a bridge of 20,000: one transaction of a live client, awaited, beside `ovs-vsctl add-port`;
 *  (c) rows of 10,000 by predicate and by index, beside what libovsdb publishes of its own (client/client_test.go's
 *      benchmarks), which was measured on another machine.
 * Every side is a fresh process; rounds are interleaved; figures are medians.
 */
import {
  COLUMNS,
  measure,
  peers,
  PYTHON,
  SCHEMA_FILE,
  script,
  transact,
  withPorts,
} from './ovsdb-database.mjs';
import { median, printRatio } from './measure.mjs';

const ROUNDS = 5;
const STATISTICS_COLUMNS = { Interface: ['name', 'statistics'] };
/** Of which the second half is measured: a live replica is warm. */
const UPDATES = 200;
const COUNTERS = [
  'collisions',
  'rx_bytes',
  'rx_crc_err',
  'rx_dropped',
  'rx_errors',
  'rx_frame_err',
  'rx_over_err',
  'rx_packets',
  'tx_bytes',
  'tx_dropped',
  'tx_errors',
  'tx_packets',
];
const ADDED = 200;
/** libovsdb's published figures for 10,000 rows, in milliseconds. */
const LIBOVSDB = { scanMs: 3.2, indexMs: 0.008 };

console.log(peers());
await withPorts(1000, measureStatistics);
await withPorts(20_000, measureAdding);
await withPorts(10_000, measureFinding);

async function measureStatistics(remote) {
  const [{ rows }] = await transact(remote, [
    { op: 'select', table: 'Interface', where: [], columns: ['_uuid'] },
  ]);
  let turn = 0;
  const write = () => {
    turn += 1;
    return transact(
      remote,
      rows.map(({ _uuid }, index) => ({
        op: 'update',
        table: 'Interface',
        where: [['_uuid', '==', _uuid]],
        row: {
          statistics: [
            'map',
            COUNTERS.map((name, at) => [name, at % 4 === 0 ? 0 : turn * 1_000_003 * (at + 1) + index]),
          ],
        },
      })),
    );
  };
  const columns = JSON.stringify(STATISTICS_COLUMNS);
  // One at a time: of two that wait for a slow reader the server would make one.
  const onLine = (line) => (line === 'next' ? write() : undefined);
  const sides = {
    ours: [process.execPath, script('ovsdb-side.mjs'), 'updates', remote, columns, String(UPDATES)],
    'python ovs.db.idl': [
      PYTHON,
      script('ovsdb-idl.py'),
      remote,
      columns,
      SCHEMA_FILE,
      'updates',
      String(UPDATES),
    ],
  };
  const cpuMs = { ours: [], 'python ovs.db.idl': [] };
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, command] of Object.entries(sides))
      cpuMs[name].push((await measure(...command, { onLine })).cpuMs / (UPDATES / 2));
  console.log(
    `\n${rows.length} interfaces' statistics in one update, of ${COUNTERS.length} counters each: CPU, mean of ${UPDATES / 2} updates, median of ${ROUNDS} processes`,
  );
  for (const [name, all] of Object.entries(cpuMs))
    console.log(`  ${name.padEnd(18)} ${median(all).toFixed(1)} ms`);
  printRatio('CPU: python / ours', median(cpuMs['python ovs.db.idl']), median(cpuMs.ours), '≥ 8');
}

async function measureAdding(remote) {
  const ours = [];
  const vsctl = [];
  for (let round = 0; round < ROUNDS; round++) {
    const columns = JSON.stringify(COLUMNS);
    const { times } = await measure(
      process.execPath,
      script('ovsdb-side.mjs'),
      'add',
      remote,
      columns,
      String(ADDED),
    );
    ours.push(...times);
    for (let index = 0; index < 3; index++)
      vsctl.push(
        (
          await measure(
            'ovs-vsctl',
            '--no-wait',
            `--db=${remote}`,
            'add-port',
            'br0',
            `by-vsctl${vsctl.length}`,
          )
        ).wallMs,
      );
  }
  const at = (times, part) => [...times].sort((a, b) => a - b)[Math.floor((times.length - 1) * part)];
  console.log(
    `\nOne port more on a bridge of 20,000: ${ours.length} transactions in ${ROUNDS} processes, ${vsctl.length} calls of ovs-vsctl`,
  );
  for (const [name, times] of Object.entries({ ours, 'ovs-vsctl add-port': vsctl }))
    console.log(
      `  ${name.padEnd(18)} p50 ${at(times, 0.5).toFixed(1)} ms, p99 ${at(times, 0.99).toFixed(1)} ms`,
    );
  printRatio('p50: ovs-vsctl / ours', at(vsctl, 0.5), at(ours, 0.5), '≥ 100');
  printRatio('p99: ovs-vsctl / ours', at(vsctl, 0.99), at(ours, 0.99), '≥ 100');
}

async function measureFinding(remote) {
  const results = [];
  for (let round = 0; round < ROUNDS; round++)
    results.push(
      await measure(
        process.execPath,
        script('ovsdb-side.mjs'),
        'find',
        remote,
        JSON.stringify(COLUMNS),
        '10000',
      ),
    );
  const of = (figure) => median(results.map((result) => result[figure]));
  const micros = (ms) => `${(ms * 1000).toFixed(1)} µs`;
  console.log('\nOne row of 10,000');
  console.log(
    `  by predicate ${of('scanMs').toFixed(2)} ms   (libovsdb's, another machine: ${LIBOVSDB.scanMs} ms)`,
  );
  console.log(
    `  by index     ${micros(of('indexMs'))}   (libovsdb's, another machine: ${micros(LIBOVSDB.indexMs)})`,
  );
  console.log(
    `  by the schema's index ${micros(of('uniqueMs'))}; the first time, which builds it: ${of('buildMs').toFixed(1)} ms`,
  );
  printRatio('by predicate: ours / libovsdb', of('scanMs'), LIBOVSDB.scanMs, '< 1');
  printRatio('by index: ours / libovsdb', of('indexMs'), LIBOVSDB.indexMs, '< 1');
}
