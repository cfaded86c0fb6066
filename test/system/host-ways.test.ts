/** Devices of every kind from one file: made, moved between the switches, removed; and vsb killed in between. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { RunResult } from '../../src/process/run.ts';
import { vsb } from '../support/cli.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';

const SUITE_LIMIT_MS = 120_000;

describe('taps, macvtaps and Linux bridges of one topology', function () {
  this.timeout(SUITE_LIMIT_MS);
  let sandbox: TestSandbox;
  let directory: string;
  let file: string;

  before(async () => {
    sandbox = await startTestSandbox({ netns: true });
    directory = await mkdtemp(join(tmpdir(), 'vsb-h'));
    file = join(directory, 'mixed.vsb.yaml');
    await sandbox.inside('ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'peer0');
    for (const device of ['eth0', 'peer0']) await sandbox.inside('ip', 'link', 'set', device, 'up');
  });
  after(async () => {
    await rm(directory, { recursive: true });
    await sandbox[Symbol.asyncDispose]();
  });

  function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<RunResult> {
    return vsb(args, { env: { ...sandbox.env, ...env } });
  }
  async function runWell(...args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await run(args);
    expect(status, stderr).to.equal(0);
    return stdout;
  }
  const links = (): Promise<string> => sandbox.inside('ip', '-o', 'link', 'show');
  const link = (device: string): Promise<string> =>
    sandbox.inside('ip', '-d', '-o', 'link', 'show', 'dev', device);
  const ports = async (): Promise<string[]> =>
    (await sandbox.vsctl('list-ports', 'br0')).split('\n').filter((name) => name !== '');

  /** @param mover the network that the NIC `b:0` is in */
  async function write(mover: 'lan' | 'old'): Promise<void> {
    const topology = {
      version: 1,
      name: 'mixed',
      bridges: { br0: { datapath: 'netdev' } },
      networks: { lan: { bridge: 'br0' }, old: { linuxBridge: 'lbr0' }, out: {} },
      vms: {
        a: { cpus: 2, nics: [{ network: 'lan', queues: 2, mtu: 1400 }, { network: 'old' }] },
        b: { nics: [{ network: mover }, { network: 'out', backend: { macvtap: 'eth0', mode: 'vepa' } }] },
      },
    };
    await writeFile(file, JSON.stringify(topology)); // JSON is YAML
  }
  async function expectAllThere(mover: 'lan' | 'old'): Promise<void> {
    expect(await ports()).to.deep.equal(mover === 'lan' ? ['a-0', 'b-0'] : ['a-0']);
    expect(await link('a-0')).to.match(/mtu 1400 .*multi_queue numqueues/);
    expect(await link('a-1')).to.include('master lbr0');
    expect((await link('b-0')).includes('master lbr0')).to.equal(mover === 'old');
    expect(await link('b-1')).to.match(/b-1@eth0: .*macvtap mode vepa/);
    expect(await link('lbr0')).to.match(/\bUP\b.*forward_delay 0 /);
    expect(await runWell('plan', file)).to.include('nothing to change');
  }

  it('are planned and applied by kind, and the plan says what no switch will see', async () => {
    await write('old');
    const plan = JSON.parse(await runWell('plan', file, '-o', 'json')) as {
      readonly changes: readonly { readonly domain: string; readonly kind: string; readonly name: string }[];
      readonly notes: readonly string[];
    };
    expect(
      plan.changes.filter(({ domain }) => domain === 'host').map(({ kind, name }) => `${kind} ${name}`),
    ).to.have.members(['tap a-0', 'tap a-1', 'tap b-0', 'macvtap b-1', 'Linux bridge lbr0']);
    expect(plan.notes.join('\n')).to.match(/^b:1: no switch sees this traffic/m);
    await runWell('apply', file, '--yes');
    await expectAllThere('old');
  });

  it('move between a Linux bridge and Open vSwitch in one apply, and are in one of them alone', async () => {
    for (const mover of ['lan', 'old'] as const) {
      await write(mover);
      await runWell('apply', file, '--yes');
      await expectAllThere(mover);
    }
  });

  it('are gone afterwards, and what was there is as it was', async () => {
    await runWell('destroy', file, '--yes');
    expect(await links())
      .to.match(/eth0@peer0/)
      .and.to.not.match(/ (a-0|a-1|b-0|b-1@eth0|lbr0):/);
    expect((await run(['apply', file, '--yes', '-o', 'json'])).status).to.equal(0);
  });

  it('converge wherever vsb is killed, and leave nothing behind', async () => {
    await runWell('destroy', file, '--yes');
    const before = await links();
    const path = await killingIp();
    for (const kills of ['before', 'after'] as const) {
      const runKilled = async (verb: 'apply' | 'destroy'): Promise<void> => {
        const { status, stderr } = await run([verb, file, '--yes'], { PATH: path, KILLS: kills });
        expect(status, `${kills} ${verb}: ${stderr}`).to.equal(128 + constants.signals.SIGKILL);
      };
      for (const mover of ['old', 'lan'] as const) {
        await write(mover);
        await runKilled('apply');
        await runWell('apply', file, '--yes');
        await expectAllThere(mover);
      }
      await runKilled('destroy');
      await runWell('destroy', file, '--yes');
      expect(await links(), kills).to.equal(before);
    }
  });

  /**
   * A PATH whose `ip` kills the one that started it, at its first batch: before anything of it is done, or when vsb has
   * handed it over, so that it goes on without vsb.
   */
  async function killingIp(): Promise<string> {
    const real = (process.env['PATH'] ?? '').split(':').filter((one) => one !== '');
    const script = `#!/bin/sh
PATH=${real.join(':')}
case " $* " in *" -batch "*)
  [ "$KILLS" = before ] || cat >'${directory}/commands'
  kill -9 $PPID
  [ "$KILLS" = before ] && exit 1
  exec ip "$@" <'${directory}/commands' ;;
esac
exec ip "$@"
`;
    await writeFile(join(directory, 'ip'), script);
    await chmod(join(directory, 'ip'), 0o755);
    return `${directory}:${real.join(':')}`;
  }
});
