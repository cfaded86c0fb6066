import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { vsb } from '../support/cli.ts';
import { addDummyBridge, injectFlows } from '../support/conversationsruns.ts';
import { startRunning, VSB, type Running } from '../support/running.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';

const BRIDGE_ONLY = 'version: 1\nname: lab\nbridges: { br0: { datapath: netdev } }\n';
const PORTS = Array.from({ length: 200 }, (_, index) => 10_000 + index);

describe('vsb watch conversations', function () {
  this.timeout(60_000);

  it('shows 200 conversations exactly as NDJSON, and ends by itself', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await addDummyBridge(sandbox);
    await using watching = watch(sandbox, '--vm', 'web1', '--for', '2s', '-o', 'ndjson');
    await untilExporting(sandbox);
    for (let packet = 0; packet < 5; packet++) await injectFlows(sandbox, 4, PORTS);
    const { status, output } = await watching.end();
    expect(status, output).to.equal(0);
    const records = output
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const last = records.filter(({ at }) => at === records.at(-1)?.['at']);
    expect(last).to.have.length(200);
    for (const record of last)
      expect(record).to.deep.include({
        from: { vm: 'web1', nic: 0 },
        to: { vm: 'db1', nic: 0 },
        protocol: 'udp',
        protocolNumber: 17,
        source: '10.0.0.1',
        destination: '10.0.0.2',
        destinationPort: 53,
        packets: 5,
        bytes: 2710,
        quality: 'exact',
        bridge: 'br0',
      });
    await expectNone(sandbox);
  });

  it('prints CSV with one header, and a table', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await addDummyBridge(sandbox);
    await using csv = watch(sandbox, '--source', 'netflow', '--most', '3', '--for', '1s', '-o', 'csv');
    await untilExporting(sandbox);
    await injectFlows(sandbox, 4, PORTS);
    const { output } = await csv.end();
    const notice =
      'vsb: There are more conversations than are shown: see --most. Those with most bytes are.\n';
    expect(output).to.contain(notice);
    const lines = output
      .replace(notice, '')
      .replace('vsb: Bridge "br0" tells of IPv4 alone.\n', '')
      .trimEnd();
    const [header, ...rows] = lines.split('\r\n');
    expect(header).to.match(/^at,from,fromNic,to,toNic,protocol,protocolNumber,source,sourcePort,/);
    expect(rows.length % 3).to.equal(0);
    for (const row of rows) expect(row.split(',')).to.have.length(header?.split(',').length ?? 0);

    await using table = watch(sandbox, '--for', '1s');
    await untilExporting(sandbox);
    await injectFlows(sandbox, 4, PORTS.slice(0, 1));
    expect((await table.end()).output)
      .to.match(/^FROM +TO +PROTO +SOURCE +DESTINATION +bit\/s +pkt\/s +BYTES +PACKETS +BRIDGE$/m)
      .and.match(/^web1:0 +db1:0 +udp +10\.0\.0\.1:10000 +10\.0\.0\.2:53 .* 542 B +1 +br0$/m);
  });

  it('takes its exporters away at SIGINT', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await addDummyBridge(sandbox);
    await using watching = watch(sandbox);
    await untilExporting(sandbox);
    watching.child.kill('SIGINT');
    expect((await watching.end()).status).to.equal(0);
    await expectNone(sandbox);
  });

  it('says that it leaves its exporters behind where the database cannot be reached at the end', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await addDummyBridge(sandbox);
    await using watching = watch(sandbox);
    await untilExporting(sandbox);
    await sandbox.kill('ovsdb-server');
    await watching.text('is lost');
    watching.child.kill('SIGINT');
    const { status, output } = await watching.end();
    expect(status, output).to.equal(0);
    expect(output).to.match(
      /warn: The exporters of this look could not be removed from the switch at "unix:/,
    );
    await sandbox.restart('ovsdb-server');
    await using next = watch(sandbox, '--for', '1s');
    expect((await next.end()).status).to.equal(0);
    await expectNone(sandbox);
  });

  describe('killed', () => {
    let scratch: string;
    let file: string;

    beforeEach(async () => {
      scratch = await mkdtemp(join(tmpdir(), 'vsb-conversations-'));
      file = join(scratch, 'lab.vsb.yaml');
      await writeFile(file, BRIDGE_ONLY);
    });

    afterEach(async () => {
      await rm(scratch, { recursive: true, force: true });
    });

    it('is cleaned up after by the next apply, which leaves what is in use, and what is not ours', async () => {
      await using sandbox = await startTestSandbox();
      const apply = async (): Promise<void> => {
        const { status, stderr } = await vsb(['apply', file, '--yes'], { env: sandbox.env });
        expect(status, stderr).to.equal(0);
      };
      await apply();
      // Nobody listens there.
      sandbox.announce(/sending to collector failed/);
      const foreign = ['--id=@s', 'create', 'sFlow', 'targets="127.0.0.1:9"', 'sampling=10'];
      await sandbox.vsctl('--', ...foreign, '--', 'set', 'Bridge', 'br0', 'sflow=@s');
      await using watching = watch(sandbox);
      await untilExporting(sandbox);
      await apply();
      expect(await sandbox.vsctl('list', 'NetFlow'), 'in use').to.include('vswitchboard-exporter');
      watching.child.kill('SIGKILL');
      await watching.end();
      expect(await sandbox.vsctl('list', 'NetFlow'), 'left behind').to.include('vswitchboard-exporter');
      await apply();
      expect(await sandbox.vsctl('list', 'NetFlow')).to.equal('');
      expect(await sandbox.vsctl('list', 'IPFIX')).to.equal('');
      expect(await sandbox.vsctl('list', 'sFlow')).to.include('127.0.0.1:9');
    });

    it('is cleaned up after by the next look', async () => {
      await using sandbox = await startTestSandbox({ dummy: true });
      await addDummyBridge(sandbox);
      await using first = watch(sandbox);
      await untilExporting(sandbox);
      first.child.kill('SIGKILL');
      await first.end();
      await using second = watch(sandbox, '--for', '1ms');
      expect((await second.end()).status).to.equal(0);
      await expectNone(sandbox);
    });

    it('is cleaned up after by whoever watches pairs', async () => {
      await using sandbox = await startTestSandbox({ dummy: true });
      await addDummyBridge(sandbox);
      await using first = watch(sandbox);
      await untilExporting(sandbox);
      first.child.kill('SIGKILL');
      await first.end();
      const { status, stderr } = await vsb(['watch', 'pairs', '--for', '2s'], { env: sandbox.env });
      expect(status, stderr).to.equal(0);
      await expectNone(sandbox);
    });
  });

  it('refuses wrong usage with 64', async () => {
    for (const args of [
      ['vms', '--vm', 'web1'],
      ['pairs', '--source', 'netflow'],
      ['conversations', '--sampling', '10'],
      ['conversations', '--source', 'psample'],
      ['conversations', '--most', '0'],
    ]) {
      const { status, stdout, stderr } = await vsb(['watch', ...args]);
      expect({ status, stdout }, args.join(' ') + stderr).to.deep.equal({ status: 64, stdout: '' });
    }
  });
});

function watch(sandbox: TestSandbox, ...args: readonly string[]): Running {
  return startRunning([...VSB, 'watch', 'conversations', '--every', '100ms', ...args], sandbox.env);
}

/** Until a look has begun, and the switch has taken its exporters up. */
async function untilExporting(sandbox: TestSandbox): Promise<void> {
  await sandbox.vsctl('wait-until', 'Bridge', 'br0', 'netflow!=[]');
  // Changes nothing, and waits for ovs-vswitchd.
  await sandbox.vsctl('get', 'Bridge', 'br0', 'name', '--', 'set', 'Bridge', 'br0', 'other_config:seen=1');
}

async function expectNone(sandbox: TestSandbox): Promise<void> {
  for (const table of ['NetFlow', 'IPFIX', 'sFlow'])
    expect(await sandbox.vsctl('list', table), table).to.equal('');
}
