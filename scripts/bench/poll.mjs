/**
 * `node scripts/bench/poll.mjs`, after `npm run build`: what it costs to watch 1,000 NICs and 10,000 pairs each second, on a
 * private ovs-vswitchd with the datapath without devices:
 *  (a) processor time of this process, for pairs alone and for ports with pairs, as a share of a core;
 *  (b) processor time of ovs-vswitchd, less what it takes when nobody asks;
 *  (c) its longest stall: another process asks its control socket for `version` every 5 ms (JSON-RPC, ovs-appctl's way),
 *      and the longest answer counts. What the machine itself adds is beside it: the same while nobody polls.
 * Each pair has sent one packet; none moves while it is measured.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { toSettings } from '../../dist/app/settings.js';
import { traffic } from '../../dist/app/traffic.js';
import { pairCookie, restCookie } from '../../dist/openflow/accounting.js';
import { askControl, findControlSocket } from '../../dist/ovsdb/unixctl.js';
import { startSandbox, stopSandbox } from '../../dist/sandbox/sandbox.js';
import { toView } from '../../dist/traffic/views.js';

const NICS = 1000;
const PAIRS_OF_NIC = 10;
const SECONDS = 15;
/** `sysconf(_SC_CLK_TCK)`. */
const TICK_MS = 10;

const scratch = mkdtempSync(join(tmpdir(), 'vsb-bench-'));
const directory = join(scratch, 'ovs');
const { sandbox } = await startSandbox({ directory, datapath: 'dummy', netns: undefined });
try {
  addNics();
  addPairs();
  await sendPackets();
  const settings = toSettings({ remote: sandbox.remote, ovsRundir: directory }, {});
  const idle = await measure(undefined);
  print('nobody asks', idle);
  for (const asked of ['pairs', 'both']) {
    const measured = await measure({ settings, everyMs: 1000, asked, restores: false });
    print(asked === 'pairs' ? 'pairs' : 'ports and pairs', measured, idle);
  }
} finally {
  await stopSandbox(directory, { force: true });
  rmSync(scratch, { recursive: true, force: true });
}

function addNics() {
  const args = ['--db', sandbox.remote, 'add-br', 'br0', '--', 'set', 'Bridge', 'br0'];
  args.push('external_ids:vswitchboard=bench', 'external_ids:vswitchboard-visibility=pairs');
  for (let n = 1; n <= NICS; n++) {
    args.push('--', 'add-port', 'br0', `p${n}`, '--', 'set', 'Interface', `p${n}`, `ofport_request=${n}`);
    args.push('external_ids:vswitchboard=bench', `external_ids:vswitchboard-vm=vm${n}`);
    args.push('external_ids:vswitchboard-nic=0');
  }
  execFileSync('ovs-vsctl', args);
}

/** Of the accounting pipeline the table that is read; in place of the others one rule for each NIC. */
function addPairs() {
  const lines = [];
  for (let n = 1; n <= NICS; n++) {
    lines.push(
      `table=0,priority=100,in_port=${n},` +
        `actions=set_field:${n}->reg0,move:NXM_OF_ETH_DST[0..15]->NXM_NX_REG1[0..15],resubmit(,50)`,
    );
    lines.push(`cookie=${restCookie(n)},table=50,priority=1,reg0=${n},actions=drop`);
    for (let k = 1; k <= PAIRS_OF_NIC; k++) {
      const to = peerOf(n, k);
      lines.push(
        `cookie=${pairCookie(n)},table=50,priority=100,send_flow_rem,reg0=${n},reg1=${to},actions=drop`,
      );
    }
  }
  const file = join(scratch, 'flows');
  writeFileSync(file, lines.join('\n'));
  execFileSync('ovs-ofctl', ['-O', 'OpenFlow14', 'add-flows', `unix:${directory}/br0.mgmt`, file]);
}

function peerOf(n, k) {
  return ((n + k - 1) % NICS) + 1;
}

/** One for each pair; then until the datapath has forgotten the flows that this made. */
async function sendPackets() {
  const socket = await findControlSocket(directory);
  for (let n = 1; n <= NICS; n++) {
    for (let k = 1; k <= PAIRS_OF_NIC; k++) {
      const to = peerOf(n, k).toString(16).padStart(4, '0');
      const flow =
        `in_port(1),eth(src=02:00:00:00:00:01,dst=02:00:00:00:${to.slice(0, 2)}:${to.slice(2)}),` +
        'eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=no),udp(src=1,dst=2)';
      await askControl(socket, 'netdev-dummy/receive', [`p${n}`, flow], { timeoutMs: 10_000 });
    }
  }
  await wait(15_000);
}

async function measure(options) {
  let readings = 0;
  let pairs = 0;
  const subscription =
    options &&
    traffic(options).subscribe((reading) => {
      readings++;
      pairs = toView('pairs', reading).pairs.length;
    });
  await wait(3000);
  const prober = startProber();
  const before = { own: process.cpuUsage(), theirs: cpuOfSwitch(), atMs: performance.now(), readings };
  await wait(SECONDS * 1000);
  const elapsedMs = performance.now() - before.atMs;
  const { user, system } = process.cpuUsage(before.own);
  const theirsMs = cpuOfSwitch() - before.theirs;
  const stallMs = await prober.end();
  subscription?.unsubscribe();
  return {
    own: (user + system) / 1000 / elapsedMs,
    theirs: theirsMs / elapsedMs,
    stallMs,
    readings: readings - before.readings,
    pairs,
  };
}

function cpuOfSwitch() {
  const pid = readFileSync(join(directory, 'ovs-vswitchd.pid'), 'utf8').trim();
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** In a process of its own, so that our own pauses are not taken for the switch's. */
function startProber() {
  const code = `
    const { connect } = require('node:net');
    const { readdirSync } = require('node:fs');
    const name = readdirSync(${JSON.stringify(directory)}).find((one) => /^ovs-vswitchd.*ctl$/.test(one));
    const socket = connect(${JSON.stringify(directory)} + '/' + name);
    let longest = 0, askedMs, id = 0;
    const ask = () => {
      askedMs = performance.now();
      socket.write(JSON.stringify({ id: id++, method: 'version', params: [] }));
    };
    socket.on('connect', ask);
    socket.on('data', () => {
      longest = Math.max(longest, performance.now() - askedMs);
      setTimeout(ask, 5);
    });
    process.on('SIGTERM', () => { console.log(longest); process.exit(0); });
  `;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (text) => (output += text));
  const closed = new Promise((resolve) => child.once('close', resolve));
  return {
    async end() {
      child.kill('SIGTERM');
      await closed;
      return Number(output);
    },
  };
}

function print(name, { own, theirs, stallMs, readings, pairs }, idle) {
  const percent = (share) => `${(share * 100).toFixed(1)} %`;
  console.log(`\n${name}: ${readings} readings in ${SECONDS} s, ${pairs} pairs shown`);
  if (idle) {
    console.log(`  our process: ${percent(own - idle.own)} of a core   (target ≤ 5 %)`);
    console.log(`  ovs-vswitchd: ${percent(theirs - idle.theirs)} of a core   (target ≤ 5 %)`);
  } else console.log(`  our process: ${percent(own)}, ovs-vswitchd: ${percent(theirs)} of a core`);
  console.log(
    `  longest answer of ovs-vswitchd: ${stallMs.toFixed(1)} ms   ${idle ? '(target ≤ 50 ms)' : ''}`,
  );
}
