/**
 * `npx tsx scripts/bench/provision.ts`: what one apply of many VM ports costs, on a database-only sandbox, beside
 *  (a) the same operations as one raw `transact`: a socket, JSON.stringify, JSON.parse, nothing else;
 *  (b) one `ovs-vsctl` call with all `add-port`s: bare ones (a tag and nothing else), and such as write what apply
 *      writes (VLAN mode, owner, ids, OpenFlow port number).
 * Each measurement has a database of its own; rounds are interleaved; ratios are of the medians.
 * In a process of its own each time, from the first byte read of the topology to the outcome, modules loaded before; the
 * time of the whole command, with Node's own start, stands beside it.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSandbox, stopSandbox } from '../../src/sandbox/sandbox.ts';
import { manyVms, median, node, printRatio } from './measure.ts';

const ROUNDS = 5;

await main();

async function main(): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'vsb-bench-'));
  try {
    for (const ports of [1000, 5000]) await provision(scratch, ports);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function provision(scratch: string, ports: number): Promise<void> {
  const file = join(scratch, `vms-${String(ports)}.vsb.yaml`);
  writeFileSync(file, manyVms(ports));
  const times: Record<'apply' | 'command' | 'raw' | 'vsctl bare' | 'vsctl same', number[]> = {
    apply: [],
    command: [],
    raw: [],
    'vsctl bare': [],
    'vsctl same': [],
  };
  for (let round = 0; round < ROUNDS; round++) {
    times.raw.push(await onFreshDatabase(scratch, (remote) => inner('raw', remote, file)));
    times.apply.push(await onFreshDatabase(scratch, (remote) => inner('apply', remote, file)));
    times.command.push(await onFreshDatabase(scratch, (remote) => command(remote, file)));
    // With thousands of ports one call takes ovs-vsctl seconds to minutes: once is enough, and the full ones too much.
    if (ports > 1000 && round > 0) continue;
    times['vsctl bare'].push(await onFreshDatabase(scratch, (remote) => vsctl(remote, ports, [])));
    if (ports > 1000) continue;
    times['vsctl same'].push(await onFreshDatabase(scratch, (remote) => vsctl(remote, ports, SAME)));
  }
  console.log(`\n${String(ports)} VM ports, median of ${String(ROUNDS)} rounds`);
  const measured = Object.entries(times).filter(([, all]) => all.length > 0);
  const medians = Object.fromEntries(measured.map(([name, all]) => [name, median(all)]));
  for (const [name, ms] of Object.entries(medians))
    console.log(`  ${name.padEnd(10)} ${ms.toFixed(0).padStart(7)} ms`);
  printRatio('apply / raw transact', medians['apply'], medians['raw'], '≤ 1.5');
  printRatio('ovs-vsctl, bare / apply', medians['vsctl bare'], medians['apply']);
  if (ports > 1000) return;
  printRatio('ovs-vsctl, the same rows / apply', medians['vsctl same'], medians['apply'], '≥ 10');
  printRatio('ovs-vsctl, the same rows / raw transact', medians['vsctl same'], medians['raw']);
}

async function onFreshDatabase(scratch: string, measure: (remote: string) => number): Promise<number> {
  const directory = mkdtempSync(join(scratch, 'db-'));
  const { sandbox } = await startSandbox({ directory, datapath: 'none', netns: undefined });
  try {
    return measure(sandbox.remote);
  } finally {
    await stopSandbox(directory);
  }
}

function inner(mode: 'apply' | 'raw', remote: string, file: string): number {
  return Number(node('scripts/bench/provision-inner.mjs', mode, remote, file));
}

function command(remote: string, file: string): number {
  const start = performance.now();
  const args = ['dist/cli/main.js', 'apply', file, '--yes', '--database-only', '--remote', remote];
  execFileSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  return performance.now() - start;
}

/** What apply writes on an Interface, with `%` for the VM's number. */
const SAME = [
  'ofport_request=%',
  'external_ids:attached-mac=52:54:00:00:00:01',
  'external_ids:iface-id=00000000-0000-8000-8000-00000000%',
  'external_ids:vm-id=00000000-0000-8000-8000-00000000%',
  'external_ids:vswitchboard=bench',
  'external_ids:vswitchboard-network=web',
  'external_ids:vswitchboard-nic=0',
  'external_ids:vswitchboard-vm=vm%',
];

function vsctl(remote: string, ports: number, settings: readonly string[]): number {
  const args = ['--no-wait', `--db=${remote}`, 'add-br', 'br0'];
  for (let index = 0; index < ports; index++) {
    const name = `vm${String(index)}-0`;
    args.push('--', 'add-port', 'br0', name, 'tag=10');
    if (settings.length === 0) continue;
    args.push('vlan_mode=access', 'external_ids:vswitchboard=bench', '--', 'set', 'Interface', name);
    args.push(...settings.map((setting) => setting.replace('%', String(32768 + index))));
  }
  const start = performance.now();
  execFileSync('ovs-vsctl', args, { stdio: 'ignore' });
  return performance.now() - start;
}
