/**
 * `node scripts/bench/flow-stats.mjs [RULES]`, after `npm run build`: reading the statistics of all rules of a bridge
 * through our OpenFlow client, beside `ovs-ofctl dump-flows` of the same to a file. The bridge is one of a private Open
 * vSwitch with the dummy datapath; its rules are those of the accounting pipeline, half rows of pairs, half of
 * destinations.
 * Of each rule are taken either the figures of a pair (registers, cookie, packets, bytes, duration), or everything, match
 * and instructions too. Each is measured as a whole process, from its start to its end, and inside of a process that has
 * started (connecting included); the second reading in it shows what a poller pays. ovs-vswitchd makes the reply in both.
 * Rounds are interleaved; ratios are of medians.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, openSync, closeSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median, printRatio } from './measure.mjs';

const ROUNDS = 9;
const SELF = fileURLToPath(import.meta.url);
const SIDE = '--side';
const OFCTL = 'ovs-ofctl';

if (process.argv[2] === SIDE) await readRules(process.argv[3], process.argv[4]);
else await compare(Number(process.argv[2] ?? 100_000));

/** One side: connects, reads and decodes twice, and prints what each took. */
async function readRules(socket, what) {
  const { OpenFlowConnection } = await import('../../dist/openflow/connection.js');
  const connecting = performance.now();
  const connection = await OpenFlowConnection.connect(socket, { limitMs: 30_000 });
  const { rules } = await readOnce(connection, what);
  const firstMs = performance.now() - connecting;
  const again = performance.now();
  const cpuBefore = process.cpuUsage();
  await readOnce(connection, what);
  const cpu = process.cpuUsage(cpuBefore);
  const secondMs = performance.now() - again;
  console.log(JSON.stringify({ rules, firstMs, secondMs, secondCpuMs: (cpu.user + cpu.system) / 1000 }));
  await connection[Symbol.asyncDispose]();
}

/** Sums, so that nothing is left out as not needed. */
async function readOnce(connection, what) {
  let rules = 0;
  let counted = 0n;
  let others = 0;
  await connection.eachFlow({}, (flow) => {
    rules++;
    counted += flow.packets + flow.bytes + flow.cookie;
    others += (flow.register(0) ?? 0) + (flow.register(1) ?? 0) + flow.durationMs;
    if (what === 'pairs') return;
    others += flow.tableId + flow.priority + flow.idleTimeoutS + flow.hardTimeoutS + flow.flags;
    others += flow.match.length + flow.instructions.length;
  });
  return { rules, counted, others };
}

async function compare(rules) {
  const { startSandbox, stopSandbox } = await import('../../dist/sandbox/sandbox.js');
  const scratch = mkdtempSync(join(tmpdir(), 'vsb-bench-'));
  const directory = join(scratch, 'ovs');
  try {
    await startSandbox({ directory, datapath: 'dummy', netns: undefined });
    addRules(directory, rules);
    measureSides(directory, scratch, rules);
  } finally {
    await stopSandbox(directory, { force: true });
    rmSync(scratch, { recursive: true, force: true });
  }
}

function addRules(directory, rules) {
  const file = join(directory, 'rules');
  writeFileSync(file, Array.from({ length: rules }, (_, index) => ruleOf(index)).join('\n'));
  ovs(directory, 'ovs-vsctl', 'add-br', 'br0');
  ovs(directory, OFCTL, 'del-flows', 'br0');
  ovs(directory, OFCTL, '-OOpenFlow14', '--bundle', 'add-flows', 'br0', file);
}

/** By turns the row of a pair and that of a destination. */
function ruleOf(index) {
  const [source, destination] = [32768 + Math.floor(index / 1000), 32768 + (index % 1000)];
  if (index % 2 === 0) {
    const cookie = 0x564201f000000000n + BigInt(source);
    return `table=50,priority=100,cookie=${cookie},idle_timeout=300,send_flow_rem,reg0=${source},reg1=${destination},actions=drop`;
  }
  const mac = `52:54:00:${[16, 8, 0].map((shift) => ((index >> shift) & 255).toString(16)).join(':')}`;
  const cookie = 0x5642010000000000n + BigInt(index);
  return `table=30,priority=100,cookie=${cookie},reg3=10,dl_dst=${mac},actions=set_field:${destination}->reg1,resubmit(,50),resubmit(,60)`;
}

function measureSides(directory, scratch, rules) {
  const socket = join(directory, 'br0.mgmt');
  const sides = {
    'ovs-ofctl': () => wall(() => dumpToFile(directory, join(scratch, 'flows'))),
    pairs: () => side(socket, 'pairs', rules),
    everything: () => side(socket, 'everything', rules),
    'node alone': () => wall(() => execFileSync(process.execPath, ['-e', ''])),
  };
  const results = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, run] of Object.entries(sides)) results[name].push(run());
  const of = (name, figure) => median(results[name].map((result) => result[figure]));

  console.log(`${rules} rules, median of ${ROUNDS} rounds, node ${process.version}`);
  console.log(`  ovs-ofctl dump-flows to a file: ${of('ovs-ofctl', 'wallMs').toFixed(0)} ms wall`);
  console.log(`  node that does nothing: ${of('node alone', 'wallMs').toFixed(0)} ms wall`);
  for (const name of ['pairs', 'everything']) {
    const [first, second, cpu] = ['firstMs', 'secondMs', 'secondCpuMs'].map((figure) => of(name, figure));
    console.log(
      `  ours, ${name}: first ${first.toFixed(0)} ms, second ${second.toFixed(0)} ms (${cpu.toFixed(0)} ms CPU)`,
    );
    printRatio(`${name}, first reading / ovs-ofctl`, first, of('ovs-ofctl', 'wallMs'), '≤ 0.5');
    printRatio(`${name}, second reading / ovs-ofctl`, second, of('ovs-ofctl', 'wallMs'), '≤ 0.5');
    printRatio(
      `${name}, whole process of one reading / ovs-ofctl`,
      of(name, 'onceMs'),
      of('ovs-ofctl', 'wallMs'),
    );
  }
}

/** `onceMs` is the whole process less its second reading. */
function side(socket, what, rules) {
  let output = '';
  const { wallMs } = wall(() => {
    output = execFileSync(process.execPath, [SELF, SIDE, socket, what], { encoding: 'utf8' });
  });
  const result = JSON.parse(output);
  if (result.rules !== rules) throw new Error(`${result.rules} rules were read`);
  return { ...result, onceMs: wallMs - result.secondMs };
}

function dumpToFile(directory, file) {
  const out = openSync(file, 'w');
  try {
    execFileSync(OFCTL, ['-OOpenFlow13', 'dump-flows', 'br0'], {
      env: { ...process.env, OVS_RUNDIR: directory },
      stdio: ['ignore', out, 'inherit'],
    });
  } finally {
    closeSync(out);
  }
}

function wall(act) {
  const start = performance.now();
  act();
  return { wallMs: performance.now() - start };
}

function ovs(directory, program, ...args) {
  execFileSync(program, ['--timeout=60', ...args], { env: { ...process.env, OVS_RUNDIR: directory } });
}
