import { expect } from 'chai';
import { toVsbError } from '../../src/errors.ts';
import type { SwitchHealth } from '../../src/traffic/health.ts';
import { readSwitchHealth } from '../../src/traffic/healthreader.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';

const LIMIT_MS = 15_000;

describe('the health of a real switch', () => {
  it('counts what its datapath forwarded, and what it had to ask for', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await sandbox.vsctl('add-br', 'br0', '--', 'add-port', 'br0', 'p1', '--', 'add-port', 'br0', 'p2');
    for (let packet = 0; packet < 5; packet++) await inject(sandbox, 1);
    const [datapath, ...others] = (await read(sandbox)).datapaths;
    expect(others).to.deep.equal([]);
    expect(datapath).to.include({ name: 'system@ovs-system', hits: 4n, upcalls: 1n, lost: 0n });
    expect(datapath?.flows, 'one flow, or none any more').to.be.oneOf([0n, 1n]);
    expect(datapath?.flowLimit).to.equal(10_000n);
    expect(datapath?.flowDumpMs).to.be.at.least(0);
  });

  it('tells that the datapath is full, and does not tell what this Open vSwitch does not count', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    sandbox.announce(/datapath reached the dynamic limit/);
    await sandbox.vsctl('add-br', 'br0', '--', 'add-port', 'br0', 'p1', '--', 'add-port', 'br0', 'p2');
    const before = await read(sandbox);
    expect(before.events.get('upcall_flow_limit_hit')).to.equal(0n);
    expect(before.events.get('bridge_reconfigure')).to.be.a('bigint').and.not.equal(0n);
    expect(before.events.has('upcall_flow_limit_scaled')).to.equal(await isCounted(sandbox));
    await sandbox.appctl('upcall/set-flow-limit', '1');
    await sandbox.vsctl('set', 'Open_vSwitch', '.', 'other_config:flow-limit=1');
    for (let port = 1; port <= 20; port++) await inject(sandbox, port);
    const { datapaths, events } = await readUntil(
      sandbox,
      (health) => (health.events.get('upcall_flow_limit_hit') ?? 0n) > 0n,
    );
    expect(events.get('upcall_flow_limit_hit')).to.be.a('bigint').and.not.equal(0n);
    expect(datapaths[0]?.flowLimit).to.be.a('bigint').and.not.equal(10_000n);
  });

  it('has a datapath for every type of bridge', async () => {
    await using sandbox = await startTestSandbox({ netns: true });
    expect((await read(sandbox)).datapaths).to.deep.equal([]);
    await sandbox.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=netdev');
    const { datapaths } = await read(sandbox);
    expect(datapaths.map(({ name }) => name)).to.deep.equal(['netdev@ovs-netdev']);
    for (const [what, value] of Object.entries(datapaths[0] ?? {}))
      expect(value, what).to.not.equal(undefined);
  });

  it('says that ovs-vswitchd is not there', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await sandbox.kill('ovs-vswitchd');
    const error = await read(sandbox).catch(toVsbError);
    expect(error).to.have.property('code', 'CONTROL_UNREACHABLE');
  });
});

function read(sandbox: TestSandbox): Promise<SwitchHealth> {
  return readSwitchHealth({ ovsRundir: sandbox.rundir, timeoutMs: LIMIT_MS });
}

/** Threads of ovs-vswitchd hand in what they counted about once a second. */
async function readUntil(
  sandbox: TestSandbox,
  condition: (health: SwitchHealth) => boolean,
): Promise<SwitchHealth> {
  const endMs = performance.now() + LIMIT_MS;
  for (;;) {
    const health = await read(sandbox);
    if (condition(health) || performance.now() > endMs) return health;
  }
}

/** What the switch itself says. */
async function isCounted(sandbox: TestSandbox): Promise<boolean> {
  return sandbox.appctl('coverage/read-counter', 'upcall_flow_limit_scaled').then(
    () => true,
    () => false,
  );
}

/** One packet from p1, of a flow of its own for each source port. */
async function inject(sandbox: TestSandbox, sourcePort: number): Promise<void> {
  const flow =
    'in_port(1),eth(src=52:54:00:00:00:01,dst=52:54:00:00:00:02),eth_type(0x0800),' +
    `ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=no),udp(src=${String(sourcePort)},dst=2)`;
  await sandbox.appctl('netdev-dummy/receive', 'p1', flow);
}
