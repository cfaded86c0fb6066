import { expect } from 'chai';
import { VsbError } from '../../src/errors.ts';
import { OpenFlowConnection } from '../../src/openflow/connection.ts';
import type { PortStats } from '../../src/openflow/portstats.ts';
import type { Counter } from '../../src/units/counter.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';

const PACKET =
  'in_port(1),eth(src=52:54:00:00:00:01,dst=52:54:00:00:00:02),eth_type(0x0800),' +
  'ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=no),udp(src=1,dst=2)';

describe('openflow, with a real ovs-vswitchd', () => {
  it('reads the counters that ovs-ofctl reads, to the byte', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await sandbox.vsctl('add-br', 'br0', '--', 'add-port', 'br0', 'p1', '--', 'add-port', 'br0', 'p2');
    for (const bytes of [60, 500, 1514]) {
      await sandbox.appctl('netdev-dummy/receive', 'p1', PACKET, '--len', String(bytes));
    }
    await using connection = await OpenFlowConnection.connect(`${sandbox.rundir}/br0.mgmt`);
    const stats = await connection.portStats();
    expect(byPort(stats)).to.deep.equal(await dumpPorts(sandbox, 'br0'));
    const p1 = Number(await sandbox.vsctl('get', 'Interface', 'p1', 'ofport'));
    expect(stats.find(({ ofport }) => ofport === p1)?.counters).to.deep.include({
      rxPackets: 3n,
      rxBytes: 2074n,
      txBytes: 0n,
      rxDropped: undefined,
    });
  });

  it('reads names, states and the datapath id that the database has', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await sandbox.vsctl('add-br', 'br0', '--', 'add-port', 'br0', 'p1');
    await sandbox.appctl('netdev-dummy/set-admin-state', 'p1', 'down');
    await using connection = await OpenFlowConnection.connect(`${sandbox.rundir}/br0.mgmt`);
    const [ports, { datapathId }] = await Promise.all([connection.portDescriptions(), connection.features()]);
    expect(ports.map(({ name }) => name)).to.have.members(['br0', 'p1']);
    const p1 = ports.find(({ name }) => name === 'p1');
    expect(String(p1?.ofport)).to.equal((await sandbox.vsctl('get', 'Interface', 'p1', 'ofport')).trim());
    expect(`"${String(p1?.mac)}"`).to.equal(
      (await sandbox.vsctl('get', 'Interface', 'p1', 'mac_in_use')).trim(),
    );
    expect(p1?.linkUp).to.equal(false);
    expect(`"${datapathId}"`).to.equal((await sandbox.vsctl('get', 'Bridge', 'br0', 'datapath_id')).trim());
  });

  it('joins a reply in several parts', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    // 112 bytes each, and at most 65,535 in a message: 1,000 ports need two.
    const ports = Array.from({ length: 1000 }, (_, n) => ['--', 'add-port', 'br0', `p${String(n)}`]);
    await sandbox.vsctl('add-br', 'br0', ...ports.flat());
    await using connection = await OpenFlowConnection.connect(`${sandbox.rundir}/br0.mgmt`);
    expect(new Set((await connection.portStats()).map(({ ofport }) => ofport)).size).to.equal(1001);
    expect(new Set((await connection.portDescriptions()).map(({ name }) => name)).size).to.equal(1001);
  }).timeout(60_000);

  it('says OPENFLOW_VERSION where the bridge does not allow 1.3', async () => {
    await using sandbox = await startTestSandbox({
      dummy: true,
      announced: [/version negotiation failed|Protocol error/],
    });
    await sandbox.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'protocols=OpenFlow10');
    const error = await failureOf(OpenFlowConnection.connect(`${sandbox.rundir}/br0.mgmt`));
    expect(error.code).to.equal('OPENFLOW_VERSION');
    expect(error.message).to.contain('1.0');
  });

  it('says OPENFLOW_CLOSED where ovs-vswitchd dies, and OPENFLOW_UNREACHABLE from then on', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await sandbox.vsctl('add-br', 'br0');
    const path = `${sandbox.rundir}/br0.mgmt`;
    await using connection = await OpenFlowConnection.connect(path);
    await connection.portStats();
    await sandbox.kill('ovs-vswitchd');
    expect((await failureOf(connection.portStats())).code).to.equal('OPENFLOW_CLOSED');
    expect((await failureOf(OpenFlowConnection.connect(path))).code).to.equal('OPENFLOW_UNREACHABLE');
    await sandbox.restart('ovs-vswitchd');
    await using again = await OpenFlowConnection.connect(path);
    expect(await again.portStats()).to.have.length(1);
  });

  it('says OPENFLOW_CLOSED where the bridge is removed', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await sandbox.vsctl('add-br', 'br0');
    await using connection = await OpenFlowConnection.connect(`${sandbox.rundir}/br0.mgmt`);
    await sandbox.vsctl('del-br', 'br0');
    expect((await failureOf(connection.portStats())).code).to.equal('OPENFLOW_CLOSED');
    expect(connection.isOpen).to.equal(false);
  });
});

type Dumped = Readonly<Record<string, readonly Counter[]>>;

/** `rx pkts, bytes, drop, errs, tx pkts, bytes, drop, errs` by port, as ovs-ofctl prints them; `?` is unknown. */
async function dumpPorts(sandbox: TestSandbox, bridge: string): Promise<Dumped> {
  const text = await sandbox.ofctl('-O', 'OpenFlow13', 'dump-ports', bridge);
  const ports = text.matchAll(/port +(\w+): rx ([^\n]*)\n +tx ([^\n]*)\n/g);
  return Object.fromEntries(
    Array.from(ports, ([, port = '', rx = '', tx = '']) => [
      port === 'LOCAL' ? '65534' : port,
      [rx, tx].flatMap((part) =>
        ['pkts', 'bytes', 'drop', 'errs'].map((name) => {
          const value = new RegExp(`${name}=(\\d+|\\?)`).exec(part)?.[1];
          if (value === undefined) throw new Error(`no ${name} in ${part}`);
          return value === '?' ? undefined : BigInt(value);
        }),
      ),
    ]),
  );
}

function byPort(stats: readonly PortStats[]): Dumped {
  return Object.fromEntries(
    stats.map(({ ofport, counters: c }) => [
      String(ofport),
      [c.rxPackets, c.rxBytes, c.rxDropped, c.rxErrors, c.txPackets, c.txBytes, c.txDropped, c.txErrors],
    ]),
  );
}

async function failureOf(promise: Promise<unknown>): Promise<VsbError> {
  const thrown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  return thrown instanceof VsbError ? thrown : expect.fail(String(thrown));
}
