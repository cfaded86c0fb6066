import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { VsbError } from '../../src/errors.ts';
import { runOrFail } from '../../src/process/run.ts';
import { processesInSandbox, startSandbox, stopSandbox } from '../../src/sandbox/sandbox.ts';
import { SandboxLab } from '../support/sandboxlab.ts';
import { startTestSandbox } from '../support/sandbox.ts';

describe('a sandbox for tests', () => {
  it('is an Open vSwitch with devices in its own namespace', async () => {
    await using sandbox = await startTestSandbox();
    await sandbox.vsctl('add-br', 'br0', '--', 'set', 'Bridge', 'br0', 'datapath_type=netdev');
    expect((await sandbox.vsctl('get', 'Bridge', 'br0', 'datapath_id')).trim()).to.match(/^"[0-9a-f]{16}"$/);
    expect(await sandbox.ofctl('show', 'br0')).to.contain('LOCAL(br0)');
    expect(await sandbox.inside('ip', '-o', 'link')).to.contain('br0');
    const root = await sandbox.vsctl(
      '--columns=external_ids,other_config,ovs_version,iface_types',
      'list',
      'Open_vSwitch',
    );
    expect(root).to.contain(`rundir="${sandbox.directory}"`);
    expect(root).to.match(/system-id=.*hostname|hostname=.*system-id/);
    expect(root).to.contain('userspace-tso-enable="true"');
    expect(root).to.match(/ovs_version +: "\d/);
    expect(root).to.match(/iface_types +: \[.*tap/);
  });

  it('needs no devices with the dummy datapath', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    expect(sandbox.netns).to.equal(undefined);
    await sandbox.vsctl('add-br', 'br0', '--', 'add-port', 'br0', 'p1');
    expect(Number(await sandbox.vsctl('get', 'Interface', 'p1', 'ofport'))).to.be.greaterThan(0);
  });

  it('can be a database alone', async () => {
    await using sandbox = await startTestSandbox({ databaseOnly: true });
    await sandbox.vsctl('--no-wait', 'add-br', 'br0');
    expect(await sandbox.vsctl('list-br')).to.equal('br0\n');
  });

  it('lets each daemon be killed and started again', async () => {
    await using sandbox = await startTestSandbox();
    await sandbox.vsctl('add-br', 'br0', '--', 'set', 'Bridge', 'br0', 'datapath_type=netdev');
    await sandbox.kill('ovs-vswitchd');
    await sandbox.restart('ovs-vswitchd');
    expect(await sandbox.ofctl('show', 'br0')).to.contain('LOCAL(br0)');
    await sandbox.kill('ovsdb-server');
    await sandbox.restart('ovsdb-server');
    await sandbox.vsctl('add-br', 'br1', '--', 'set', 'Bridge', 'br1', 'datapath_type=netdev');
    expect(await sandbox.vsctl('list-br')).to.equal('br0\nbr1\n');
  });

  it('fails a test whose daemons warn of what nobody announced', async () => {
    const run = async (announced: readonly RegExp[]): Promise<string> => {
      try {
        await using sandbox = await startTestSandbox({ announced });
        const add = ['add-br', 'br0', '--', 'set', 'Bridge', 'br0', 'datapath_type=netdev'];
        await sandbox.vsctl(...add, '--', 'add-port', 'br0', 'nowhere');
        return 'quiet';
      } catch (thrown) {
        return String(thrown);
      }
    };
    expect(await run([])).to.match(/no test announced[^]*could not open network device nowhere/);
    expect(await run([/could not open network device nowhere/])).to.equal('quiet');
  });
});

describe('what a sandbox has noted', () => {
  it("is believed of this boot only: a namespace of its name may be somebody else's by now", async () => {
    await using lab = await SandboxLab.make();
    const { directory, netns } = lab;
    await startSandbox({ directory, datapath: 'netdev', netns });
    const note = join(directory, 'sandbox.json');
    const written = JSON.parse(await readFile(note, 'utf8')) as Record<string, unknown>;
    await writeFile(note, JSON.stringify({ ...written, bootId: 'another' }));
    expect(await stopSandbox(directory, { force: true })).to.equal(true);
    expect((await runOrFail('ip', ['-n', netns, '-o', 'link'], { timeoutMs: 5000 })).trim()).to.match(
      / lo: /,
    );
    await runOrFail('ip', ['netns', 'del', netns], { timeoutMs: 5000 });
  });

  it('is refused where it is no note of ours', async () => {
    await using lab = await SandboxLab.make();
    const { directory } = lab;
    await startSandbox({ directory, datapath: 'none', netns: undefined });
    const note = join(directory, 'sandbox.json');
    const written = await readFile(note, 'utf8');
    for (const text of ['', '{}', 'null', written.replace('"1.0"', '"9.0"')]) {
      await writeFile(note, text);
      const error: unknown = await stopSandbox(directory).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(VsbError).and.include({ code: 'FILE_UNREADABLE' });
    }
    await writeFile(note, written);
    expect(await stopSandbox(directory)).to.equal(true);
    expect(await stopSandbox(directory)).to.equal(false);
    expect(await processesInSandbox(directory)).to.equal(undefined);
  });
});
