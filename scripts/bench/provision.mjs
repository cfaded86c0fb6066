/**
 * `node scripts/bench/provision.mjs`, after `npm run build`: what one apply of many VM ports costs, from the text of the
 * topology to the outcome, on a database-only sandbox, beside
 *  (a) the same operations as one raw `transact`: a socket, JSON.stringify, JSON.parse, nothing else;
 *  (b) one `ovs-vsctl` call with all `add-port`s: bare ones (a tag and nothing else), and such as write what apply
 *      writes (VLAN mode, owner, ids, OpenFlow port number).
 * Each measurement has a fresh database of its own; rounds are interleaved; ratios are of medians. The first round is
 * shown apart: in it every line of ours runs for the first time. `command` is the whole `vsb apply`, a new process with
 * Node's own start each time.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apply } from '../../dist/app/apply.js';
import { toSettings } from '../../dist/app/settings.js';
import { connectSwitch } from '../../dist/app/switchclient.js';
import { loadTopology } from '../../dist/app/topology.js';
import { startSandbox, stopSandbox } from '../../dist/sandbox/sandbox.js';
import { diffSwitch } from '../../dist/switch/diff.js';
import { observeSwitch } from '../../dist/switch/observe.js';
import { compileChanges } from '../../dist/switch/transaction.js';
import { manyVms, median, printRatio } from './measure.mjs';

const ROUNDS = 8;

/** What apply writes on an Interface, with `%` for a number that differs from VM to VM. */
const SAME_ROW = [
  'ofport_request=%',
  'external_ids:attached-mac=52:54:00:00:00:01',
  'external_ids:iface-id=00000000-0000-8000-8000-00000000%',
  'external_ids:vm-id=00000000-0000-8000-8000-00000000%',
  'external_ids:vswitchboard=bench',
  'external_ids:vswitchboard-network=web',
  'external_ids:vswitchboard-nic=0',
  'external_ids:vswitchboard-vm=vm%',
];

const scratch = mkdtempSync(join(tmpdir(), 'vsb-bench-'));
try {
  // The larger size first, so that the first round of it is a first round.
  for (const ports of [5000, 2000, 1000]) await provision(ports);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function provision(ports) {
  const file = join(scratch, `vms-${ports}.vsb.yaml`);
  writeFileSync(file, manyVms(ports));
  const times = { raw: [], apply: [], command: [], 'ovs-vsctl bare': [], 'ovs-vsctl same': [] };
  for (let round = 0; round < ROUNDS; round++) {
    times.apply.push(await onFreshDatabase((remote) => measureApply(remote, file)));
    times.raw.push(await onFreshDatabase((remote) => measureRaw(remote, file)));
    // A whole command takes Node's start on top, and thousands of ports take ovs-vsctl seconds to minutes.
    if (round < 3) times.command.push(await onFreshDatabase((remote) => measureCommand(remote, file)));
    if (ports <= 2000 || round === 0) {
      times['ovs-vsctl bare'].push(await onFreshDatabase((remote) => measureVsctl(remote, ports, [])));
    }
    if (ports <= 2000 && round < 3) {
      times['ovs-vsctl same'].push(await onFreshDatabase((remote) => measureVsctl(remote, ports, SAME_ROW)));
    }
  }
  const first = { apply: times.apply.shift(), raw: times.raw.shift() };
  const medians = Object.fromEntries(
    Object.entries(times)
      .filter(([, all]) => all.length > 0)
      .map(([name, all]) => [name, median(all)]),
  );
  console.log(`\n${ports} VM ports, median of ${ROUNDS - 1} rounds after the first`);
  for (const [name, ms] of Object.entries(medians))
    console.log(`  ${name.padEnd(14)} ${ms.toFixed(0).padStart(6)} ms`);
  printRatio('apply / raw transact', medians.apply, medians.raw, '≤ 1.5');
  printRatio('the same in the first round', first.apply, first.raw);
  // Ports with a tag and nothing more, of which one apply makes rows with owner, NIC, address and number.
  printRatio(
    'ovs-vsctl, bare ports / apply',
    medians['ovs-vsctl bare'],
    medians.apply,
    '≥ 10 at 1,000, growing',
  );
  if (ports > 2000) return;
  printRatio(
    'ovs-vsctl, the same rows / apply',
    medians['ovs-vsctl same'],
    medians.apply,
    '≥ 10 at 1,000, growing',
  );
  printRatio('ovs-vsctl, the same rows / raw transact', medians['ovs-vsctl same'], medians.raw);
}

async function onFreshDatabase(measure) {
  const directory = mkdtempSync(join(scratch, 'db-'));
  const { sandbox } = await startSandbox({ directory, datapath: 'none', netns: undefined });
  try {
    return await measure(sandbox.remote);
  } finally {
    await stopSandbox(directory);
  }
}

async function measureApply(remote, file) {
  const start = performance.now();
  const report = await apply(file, {
    settings: toSettings({ remote }, {}),
    databaseOnly: true,
    deadlineMs: 10_000,
    confirm: () => Promise.resolve(true),
  });
  const ms = performance.now() - start;
  if (report.outcome !== 'applied') throw new Error('nothing was applied');
  return ms;
}

/** The operations that apply sends, made before the clock starts. */
async function measureRaw(remote, file) {
  const desired = await loadTopology(file);
  const client = await connectSwitch(toSettings({ remote }, {}), { follow: false });
  const observed = observeSwitch(client.snapshot());
  const { operations } = compileChanges(diffSwitch(desired, observed).changes, observed);
  await client.close();

  const start = performance.now();
  const socket = connect(remote.replace(/^unix:/, ''));
  socket.write(JSON.stringify({ id: 1, method: 'transact', params: ['Open_vSwitch', ...operations] }));
  const chunks = [];
  for await (const chunk of socket) {
    chunks.push(chunk);
    // The reply is the only message, and ends like this.
    if (Buffer.concat(chunks.slice(-2)).subarray(-14).includes('"error":null}')) break;
  }
  const reply = JSON.parse(Buffer.concat(chunks).toString());
  const ms = performance.now() - start;
  const failed = reply.result.find((result) => 'error' in result);
  if (reply.result.length !== operations.length || failed) throw new Error('the transaction failed');
  return ms;
}

function measureCommand(remote, file) {
  const start = performance.now();
  const args = ['dist/cli/main.js', 'apply', file, '--yes', '--database-only', '--remote', remote];
  execFileSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  return performance.now() - start;
}

function measureVsctl(remote, ports, settings) {
  const args = ['--no-wait', `--db=${remote}`, 'add-br', 'br0'];
  for (let index = 0; index < ports; index++) {
    const name = `vm${index}-0`;
    args.push('--', 'add-port', 'br0', name, 'tag=10');
    if (settings.length === 0) continue;
    args.push('vlan_mode=access', 'external_ids:vswitchboard=bench', '--', 'set', 'Interface', name);
    args.push(...settings.map((setting) => setting.replace('%', String(32768 + index))));
  }
  const start = performance.now();
  execFileSync('ovs-vsctl', args, { stdio: 'ignore' });
  return performance.now() - start;
}
