import { expect } from 'chai';
import { once, EventEmitter } from 'node:events';
import { aggregateStats } from '../../src/openflow/aggregatestats.ts';
import type { SwitchEvent } from '../../src/openflow/asyncconfig.ts';
import { OpenFlowConnection } from '../../src/openflow/connection.ts';
import { SWITCH_DESCRIPTION } from '../../src/openflow/description.ts';
import { GROUP_FEATURES, GROUP_STATS, GROUPS } from '../../src/openflow/groups.ts';
import { renderActions } from '../../src/openflow/actions.ts';
import { renderInstructions } from '../../src/openflow/instructions.ts';
import { renderMatch } from '../../src/openflow/match.ts';
import { METER_FEATURES, METER_STATS, METERS } from '../../src/openflow/meters.ts';
import { QUEUE_STATS } from '../../src/openflow/queuestats.ts';
import { TABLE_STATS } from '../../src/openflow/tablestats.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';

const PACKET =
  'in_port(1),eth(src=52:54:00:00:00:01,dst=52:54:00:00:00:02),eth_type(0x0800),' +
  'ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=no),udp(src=1,dst=2)';

// A bridge's `protocols` may leave out the version that is wanted most.
for (const version of ['OpenFlow13', 'OpenFlow14', 'OpenFlow15']) {
  describe(`openflow statistics, with a bridge that speaks ${version}`, () => {
    it('reads ports', async () => {
      await using sandbox = await startBridge(version);
      await using connection = await connect(sandbox);
      const [stats, descriptions] = await Promise.all([
        connection.portStats(),
        connection.portDescriptions(),
      ]);
      expect(descriptions.map(({ name }) => name)).to.have.members(['br0', 'p1', 'p2']);
      const p1 = descriptions.find(({ name }) => name === 'p1') ?? expect.fail('no p1');
      expect(p1).to.include({ linkUp: true, adminUp: true });
      const { counters, durationMs } =
        stats.find(({ ofport }) => ofport === p1.ofport) ?? expect.fail('no p1');
      expect(counters).to.include({ rxPackets: 3n, rxBytes: 2074n, txBytes: 0n, rxErrors: undefined });
      expect(durationMs).to.be.greaterThan(0);
    });

    it('reads rules', async () => {
      await using sandbox = await startBridge(version);
      await using connection = await connect(sandbox);
      const [flow, ...others] = await connection.flowStats({ tableId: 50, cookie: 0x5642n });
      expect(others).to.deep.equal([]);
      expect(flow).to.include({
        tableId: 50,
        cookie: 0x5642n,
        priority: 77,
        idleTimeoutS: 300,
        hardTimeoutS: 900,
        packets: 3n,
        bytes: 2074n,
      });
      expect([0, 1, 2].map((number) => flow?.register(number))).to.deep.equal([0x8001, 0x10001, undefined]);
      expect(flow?.durationMs).to.be.greaterThan(0);
      expect(renderMatch(flow?.match ?? [])).to.be.oneOf([
        'reg0=0x8001,reg1=0x10001',
        'xreg0=0x800100010001',
      ]);
      expect(renderInstructions(flow?.instructions ?? [])).to.equal('group:22082');
      expect(await connection.read(aggregateStats({ tableId: 50 }))).to.deep.include({
        packets: 3n,
        bytes: 2074n,
        rules: 1,
      });
    });

    it('reads tables, queues, groups, meters and what the switch says of itself', async () => {
      await using sandbox = await startBridge(version);
      await using connection = await connect(sandbox);
      const tables = await connection.read(TABLE_STATS);
      expect(tables).to.have.length(254);
      expect(tables[50]).to.deep.equal({ tableId: 50, rules: 1, lookups: 3n, matches: 3n });
      // The dummy datapath has one queue for each port, and counts nothing there.
      const queues = await connection.read(QUEUE_STATS);
      expect(queues.map(({ ofport }) => Number(ofport))).to.have.members([1, 2, 65534]);
      expect(queues[0]).to.include({
        queue: 0,
        txBytes: undefined,
        txPackets: undefined,
        txErrors: undefined,
      });
      const [group] = await connection.read(GROUP_STATS);
      expect(group).to.deep.include({
        group: 22082,
        users: 1,
        packets: 3n,
        bytes: 2074n,
        buckets: [
          { packets: 3n, bytes: 2074n },
          { packets: 3n, bytes: 2074n },
        ],
      });
      const [{ buckets, ...described }] = atLeastOne(await connection.read(GROUPS));
      expect(described).to.deep.equal({ group: 22082, type: 'all' });
      expect(buckets.map(renderActions)).to.deep.equal(['output:1', 'set_field:0x7->reg2,resubmit(,60)']);
      const [{ maxGroups }] = atLeastOne(await connection.read(GROUP_FEATURES));
      expect([...maxGroups.keys()]).to.deep.equal(['all', 'select', 'indirect', 'fast-failover']);
      expect(await connection.read(METERS)).to.deep.equal([
        { meter: 7, unit: 'kilobits', bands: [{ type: 'drop', rate: 1000, burst: 200 }] },
      ]);
      const [meter] = await connection.read(METER_STATS);
      expect(meter).to.deep.include({ meter: 7, packets: 0n, bands: [{ packets: 0n, bytes: 0n }] });
      const [features] = await connection.read(METER_FEATURES);
      expect(features?.maxMeters).to.be.greaterThan(0);
      const [{ software, datapath }] = atLeastOne(await connection.read(SWITCH_DESCRIPTION));
      expect(await sandbox.appctl('version')).to.contain(`(Open vSwitch) ${software}\n`);
      expect(datapath).to.equal('rack 7');
    });

    it('tells events', async () => {
      await using sandbox = await startBridge(version);
      const events = new EventEmitter<{ 'flow-removed': [SwitchEvent]; 'port-status': [SwitchEvent] }>();
      await using _ = await OpenFlowConnection.connect(`${sandbox.rundir}/br0.mgmt`, {
        onEvent: (event) => events.emit(event.type, event),
      });
      const removed = once(events, 'flow-removed');
      await sandbox.ofctl('-O', version, 'del-flows', 'br0', 'table=50');
      const [rule] = (await removed) as [SwitchEvent & { type: 'flow-removed' }];
      expect(rule).to.include({
        reason: 'delete',
        tableId: 50,
        cookie: 0x5642n,
        priority: 77,
        idleTimeoutS: 300,
        hardTimeoutS: 900,
        packets: 3n,
        bytes: 2074n,
      });
      expect(rule.register(1)).to.equal(0x10001);
      expect(rule.durationMs).to.be.greaterThan(0);
      const status = once(events, 'port-status');
      await sandbox.vsctl('add-port', 'br0', 'p9');
      expect((await status)[0]).to.deep.nested.include({ reason: 'add', 'port.name': 'p9' });
    });
  });
}

/** A bridge of that version, with a rule, a group and a meter; 3 packets, 2074 bytes, came through all but the meter. */
async function startBridge(version: string): Promise<TestSandbox> {
  const sandbox = await startTestSandbox({ dummy: true });
  await sandbox.vsctl('add-br', 'br0', '--', 'add-port', 'br0', 'p1', '--', 'add-port', 'br0', 'p2');
  await sandbox.vsctl('set', 'bridge', 'br0', `protocols=${version}`, 'other_config:dp-desc="rack 7"');
  const group =
    'group_id=22082,type=all,bucket=actions=output:1,bucket=actions=set_field:7->reg2,resubmit(,60)';
  await sandbox.ofctl('-O', version, 'add-group', 'br0', group);
  await sandbox.ofctl(
    '-O',
    version,
    'add-meter',
    'br0',
    'meter=7,kbps,burst,bands=type=drop,rate=1000,burst_size=200',
  );
  for (const flow of [
    'priority=1,actions=set_field:0x8001->reg0,set_field:0x10001->reg1,goto_table:50',
    'table=50,cookie=0x5642,priority=77,idle_timeout=300,hard_timeout=900,send_flow_rem,reg0=0x8001,reg1=0x10001,actions=group:22082',
  ])
    await sandbox.ofctl('-O', version, 'add-flow', 'br0', flow);
  for (const bytes of [60, 500, 1514]) {
    await sandbox.appctl('netdev-dummy/receive', 'p1', PACKET, '--len', String(bytes));
  }
  await sandbox.appctl('revalidator/purge');
  return sandbox;
}

function connect(sandbox: TestSandbox): Promise<OpenFlowConnection> {
  return OpenFlowConnection.connect(`${sandbox.rundir}/br0.mgmt`);
}

function atLeastOne<T>(entries: readonly T[]): [T] {
  return [entries[0] ?? expect.fail('no entry')];
}
