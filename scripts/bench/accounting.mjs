/**
 * `node scripts/bench/accounting.mjs [ROUNDS]`, after `npm run build`, as root: what the accounting pipeline costs on the
 * userspace datapath, beside the same bridge with NORMAL alone. Two network namespaces on one bridge.
 *  CPU: of ovs-vswitchd, all threads (schedstat), for UDP packets in 200 flows, sent at a rate that it can follow.
 *  Throughput: one TCP connection, as fast as it goes, without offloads.
 * How much CPU a packet takes depends on how many are waiting when the switch looks, so on what else the machine does:
 * the modes take turns in short rounds, and a ratio is the median of those of the rounds. Only what is settled is
 * measured: the first packets of a pair take another way.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toSettings } from '../../dist/app/settings.js';
import { connectSwitch } from '../../dist/app/switchclient.js';
import { startSandbox, stopSandbox } from '../../dist/sandbox/sandbox.js';
import { toPipelineBridges } from '../../dist/switch/pipeline/pipelinebridge.js';
import { ensurePipeline } from '../../dist/switch/pipeline/pipelinewriter.js';
import { median, printRatio } from './measure.mjs';

const ROUNDS = Number(process.argv[2] ?? 40);
const PACKETS = 40_000;
/** Packets of one round. */
const SLICE = 4000;
const ATTEMPTS = 10;
const TCP_S = 1;
const BRIDGE = 'br0';
const ENDS = [
  { vm: 'web1', mac: '52:54:00:00:00:01', ip: '10.9.0.1' },
  { vm: 'db1', mac: '52:54:00:00:00:02', ip: '10.9.0.2' },
];

/** Frames of 542 bytes in 200 flows, ten at a time. */
const UDP = `
import socket, sys, time
flows = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(200)]
for f in flows: f.connect(('10.9.0.2', 2000))
data = bytes(500)
for n in range(int(sys.argv[1]) // 10):
    for k in range(10): flows[(n * 10 + k) % 200].send(data)
    time.sleep(0.0005)
`;
const SINK = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('10.9.0.2', 2000))
print('ready', flush=True)
while True: s.recv(2048)
`;
const TCP_SINK = `
import socket, time
s = socket.create_server(('10.9.0.2', 5000))
print('ready', flush=True)
while True:
    c, _ = s.accept()
    received, start = 0, time.monotonic()
    while True:
        data = c.recv(1 << 18)
        if not data: break
        received += len(data)
    print(received / (time.monotonic() - start), flush=True)
`;
const TCP = `
import socket, sys, time
c = socket.create_connection(('10.9.0.2', 5000))
data, end = bytes(1 << 16), time.monotonic() + float(sys.argv[1])
while time.monotonic() < end: c.sendall(data)
`;

const directory = join(mkdtempSync(join(tmpdir(), 'vsb-bench-')), 'switch');
const netns = `vsb-bench-${String(process.pid)}`;
const { sandbox } = await startSandbox({ directory, datapath: 'netdev', netns });
const namespaces = ENDS.map(({ vm }) => `${netns}-${vm}`);
const made = [];
const sinks = [];
let client;
try {
  plug();
  sinks.push(await startSink(SINK), await startSink(TCP_SINK));
  client = await connectSwitch(toSettings({ remote: sandbox.remote }, {}));
  await measure(client);
} finally {
  await client?.close();
  for (const { child } of sinks) child.kill('SIGKILL');
  await stopSandbox(directory, { force: true });
  for (const name of made) run('ip', 'netns', 'del', name);
  rmSync(join(directory, '..'), { recursive: true, force: true });
}

async function measure(client) {
  const modes = {
    plain: () => ofctl('del-flows', BRIDGE, 'cookie=0x5642000000000000/0xffff000000000000'),
    accounting: async () => {
      const [{ restored, error }] = await ensurePipeline(toPipelineBridges(client.snapshot()).values(), {
        ovsRundir: directory,
      });
      if (error !== undefined || restored === 0) throw new Error('no pipeline', { cause: error });
    },
  };
  const cpu = { plain: [], accounting: [] };
  const rate = { plain: [], accounting: [] };
  for (let round = 0; round < ROUNDS; round++) {
    // Each mode is the first of every other round.
    for (const name of round % 2 === 0 ? ['plain', 'accounting'] : ['accounting', 'plain']) {
      await modes.plain();
      await modes[name]();
      // Addresses are known, the pairs' rows are there both ways, and the datapath's flows are made with them.
      sendUdp(1000);
      await measureTcp(0.1);
      run('ovs-appctl', '-t', controlSocket(), 'revalidator/wait');
      cpu[name].push(measureCpu());
      rate[name].push(await measureTcp(TCP_S));
    }
  }
  console.log(`  CPU of ovs-vswitchd for ${PACKETS} packets: ${each(cpu, (ms) => `${ms.toFixed(0)} ms`)}`);
  console.log(`  TCP: ${each(rate, (bytes) => `${((bytes * 8) / 1e6).toFixed(0)} Mbit/s`)}`);
  printRatio('CPU, accounting / NORMAL', ratio(cpu), 1, '≤ 1.08');
  printRatio('throughput, accounting / NORMAL', ratio(rate), 1, '≥ 0.97');
}

function ratio({ plain, accounting }) {
  return median(plain.map((value, round) => accounting[round] / value));
}

function each({ plain, accounting }, render) {
  return `NORMAL ${render(median(plain))}, accounting ${render(median(accounting))}`;
}

/** Milliseconds of CPU for the packets that came through; again where a busy machine lost some. */
function measureCpu() {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const [packets, before] = [receivedPackets(), cpuMs()];
    sendUdp(SLICE);
    const [through, used] = [receivedPackets() - packets, cpuMs() - before];
    if (through >= SLICE * 0.999) return (used * PACKETS) / through;
  }
  throw new Error('packets were lost each time: the machine is too busy');
}

function sendUdp(packets) {
  inside(0, 'python3', '-c', UDP, String(packets));
}

async function measureTcp(seconds) {
  const [, sink] = sinks;
  const line = sink.line();
  inside(0, 'python3', '-c', TCP, String(seconds));
  return Number(await line);
}

function receivedPackets() {
  const text = execFileSync('ip', ['-n', namespaces[1], '-j', '-s', 'link', 'show', 'eth0'], {
    encoding: 'utf8',
  });
  return JSON.parse(text)[0].stats64.rx.packets;
}

function controlSocket() {
  return join(directory, `ovs-vswitchd.${vswitchdPid()}.ctl`);
}

function vswitchdPid() {
  return readFileSync(join(directory, 'ovs-vswitchd.pid'), 'utf8').trim();
}

/** Nanoseconds on a CPU, of every thread (Documentation/scheduler/sched-stats.rst). */
function cpuMs() {
  const pid = vswitchdPid();
  const tasks = readdirSync(`/proc/${pid}/task`);
  const times = tasks.map((task) =>
    Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]),
  );
  return times.reduce((sum, ns) => sum + ns, 0) / 1e6;
}

/** A namespace for each end, its veth on the bridge; the bridge is one of ours, and the ends are NICs. */
function plug() {
  const ids = ['external_ids:vswitchboard=bench', 'external_ids:vswitchboard-visibility=pairs'];
  vsctl('add-br', BRIDGE, '--', 'set', 'Bridge', BRIDGE, 'datapath_type=netdev', ...ids);
  ENDS.forEach(({ vm, mac, ip }, index) => {
    const name = namespaces[index];
    run('ip', 'netns', 'add', name);
    made.push(name);
    run('ip', '-n', netns, 'link', 'add', vm, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    run('ip', '-n', name, 'link', 'set', 'eth0', 'address', mac);
    run('ip', '-n', name, 'addr', 'add', `${ip}/24`, 'dev', 'eth0');
    run('ip', '-n', name, 'link', 'set', 'eth0', 'up');
    run('ip', '-n', netns, 'link', 'set', vm, 'up');
    inside(index, 'ethtool', '-K', 'eth0', 'tx', 'off', 'tso', 'off', 'gso', 'off');
    vsctl(
      ...['add-port', BRIDGE, vm, '--', 'set', 'Interface', vm],
      ...[`external_ids:attached-mac="${mac}"`, `external_ids:vm-id=${vm}`],
    );
  });
}

/** A program in the second namespace that has said that it is ready, and the lines that it says then. */
async function startSink(program) {
  const child = spawn('ip', ['netns', 'exec', namespaces[1], 'python3', '-c', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout.setEncoding('utf8');
  const line = async () => String((await once(child.stdout, 'data'))[0]).trim();
  await line();
  return { child, line };
}

function inside(index, ...command) {
  run('ip', 'netns', 'exec', namespaces[index], ...command);
}

function vsctl(...args) {
  run('ovs-vsctl', `--db=${sandbox.remote}`, ...args);
}

function ofctl(...[command, bridge, ...args]) {
  run('ovs-ofctl', '-O', 'OpenFlow14', command, `unix:${directory}/${bridge}.mgmt`, ...args);
}

function run(program, ...args) {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'], timeout: 120_000 });
}
