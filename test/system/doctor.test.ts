/** `vsb doctor` on this host and a real Open vSwitch. What the host has differs from host to host; the switch is ours. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { vsb } from '../support/cli.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';

interface Document {
  readonly formatVersion: string;
  readonly isWell: boolean;
  readonly checks: readonly { name: string; state: string; found: string; why: string; remedy?: string }[];
}

describe('vsb doctor', function () {
  this.timeout(60_000);
  let scratch: string;
  let sandbox: TestSandbox;

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'vsb-doctor-'));
    sandbox = await startTestSandbox();
    await sandbox.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=netdev');
  });
  after(async () => {
    await sandbox[Symbol.asyncDispose]();
    await rm(scratch, { recursive: true });
  });

  async function doctor(...args: string[]): Promise<{ status: number; document: Document }> {
    const { status, stdout, stderr } = await vsb(['doctor', '-o', 'json', ...args], { env: sandbox.env });
    expect(stderr).to.equal('');
    return { status, document: JSON.parse(stdout) as Document };
  }
  const find = ({ checks }: Document, name: string): Document['checks'][number] | undefined =>
    checks.find((check) => check.name === name);

  it('finds the daemons well, and the trap of the userspace datapath', async () => {
    const { status, document } = await doctor();
    expect(document.formatVersion).to.equal('1.0');
    expect(find(document, 'ovs-database')?.state).to.equal('ok');
    expect(find(document, 'ovs-vswitchd')?.state).to.equal('ok');
    expect(find(document, 'ovs-version')?.found).to.match(/^\d+\.\d+\.\d+/);
    // The sandbox has it on.
    expect(find(document, 'offloads')?.state).to.equal('ok');
    await sandbox.vsctl('set', 'Open_vSwitch', '.', 'other_config:userspace-tso-enable=false');
    const offloads = find((await doctor()).document, 'offloads');
    expect(offloads?.state).to.equal('warning');
    expect(offloads?.found).to.include('br0');
    expect(offloads?.remedy).to.include('userspace-tso-enable=true');
    const problems = document.checks.filter(({ state }) => state === 'problem');
    expect({ status, isWell: document.isWell }).to.deep.equal(
      problems.length === 0 ? { status: 0, isWell: true } : { status: 1, isWell: false },
    );
    for (const { name, state, why, remedy } of document.checks) {
      expect(why, name).not.to.equal('');
      expect(remedy === undefined, name).to.equal(state === 'ok');
    }
  });

  it('says which NICs of a topology cannot run here, and why', async () => {
    const file = join(scratch, 'hw.vsb.yaml');
    const nics = [{ network: 'n' }, { network: 'direct', backend: { passthrough: 'ffff:ff:1f.7' } }];
    const topology = {
      version: 1,
      name: 'hw',
      bridges: { br0: { datapath: 'netdev' } },
      networks: { n: { bridge: 'br0' }, direct: {} },
      vms: { web: { nics } },
    };
    await writeFile(file, JSON.stringify(topology));
    const { status, document } = await doctor(file);
    expect(status).to.equal(1);
    const refused = document.checks.filter(({ name }) => name === 'nics').map(({ found }) => found);
    expect(refused).to.have.length(1);
    expect(refused[0]).to.include('web:1').and.to.include('[PCI_MISSING]');
  });

  it('judges the kernel of a guest, and refuses what is none', async () => {
    const config = join(scratch, 'config');
    await writeFile(config, 'CONFIG_VIRTIO_PCI=y\nCONFIG_VIRTIO_BLK=y\n');
    const { status, document } = await doctor('--guest-config', config);
    expect(status).to.equal(1);
    expect(find(document, 'virtio-guest')?.found).to.equal('not set: CONFIG_VIRTIO_NET');
    await writeFile(config, 'hello\n');
    const { status: refused, stderr } = await vsb(['doctor', '--guest-config', config], { env: sandbox.env });
    expect(refused).to.equal(1);
    expect(stderr).to.include('error[FILE_UNREADABLE]').and.to.include("no kernel's configuration");
  });

  it('says that a daemon is gone, and goes on with the rest', async () => {
    await sandbox.kill('ovs-vswitchd');
    const without = await doctor();
    expect(without.status).to.equal(1);
    expect(find(without.document, 'ovs-vswitchd')?.state).to.equal('problem');
    await sandbox.kill('ovsdb-server');
    const { status, stdout } = await vsb(['doctor'], { env: sandbox.env });
    expect(status).to.equal(1);
    expect(stdout).to.match(/^problem +ovs-database +\[OVSDB_UNREACHABLE\]/m);
    expect(stdout).to.match(/^(ok|problem) +qemu /m);
    await sandbox.restart('ovsdb-server');
    await sandbox.restart('ovs-vswitchd');
  });
});
