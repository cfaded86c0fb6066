import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { ConversationsView } from '../../src/app/conversations.ts';
import { connectSwitch } from '../../src/app/switchclient.ts';
import { toSettings } from '../../src/app/settings.ts';
import { VsbError } from '../../src/errors.ts';
import { switchDomain } from '../../src/switch/domain.ts';
import {
  addDummyBridge,
  DB1,
  injectFlows,
  sendTo,
  startLook,
  sumOf,
  WEB1,
} from '../support/conversationsruns.ts';
import { bridge, desiredState, mac, nic } from '../support/desired.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';

const SENDER = fileURLToPath(new URL('../support/peers/udpflows.py', import.meta.url));
const TRUTH = { conversations: 200, packets: 1000n, bytes: 542_000n };
const WAIT = { deadlineMs: 15_000 };

describe('conversations, with a real Open vSwitch', function () {
  this.timeout(60_000);

  it('shows 200 flows of 5 packets exactly, through devices in another network namespace', async () => {
    await using sandbox = await startTestSandbox();
    await makeLab(sandbox);
    using look = startLook(sandbox, { vm: 'web1', forMs: 2_000 });
    await look.until(() => true);
    await sandbox.inside('python3', SENDER, 'web1-0p', WEB1, DB1, '200', '5', '542');
    const last = await look.end();
    expect(sumOf(last)).to.deep.equal(TRUTH);
    expect(last.leftOut).to.deep.equal({ conversations: 0, packets: 0n, bytes: 0n });
    for (const conversation of last.conversations) {
      expect(conversation).to.deep.include({ bridge: 'br0', source: '10.0.0.1', destination: '10.0.0.2' });
      expect(conversation).to.deep.include({ protocol: 17, protocolName: 'udp', destinationPort: 2000 });
      expect(conversation).to.deep.include({ packets: 5n, bytes: 2710n, quality: 'exact' });
      expect(conversation.from).to.deep.include({ vm: 'web1', nic: '0', topology: 'lab' });
      expect(conversation.to).to.deep.include({ vm: 'db1', nic: '0', topology: 'lab' });
    }
    expect(new Set(last.conversations.map(({ sourcePort }) => sourcePort)).size).to.equal(200);
    // The rules that count pairs take no notice of the look.
    const pair = /cookie=0x564201f\w+,.* n_packets=1000, n_bytes=542000,/;
    expect(await sandbox.ofctl('dump-flows', 'br0', 'table=50')).to.match(pair);
    await expectNoExporters(sandbox);
  });

  it('shows IPv6 by IPFIX, and does not call it exact', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await addDummyBridge(sandbox);
    using look = startLook(sandbox, { forMs: 1_000 });
    await look.until(() => true);
    for (let packet = 0; packet < 5; packet++) await injectFlows(sandbox, 6, range(200));
    const view = await look.end();
    expect(sumOf(view)).to.deep.equal(TRUTH);
    const [first] = view.conversations;
    expect(first).to.deep.include({ source: 'fd00::1', destination: 'fd00::2', destinationPort: 53 });
    expect(first).to.deep.include({ quality: 'at-least', packets: 5n, bytes: 2710n });
    expect(first?.from).to.deep.include({ vm: 'web1' });
    expect(first?.to).to.deep.include({ vm: 'db1' });
  });

  for (const by of ['sflow', 'ipfix'] as const) {
    it(`shows what was sampled multiplied up, by ${by}`, async () => {
      await using sandbox = await startTestSandbox();
      await makeLab(sandbox);
      using look = startLook(sandbox, { by, sampling: 2, forMs: 1_000 });
      await look.until(() => true);
      await sandbox.inside('python3', SENDER, 'web1-0p', WEB1, DB1, '1', '1000', '542');
      const [conversation, ...others] = (await look.end()).conversations;
      expect(others).to.deep.equal([]);
      expect(conversation).to.deep.include({
        quality: 'sampled 1:2',
        source: '10.0.0.1',
        sourcePort: 10_000,
      });
      // One in two of 1,000, twice: to be off by more than 200 takes six standard deviations.
      expect(Number(conversation?.packets)).to.be.within(800, 1200);
      expect(conversation?.bytes).to.equal((conversation?.packets ?? 0n) * 542n);
      expect(conversation?.from).to.deep.include({ vm: 'web1' });
      expect(conversation?.to).to.deep.include({ vm: 'db1' });
    });
  }

  it('leaves the exporters of others as they are, and uses what is free', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await addDummyBridge(sandbox);
    // Nobody listens there.
    sandbox.announce(/sending to collector failed/);
    const foreign = ['--id=@n', 'create', 'NetFlow', 'targets="127.0.0.1:9"', 'external_ids:by=noc'];
    await sandbox.vsctl('--', ...foreign, '--', 'set', 'Bridge', 'br0', 'netflow=@n');
    const before = await sandbox.vsctl('list', 'NetFlow');
    using refused = startLook(sandbox, { by: 'netflow' });
    expect(await errorOf(refused)).to.deep.include({ code: 'EXPORTER_TAKEN' });
    using look = startLook(sandbox);
    const first = await look.until(() => true);
    expect(first.sources.map(({ kind, families }) => [kind, families])).to.deep.equal([
      ['ipfix', 'IPv4 and IPv6'],
    ]);
    await injectFlows(sandbox, 4, range(10));
    await look.until((view) => sumOf(view).packets === 10n);
    look[Symbol.dispose]();
    await expectNoExporters(sandbox, ['ipfix', 'sflow']);
    expect(await sandbox.vsctl('list', 'NetFlow')).to.equal(before);
  });

  it('counts garbage that comes to its port, and goes on', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await addDummyBridge(sandbox);
    using look = startLook(sandbox);
    await look.until(() => true);
    const ports = await Promise.all(['NetFlow', 'IPFIX'].map((table) => targetPort(sandbox, table)));
    const garbage = [new Uint8Array(0), ...range(50).map((bytes) => randomBytes(bytes))];
    for (const port of ports) await sendTo(port, garbage);
    // Well-formed, and of somebody else: NetFlow 5 without a record, and an IPFIX message without a set.
    await sendTo(ports[0] ?? 0, [Buffer.concat([Buffer.from([0, 5]), Buffer.alloc(22)])]);
    await sendTo(ports[1] ?? 0, [Buffer.from([0, 10, 0, 16, ...Array<number>(11).fill(0), 0xff])]);
    await look.until(({ sources }) =>
      sources.every(({ counts }) => counts.malformed === garbage.length && counts.foreign === 1),
    );
    await injectFlows(sandbox, 4, range(10));
    const view = await look.until((one) => sumOf(one).packets === 10n);
    expect(view.conversations[0]).to.have.property('quality', 'exact');
  });

  it('ends with an error where its exporter is taken away', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await addDummyBridge(sandbox);
    using look = startLook(sandbox, { by: 'netflow' });
    await look.until(() => true);
    await sandbox.vsctl('clear', 'Bridge', 'br0', 'netflow');
    expect(await errorOf(look)).to.deep.include({ code: 'EXPORTER_GONE' });
  });

  it('goes on, and says that something may be missing, when ovs-vswitchd is restarted', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await addDummyBridge(sandbox);
    using look = startLook(sandbox, { by: 'netflow' });
    await look.until(() => true);
    await injectFlows(sandbox, 4, range(20));
    await look.until((view) => sumOf(view).packets === 20n);
    await sandbox.kill('ovs-vswitchd');
    await sandbox.restart('ovs-vswitchd');
    await injectFlows(sandbox, 4, range(10));
    const view = await look.until((one) => sumOf(one).packets === 30n);
    expect(view.conversations).to.have.length(20);
    for (const { quality } of view.conversations) expect(quality).to.equal('at-least');
  });

  it('shows no rate above what was sent, and 0 for who is silent', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await addDummyBridge(sandbox);
    using look = startLook(sandbox, { by: 'netflow' });
    await look.until(() => true);
    for (let packet = 0; packet < 5; packet++) await injectFlows(sandbox, 4, [10_000]);
    await look.until((view) => view.conversations[0]?.packets === 5n);
    await look.until((view) => view.conversations[0]?.packetsPerSecond === 0);
    for (const { conversations } of look.seen)
      expect(conversations[0]?.packetsPerSecond ?? 0).to.be.within(0, 5);
  });

  it('refuses what it cannot look at', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await addDummyBridge(sandbox);
    for (const [options, code] of [
      [{ vm: 'web9' }, 'NIC_UNKNOWN'],
      [{ bridges: ['br9'] }, 'WATCH_BRIDGE_MISSING'],
      [{ by: 'netflow', sampling: 10 }, 'USAGE'],
    ] as const) {
      using look = startLook(sandbox, options);
      expect(await errorOf(look), JSON.stringify(options)).to.deep.include({ code });
    }
    await expectNoExporters(sandbox);
  });
});

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => 10_000 + index);
}

async function errorOf(look: { end(): Promise<ConversationsView> }): Promise<VsbError | undefined> {
  try {
    await look.end();
  } catch (thrown) {
    if (thrown instanceof VsbError) return thrown;
    throw thrown;
  }
  return undefined;
}

/** It is removed after the last view. */
async function expectNoExporters(
  sandbox: TestSandbox,
  columns: readonly string[] = ['netflow', 'ipfix', 'sflow'],
): Promise<void> {
  await sandbox.vsctl('wait-until', 'Bridge', 'br0', ...columns.map((column) => `${column}=[]`));
}

/** Where an exporter sends to. */
async function targetPort(sandbox: TestSandbox, table: string): Promise<number> {
  const text = await sandbox.vsctl('--bare', '--columns=targets', 'list', table);
  return Number(/:(\d+)/.exec(text)?.[1]);
}

/** `br0` with the accounting pipeline, web1:0 and db1:0 on veth devices. */
async function makeLab(sandbox: TestSandbox): Promise<void> {
  for (const port of ['web1-0', 'db1-0']) {
    await sandbox.inside('ip', 'link', 'add', port, 'type', 'veth', 'peer', 'name', `${port}p`);
    for (const device of [port, `${port}p`]) {
      // Nothing but what the test sends: no router solicitations.
      await sandbox.inside('sysctl', '-qw', `net.ipv6.conf.${device}.disable_ipv6=1`);
      await sandbox.inside('ip', 'link', 'set', device, 'up');
    }
  }
  const { remote, netns, rundir: ovsRundir } = sandbox;
  await using client = await connectSwitch(toSettings({ remote }, {}));
  const ovs = switchDomain({ client, remote, netns, ovsRundir, databaseOnly: false });
  const nics = [nic('web1', 0, { mac: mac(WEB1) }), nic('db1', 0, { mac: mac(DB1) })];
  const desired = desiredState('lab', [bridge('br0', { visibility: 'pairs' })], nics);
  await ovs.apply(ovs.diff(desired, await ovs.observe(desired)).changes, WAIT);
  expect(await ovs.verify(desired, WAIT)).to.deep.equal([]);
}
