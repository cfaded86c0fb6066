import { expect } from 'chai';
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
