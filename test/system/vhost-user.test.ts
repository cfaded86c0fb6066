/** vhost-user: two guests over an Open vSwitch with DPDK, whose ports QEMU is the other end of. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import type { RunResult } from '../../src/process/run.ts';
import { vsb } from '../support/cli.ts';
import { startDpdkSandbox, type DpdkSandbox } from '../support/dpdk.ts';
import { guestImage } from '../support/guest-image.ts';
import { startTestSandbox } from '../support/sandbox.ts';

const SUITE_LIMIT_MS = 180_000;

const FOLLOWED = { queues: 2, ring: { rx: 512, tx: 1024 }, mtu: 1400 } as const;

describe('vhost-user', function () {
  this.timeout(SUITE_LIMIT_MS);
  let directory: string;
  let dpdk: DpdkSandbox;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'vsb-u'));
    dpdk = await startDpdkSandbox();
  });
  after(async () => {
    await dpdk[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  /** The first guest has what Open vSwitch has to follow: more queues, longer rings, another MTU. */
  async function topologyFile(backend: 'tap' | 'vhost-user'): Promise<string> {
    const image = await guestImage();
    const file = join(directory, 'dpdk.vsb.yaml');
    const guest = (name: string, place: number): [string, unknown] => [
      name,
      {
        memory: '128M',
        boot: { ...image, append: `console=ttyS0 quiet vsb.talk=10.7.0.${String(3 - place)}` },
        nics: [
          {
            ...{ network: 'lan', backend, ip: `10.7.0.${String(place)}` },
            ...(place === 1 && backend === 'vhost-user' ? FOLLOWED : {}),
          },
        ],
      },
    ];
    const topology = {
      version: 1,
      name: 'dpdk',
      bridges: { br0: { datapath: 'netdev' } },
      networks: { lan: { bridge: 'br0', vlan: 10, cidr: '10.7.0.0/24' } },
      vms: Object.fromEntries([guest('a', 1), guest('b', 2)]),
    };
    await writeFile(file, JSON.stringify(topology)); // JSON is YAML
    return file;
  }

  async function run(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<RunResult> {
    return vsb(args, {
      env: { ...env, VSB_RUN_DIR: join(directory, 'run'), VSB_ACCEL: 'tcg' },
      timeoutMs: SUITE_LIMIT_MS,
    });
  }
  async function runWell(...args: readonly string[]): Promise<RunResult> {
    const result = await run(dpdk.env, ...args);
    expect(result.status, result.stderr).to.equal(0);
    return result;
  }

  it('passes packets between guests, and is shown per VM as any other port', async () => {
    const file = await topologyFile('vhost-user');
    await runWell('apply', file, '--yes');
    expect((await dpdk.vsctl('get', 'interface', 'a-0', 'type')).trim()).to.equal('dpdkvhostuserclient');
    expect((await runWell('plan', file)).stdout).to.include('nothing to change');
    await runWell('vm', 'start', file, '--wait', 'GUEST-UP', '--timeout', '120s');
    for (const [vm, peer] of [
      ['a', '10.7.0.2'],
      ['b', '10.7.0.1'],
    ] as const) {
      const log = join(directory, 'run/dpdk', vm, 'console.log');
      while (!(await readFile(log, 'utf8')).includes(`GUEST-TALK ${peer} ping=ok tcp=1048576`))
        await delay(100);
    }
    const status = await dpdk.vsctl('get', 'interface', 'a-0', 'status', 'mtu');
    expect(status)
      .to.include('num_of_vrings="4"')
      .and.to.include('vring_0_size="512", vring_1_size="1024"')
      .and.to.match(/^1400$/m);
    const { stdout } = await runWell('watch', 'vms', '-o', 'ndjson', '--for', '3s');
    const last = stdout.trim().split('\n').at(-1) ?? '';
    expect(last).to.match(/"vm":"[ab]"/);
    const { stdout: pairs } = await runWell('matrix');
    expect(pairs).to.match(/^a\b/m).and.to.match(/^b\b/m);
    await runWell('vm', 'stop', file, '--force');
    expect((await runWell('plan', file)).stdout, 'after the guests').to.include('nothing to change');
  });

  it('turns into a tap and back', async () => {
    await runWell('apply', await topologyFile('tap'), '--yes');
    expect((await dpdk.vsctl('get', 'interface', 'a-0', 'type')).trim()).to.equal('""');
    const file = await topologyFile('vhost-user');
    const { stdout } = await runWell('plan', file);
    expect(stdout)
      .to.include('type: dpdkvhostuserclient')
      .and.to.match(/- tap +a-0/);
    await runWell('apply', file, '--yes');
    expect((await runWell('plan', file)).stdout).to.include('nothing to change');
    await runWell('destroy', file, '--yes');
    expect(await dpdk.vsctl('list-br')).to.equal('');
  });

  it('is refused by a switch without DPDK, with what to do', async () => {
    await using plain = await startTestSandbox({ netns: true });
    const { status, stdout, stderr } = await run(plain.env, 'plan', await topologyFile('vhost-user'));
    expect(stdout + stderr)
      .to.include('[VHOST_USER_UNAVAILABLE]')
      .and.include('openvswitch-switch-dpdk');
    expect(status).to.equal(1);
  });
});
