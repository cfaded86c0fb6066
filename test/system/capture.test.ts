import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { runOrFail } from '../../src/process/run.ts';
import { vsb } from '../support/cli.ts';
import { readPcapng, type PcapngBlock } from '../support/pcapng.ts';
import { startRunning, VSB, type Running } from '../support/running.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';

const WEB1 = '525400100001';
const DB1 = '525400100003';

/** An ARP request of so many bytes, as hexadecimal text. */
function frame(source: string, destination: string, type = '0806', length = 60): string {
  return `${destination}${source}${type}${'00'.repeat(length - 14)}`;
}

describe('vsb capture', function () {
  this.timeout(60_000);
  let sandbox: TestSandbox;
  let directory: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'vsb-cap'));
    sandbox = await startTestSandbox();
    // Frames that go out at br1's end of a veth pair are what the VM at the other end sends.
    for (const bridge of ['br0', 'br1'])
      await sandbox.vsctl(
        'add-br',
        bridge,
        '--',
        'set',
        'Bridge',
        bridge,
        'datapath_type=netdev',
        'fail_mode=secure',
      );
    for (const [device, vm, mac] of [
      ['web1-0', 'web1', '52:54:00:10:00:01'],
      ['db1-0', 'db1', '52:54:00:10:00:03'],
    ] as const) {
      await sandbox.inside('ip', 'link', 'add', device, 'type', 'veth', 'peer', 'name', `${vm}-vm`);
      for (const end of [device, `${vm}-vm`]) {
        await sandbox.inside('sysctl', '-qw', `net.ipv6.conf.${end}.disable_ipv6=1`);
        await sandbox.inside('ip', 'link', 'set', end, 'up');
      }
      await sandbox.vsctl(
        ...['add-port', 'br0', device, '--', 'set', 'Interface', device],
        ...[`external_ids:vswitchboard-vm=${vm}`, 'external_ids:vswitchboard-nic=0'],
        ...[`external_ids:attached-mac="${mac}"`, '--', 'add-port', 'br1', `${vm}-vm`],
      );
    }
  });

  after(async () => {
    await sandbox[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  function start(...args: readonly string[]): Running {
    return startRunning([...VSB, 'capture', ...args], sandbox.env);
  }

  /** The VM at this device sends a frame. */
  async function sends(vm: string, hex: string): Promise<void> {
    await sandbox.ofctl('packet-out', 'br1', `in_port=local packet=${hex} actions=output:${vm}-vm`);
  }

  /** The switch sends a frame to the VM. */
  async function receives(vm: string, hex: string): Promise<void> {
    await sandbox.ofctl('packet-out', 'br0', `in_port=local packet=${hex} actions=output:${vm}-0`);
  }

  async function blocksOf(file: string): Promise<readonly PcapngBlock[]> {
    return readPcapng(await readFile(file));
  }

  it('writes packets of several NICs into one file, with names and directions', async () => {
    const file = join(directory, 'two.pcapng');
    await using running = start('web1', 'db1:0', '-w', file, '--count', '3');
    await running.text('Capturing at web1:0 (web1-0), db1:0 (db1-0).');
    await sends('web1', frame(WEB1, DB1));
    await receives('db1', frame(WEB1, DB1, '0806', 100));
    await receives('web1', frame(DB1, WEB1, '0806', 80));
    const { status, output } = await running.end();
    expect(status, output).to.equal(0);

    const blocks = await blocksOf(file);
    expect(blocks.map(({ kind }) => kind)).to.deep.equal([
      ...['section', 'interface', 'interface'],
      ...['packet', 'packet', 'packet', 'statistics', 'statistics'],
    ]);
    expect(
      blocks.flatMap((block) => (block.kind === 'interface' ? [[block.name, block.description]] : [])),
    ).to.deep.equal([
      ['web1:0', 'web1-0'],
      ['db1:0', 'db1-0'],
    ]);
    const packets = blocks.flatMap((block) => (block.kind === 'packet' ? [block] : []));
    expect(
      packets.map(({ interfaceId, originalLength, direction }) => [interfaceId, originalLength, direction]),
    ).to.have.deep.members([
      [0, 60, 'outbound'],
      [1, 100, 'inbound'],
      [0, 80, 'inbound'],
    ]);
    expect(packets.find(({ interfaceId }) => interfaceId === 1)?.bytes.toString('hex')).to.equal(
      frame(WEB1, DB1, '0806', 100),
    );
    const statistics = blocks.flatMap((block) =>
      block.kind === 'statistics' ? [[block.accepted, block.dropped]] : [],
    );
    expect(statistics).to.deep.equal([
      [2, 0],
      [1, 0],
    ]);

    // Another reader, too.
    const text = await runOrFail('tcpdump', ['-r', file, '-n', '-e'], { timeoutMs: 10_000 });
    expect(text.match(/length 60|length 100|length 80/g)).to.have.length(3);
  });

  it('keeps what a filter lets through, cut to a length', async () => {
    const file = join(directory, 'filtered.pcapng');
    await using running = start(
      'web1',
      '-w',
      file,
      '--filter',
      'ether proto 0x88cc',
      '--snaplen',
      '20',
      '--count',
      '1',
    );
    await running.text('Capturing');
    await sends('web1', frame(WEB1, DB1));
    await sends('web1', frame(WEB1, DB1, '88cc', 70));
    expect((await running.end()).status).to.equal(0);
    const blocks = await blocksOf(file);
    const [packet] = blocks.flatMap((block) => (block.kind === 'packet' ? [block] : []));
    expect(packet).to.include({ originalLength: 70, direction: 'outbound' });
    expect(packet?.bytes.toString('hex')).to.equal(frame(WEB1, DB1, '88cc', 70).slice(0, 40));
    const described = blocks.find(({ kind }) => kind === 'interface');
    expect(described).to.include({ filter: 'ether proto 0x88cc', snapLength: 20 });
  });

  it('leaves a whole file when it is interrupted, or its time is over', async () => {
    const file = join(directory, 'interrupted.pcapng');
    await using running = start('web1', '-w', file);
    await running.text('Capturing');
    await sends('web1', frame(WEB1, DB1));
    running.child.kill('SIGINT');
    const { status, output } = await running.end();
    expect(status).to.equal(0);
    expect(output).to.include('web1:0 (web1-0): 1 packets.');
    expect((await blocksOf(file)).at(-1)?.kind).to.equal('statistics');

    const timed = await vsb(['capture', 'web1', '-w', file, '--for', '50ms'], { env: sandbox.env });
    expect(timed.status, timed.stderr).to.equal(0);
    expect((await blocksOf(file)).map(({ kind }) => kind)).to.deep.equal([
      'section',
      'interface',
      'statistics',
    ]);
  });

  it('ends quietly where nobody reads on', async () => {
    await using running = start('web1', '-w', '-');
    await running.text('Capturing');
    running.child.stdout?.destroy();
    await sends('web1', frame(WEB1, DB1));
    const { status, output } = await running.end();
    expect(status, output).to.equal(0);
    expect(output).to.not.match(/error|EPIPE/);
  });

  it('says that the device of a NIC went, and keeps what there was', async () => {
    await sandbox.inside('ip', 'link', 'add', 'gone-0', 'type', 'veth', 'peer', 'name', 'gone-vm');
    await sandbox.inside('ip', 'link', 'set', 'gone-0', 'up');
    await sandbox.vsctl('add-port', 'br0', 'gone-0');
    sandbox.announce(/gone-0/);
    const file = join(directory, 'gone.pcapng');
    await using running = start('gone-0', '-w', file);
    await running.text('Capturing');
    await sandbox.inside('ip', 'link', 'del', 'gone-0');
    const { status, output } = await running.end();
    expect(status).to.equal(1);
    expect(output).to.match(/The capture at gone-0 ended early: .*disappeared/);
    expect((await blocksOf(file)).at(-1)?.kind).to.equal('statistics');
    await sandbox.vsctl('del-port', 'br0', 'gone-0');
  });

  it('touches no file before it captures', async () => {
    const file = join(directory, 'kept.pcapng');
    await writeFile(file, 'precious');
    for (const [args, code, status] of [
      [['web1', '--filter', 'tcp prt 80'], 'CAPTURE_FILTER_INVALID', 64],
      [['nobody'], 'NIC_UNKNOWN', 64],
      [['web1', '--netns', 'vsb-no-such'], 'NETNS_MISSING', 1],
    ] as const) {
      const result = await vsb(['capture', ...args, '-w', file], { env: sandbox.env });
      expect(result.stderr).to.include(`vsb: error[${code}]: `);
      expect(result.status).to.equal(status);
    }
    await sandbox.vsctl('add-port', 'br0', 'absent-0');
    sandbox.announce(/absent-0/);
    const absent = await vsb(['capture', 'absent-0', '-w', file], { env: sandbox.env });
    expect(absent.stderr).to.match(/error\[CAPTURE_FAILED\]: .*absent-0/);
    await sandbox.vsctl('del-port', 'br0', 'absent-0');
    expect(await readFile(file, 'utf8')).to.equal('precious');
    const unwritable = await vsb(['capture', 'web1', '-w', directory], { env: sandbox.env });
    expect(unwritable.stderr).to.include('error[FILE_UNWRITABLE]');
  });
});
