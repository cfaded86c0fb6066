import { expect } from 'chai';
import { readDatapathFlows } from '../../src/traffic/datapath/datapathreader.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';

describe('flows of a datapath, with the real ovs-vswitchd', () => {
  let sandbox: TestSandbox;

  before(async function () {
    this.timeout(30_000);
    sandbox = await startTestSandbox({ dummy: true });
    await sandbox.vsctl('add-br', 'br0', '--', 'set', 'Bridge', 'br0', 'datapath_type=dummy');
    for (const port of ['a', 'b'])
      await sandbox.vsctl('add-port', 'br0', port, '--', 'set', 'Interface', port, 'type=dummy');
    await sandbox.ofctl('add-flow', 'br0', 'priority=10,in_port=a,actions=output:b');
  });

  after(async () => {
    await sandbox[Symbol.asyncDispose]();
  });

  const options = () => ({ ovsRundir: sandbox.rundir, timeoutMs: 15_000, nowMs: () => performance.now() });

  async function send(): Promise<void> {
    const packet = 'in_port(1),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x1234)';
    await sandbox.appctl('netdev-dummy/receive', 'a', packet);
  }

  /** What is counted of what came in at `a`; `undefined` where there is no flow for it. */
  async function counted(): Promise<bigint | undefined> {
    const reading = await readDatapathFlows(options());
    if (reading.outcome !== 'read') throw reading.error;
    const [flow] = reading.flows.filter(({ inPort }) => inPort === 'a');
    if (flow) expect(flow.does.outputs).to.deep.equal(['b']);
    return flow?.packets;
  }

  it('count every packet but the one that they were made for', async () => {
    await send();
    let count = await counted();
    while (count === undefined) count = await counted();
    expect(count).to.equal(0n);
    for (let sent = 0; sent < 20; sent++) await send();
    while (count !== 20n) {
      count = await counted();
      expect(Number(count)).to.be.at.most(20);
    }
  });

  it('are not asked for where there are too many', async () => {
    await send();
    const reading = await readDatapathFlows({ ...options(), maxFlows: 0 });
    expect(reading.outcome === 'lost' && reading.error.code).to.equal('DATAPATH_TOO_MANY_FLOWS');
  });

  it('are lost where there is no ovs-vswitchd', async () => {
    const reading = await readDatapathFlows({ ...options(), ovsRundir: '/nonexistent' });
    expect(reading.outcome === 'lost' && reading.error.code).to.equal('CONTROL_SOCKET_MISSING');
  });
});
