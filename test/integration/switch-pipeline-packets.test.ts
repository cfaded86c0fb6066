import { expect } from 'chai';
import { fileURLToPath } from 'node:url';
import { connectSwitch } from '../../src/app/switchclient.ts';
import { toSettings } from '../../src/app/settings.ts';
import { decodeCookie, END_CLASS_IDS } from '../../src/openflow/accounting.ts';
import { OpenFlowConnection } from '../../src/openflow/connection.ts';
import type { PortCounters } from '../../src/openflow/portstats.ts';
import { switchDomain } from '../../src/switch/domain.ts';
import { bridge, desiredState, mac, nic } from '../support/desired.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';

const SENDER = fileURLToPath(new URL('../support/peers/udpflows.py', import.meta.url));
const WEB1 = '52:54:00:10:00:01';
const DB1 = '52:54:00:10:00:02';
const WAIT = { deadlineMs: 15_000 };

/** Packets and bytes that a source sent, where there are any: each pair, and what was counted for the rest. */
async function sentBy(sandbox: TestSandbox, source: number): Promise<Record<string, [bigint, bigint]>> {
  await sandbox.appctl('revalidator/wait');
  await using connection = await OpenFlowConnection.connect(`${sandbox.rundir}/br0.mgmt`);
  const rows: Record<string, [bigint, bigint]> = {};
  for (const flow of await connection.flowStats({ tableId: 50 })) {
    const meaning = decodeCookie(flow.cookie);
    if ((meaning?.kind !== 'pair' && meaning?.kind !== 'rest') || meaning.source !== source) continue;
    const to = meaning.kind === 'pair' ? String(flow.register(1)) : 'rest';
    if (flow.packets === 0n) continue;
    rows[to] = [flow.packets ?? -1n, flow.bytes ?? -1n];
  }
  return rows;
}

describe('the accounting pipeline, with packets through devices', function () {
  this.timeout(60_000);

  it('counts each of 1,000 packets in 200 flows, the first ones included, and what goes elsewhere', async () => {
    await using sandbox = await startTestSandbox();
    for (const port of ['web1-0', 'db1-0', 'up0']) {
      const peer = `${port}p`;
      await sandbox.inside('ip', 'link', 'add', port, 'type', 'veth', 'peer', 'name', peer);
      for (const device of [port, peer]) {
        // Nothing but what the test sends: no router solicitations.
        await sandbox.inside('sysctl', '-qw', `net.ipv6.conf.${device}.disable_ipv6=1`);
        await sandbox.inside('ip', 'link', 'set', device, 'up');
      }
    }
    await using client = await connectSwitch(toSettings({ remote: sandbox.remote }, {}));
    const ovs = switchDomain({
      client,
      remote: sandbox.remote,
      netns: sandbox.netns,
      ovsRundir: sandbox.rundir,
      databaseOnly: false,
    });
    const desired = desiredState(
      'lab',
      [bridge('br0', { visibility: 'pairs', uplinks: [{ device: 'up0', vlan: undefined, adopt: false }] })],
      [nic('web1', 0, { mac: mac(WEB1) }), nic('db1', 0, { mac: mac(DB1) })],
    );
    await ovs.apply(ovs.diff(desired, await ovs.observe(desired)).changes, WAIT);
    expect(await ovs.verify(desired, WAIT)).to.deep.equal([]);

    const send = (to: string, flows: number, each: number, bytes: number): Promise<string> =>
      sandbox.inside('python3', SENDER, 'web1-0p', WEB1, to, ...[flows, each, bytes].map(String));
    await send(DB1, 200, 5, 542);
    await send('ff:ff:ff:ff:ff:ff', 1, 3, 60);
    await send('01:00:5e:00:00:01', 1, 2, 60);
    await send('52:54:00:99:00:01', 4, 10, 1000);
    const ofport = async (port: string): Promise<number> =>
      Number(await sandbox.vsctl('get', 'Interface', port, 'ofport'));
    const web1 = await ofport('web1-0');
    const rows = await sentBy(sandbox, web1);
    expect(rows).to.deep.equal({
      [String(await ofport('db1-0'))]: [1000n, 542_000n],
      [String(END_CLASS_IDS.flood)]: [5n, 300n],
      [String(END_CLASS_IDS.uplink)]: [40n, 40_000n],
    });
    const sum = Object.values(rows).reduce<[bigint, bigint]>(([p, b], [q, c]) => [p + q, b + c], [0n, 0n]);
    const { rxPackets, rxBytes } = await countersOf(sandbox, web1);
    expect(sum, 'the sum over a source is what it sent').to.deep.equal([rxPackets, rxBytes]);
    // NORMAL floods what nobody is known to have.
    const { txPackets } = await countersOf(sandbox, await ofport('db1-0'));
    expect(txPackets, 'and all of it is forwarded').to.equal(1000n + 5n + 40n);
  });
});

async function countersOf(sandbox: TestSandbox, ofport: number): Promise<PortCounters> {
  await using connection = await OpenFlowConnection.connect(`${sandbox.rundir}/br0.mgmt`);
  const port = (await connection.portStats()).find((one) => one.ofport === ofport);
  if (!port) throw new Error(`no port ${String(ofport)}`);
  return port.counters;
}
