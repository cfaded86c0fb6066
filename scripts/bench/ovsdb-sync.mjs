/**
 * `node scripts/bench/ovsdb-sync.mjs [PORTS]`, after `npm run build`: what the first copy of a large database costs, as
 * whole processes, beside
 *  (a) bare Node: a socket, the same request, one JSON.parse of the reply;
 *  (b) python's ovs.db.idl with its C parser;
 *  (c) Open vSwitch's IDL in C: `ovs-vsctl find` for nothing, which holds the columns named and prints no row, and
 *      `ovs-vsctl show`, which holds fewer; beside it ours holds those.
 * All but the last hold the same columns: at first every column, as the peers do by default, then those that vsb holds of a
 * switch. Then a reconnect with nothing changed. Every measurement is a fresh process; rounds are interleaved; ratios are
 * of medians. ovsdb-server takes most of the time to write its reply: `bare node` without its CPU is about that, and is in
 * every line.
 */
import { readFileSync } from 'node:fs';
import {
  COLUMNS,
  countedColumns,
  measure,
  peers,
  printFigures,
  PYTHON,
  SCHEMA_FILE,
  script,
  withPorts,
} from './ovsdb-database.mjs';
import { median, printRatio } from './measure.mjs';

const ROUNDS = 7;
/** Python takes seconds. */
const PYTHON_ROUNDS = 3;
const { tables } = JSON.parse(readFileSync(SCHEMA_FILE, 'utf8'));
const ALL_COLUMNS = Object.fromEntries(
  Object.keys(COLUMNS).map((table) => [table, Object.keys(tables[table].columns)]),
);
/** Those of `ovs-vsctl show` (utilities/ovs-vsctl.c, cmd_show_tables). */
const SHOW_COLUMNS = {
  Open_vSwitch: ['bridges', 'manager_options', 'ovs_version'],
  Manager: ['target', 'is_connected'],
  Bridge: ['name', 'controller', 'datapath_type', 'fail_mode', 'ports'],
  Controller: ['target', 'is_connected'],
  Port: ['name', 'interfaces', 'tag', 'trunks'],
  Interface: ['name', 'type', 'options', 'error'],
};
/** A column of each table that nothing has this value in. */
const NOTHING = {
  Open_vSwitch: 'next_cfg=-7',
  Bridge: 'name=-',
  Controller: 'target=-',
  Port: 'name=-',
  Interface: 'name=-',
  QoS: 'type=-',
};

for (const table of Object.keys(COLUMNS)) if (!NOTHING[table]) throw new Error(`NOTHING has no ${table}`);

const ports = Number(process.argv[2] ?? 20_000);
console.log(peers());
console.log(`beside \`ovs-vsctl show\` held: ${countedColumns(SHOW_COLUMNS)}`);
await withPorts(ports, async (remote) => {
  await compare(remote, `every column of ${Object.keys(COLUMNS).join(', ')}`, ALL_COLUMNS);
  await compare(remote, countedColumns(COLUMNS), COLUMNS);
});

async function compare(remote, title, held) {
  const node = (side, columns) => () =>
    measure(process.execPath, script('ovsdb-side.mjs'), side, remote, JSON.stringify(columns));
  const vsctl =
    (...args) =>
    () =>
      measure('ovs-vsctl', '--no-wait', `--db=${remote}`, ...args);
  const find = Object.entries(held).flatMap(([table, columns]) => [
    '--',
    `--columns=${columns.join(',')}`,
    'find',
    table,
    NOTHING[table],
  ]);
  const sides = {
    'bare node': node('bare', held),
    ours: node('ours', held),
    'ovs-vsctl find': vsctl(...find.slice(1)),
    'ours, for show': node('ours', SHOW_COLUMNS),
    'ovs-vsctl show': vsctl('show'),
    reconnect: node('reconnect', held),
    'python ovs.db.idl': () =>
      measure(PYTHON, script('ovsdb-idl.py'), remote, JSON.stringify(held), SCHEMA_FILE, 'sync'),
  };
  const results = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, run] of Object.entries(sides))
      if (round < PYTHON_ROUNDS || !name.startsWith('python')) results[name].push(await run());
  const of = (name, figure) => median(results[name].map((result) => result[figure]));
  const figures = (name) => [name, of(name, 'wallMs'), of(name, 'cpuMs'), of(name, 'peakMb')];

  console.log(`\nFirst copy of ${ports} ports, median of ${ROUNDS} rounds (python ${PYTHON_ROUNDS})`);
  console.log(`  held: ${title}; a reply of ${of('bare node', 'megabytes').toFixed(1)} MB`);
  for (const name of Object.keys(sides)) if (name !== 'reconnect') printFigures(...figures(name));
  if (of('ours', 'rows') !== of('python ovs.db.idl', 'rows')) throw new Error('not the same rows');
  const python = 'python ovs.db.idl';
  printRatio('wall: ours / bare node', of('ours', 'wallMs'), of('bare node', 'wallMs'), '≤ 1.3');
  printRatio('CPU: ours / bare node', of('ours', 'cpuMs'), of('bare node', 'cpuMs'), '≤ 2');
  printRatio('wall: python / ours', of(python, 'wallMs'), of('ours', 'wallMs'), '≥ 6');
  printRatio('CPU: python / ours', of(python, 'cpuMs'), of('ours', 'cpuMs'));
  printRatio('memory: ours / python', of('ours', 'peakMb'), of(python, 'peakMb'), '≤ 0.7');
  printRatio('wall: ours / ovs-vsctl find', of('ours', 'wallMs'), of('ovs-vsctl find', 'wallMs'), '≤ 1');
  printRatio(
    'wall: ours, for show / ovs-vsctl show',
    of('ours, for show', 'wallMs'),
    of('ovs-vsctl show', 'wallMs'),
    '≤ 1',
  );
  const stallMs = of('ours', 'stallMs');
  const beyond = stallMs - of('bare node', 'parseMs');
  console.log(
    `  longest stall: ${stallMs.toFixed(0)} ms, ${beyond.toFixed(0)} ms beyond bare node's JSON.parse   (target ≤ 100 ms)`,
  );
  printRatio('reconnect / first copy', of('reconnect', 'againMs'), of('reconnect', 'firstMs'), '≤ 1.2');
  console.log(`  changes told after it: ${of('reconnect', 'changes')}   (target 0)`);
}
