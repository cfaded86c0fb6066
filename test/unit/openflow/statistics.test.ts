import { expect } from 'chai';
import { aggregateStats } from '../../../src/openflow/aggregatestats.ts';
import { decodeMessage } from '../../../src/openflow/codec.ts';
import { renderActions } from '../../../src/openflow/actions.ts';
import { SWITCH_DESCRIPTION } from '../../../src/openflow/description.ts';
import { flowStats } from '../../../src/openflow/flowstatistic.ts';
import type { FlowStats } from '../../../src/openflow/flowstats.ts';
import { GROUP_FEATURES, GROUP_STATS, GROUPS } from '../../../src/openflow/groups.ts';
import { renderInstructions } from '../../../src/openflow/instructions.ts';
import { decodeMatch, encodeMatch, renderMatch, toFieldValue } from '../../../src/openflow/match.ts';
import { METER_FEATURES, METER_STATS, METERS } from '../../../src/openflow/meters.ts';
import { PORT_DESCRIPTIONS } from '../../../src/openflow/portdescription.ts';
import { PORT_STATS } from '../../../src/openflow/portstats.ts';
import { QUEUE_STATS } from '../../../src/openflow/queuestats.ts';
import { TABLE_STATS } from '../../../src/openflow/tablestats.ts';
import { entriesOf, lastBytes, versionOf } from '../../support/openflowfixtures.ts';

const fixture = (name: string): string => `ovs-3.1.0-dummy-${name}.bin`;

describe('openflow statistics, as Open vSwitch 3.1.0 sent them', () => {
  for (const name of ['flows', 'flows-1.5']) {
    it(`reads rules: ${name}`, () => {
      const flows = entriesOf(fixture(name), flowStats({}));
      expect(flows).to.have.length(7);
      const pair = ruleOf(flows, 0x5642_01f0_0000_8001n);
      expect(pair).to.include({
        tableId: 50,
        priority: 100,
        packets: 3n,
        bytes: 2074n,
        idleTimeoutS: 300,
        hardTimeoutS: 900,
      });
      expect(pair.flags & 1).to.equal(1);
      expect([0, 1, 2].map((number) => pair.register(number))).to.deep.equal([0x8001, 0, undefined]);
      expect(renderInstructions(pair.instructions)).to.equal('group:22082');
    });
  }

  it('prints what it knows, and keeps the bytes of the rest', () => {
    const texts = entriesOf(fixture('flows'), flowStats({})).map(({ match, instructions }) => [
      renderMatch(match),
      renderInstructions(instructions),
    ]);
    expect(texts).to.deep.include.members([
      ['', 'set_field:0x8001->reg0,move:vlan_vid[0..11]->reg3[0..11],load:0x1->reg2[0..31],resubmit(,50)'],
      [
        'in_port=1,eth_dst=01:00:00:00:00:00/01:00:00:00:00:00,vlan_vid=0x100a',
        'pop_vlan,push_vlan:0x8100,NORMAL',
      ],
    ]);
    const learn = texts.find(([, actions]) => actions?.startsWith('learn('));
    // Idle and hard timeout, priority, cookie, flags, table, padding; then what is to be learned.
    expect(learn?.[1]).to.match(/^learn\(0x012c00000064564201f000008001000132.*\)$/);
    const ipv6 = texts.find(([match]) => match?.includes('ipv6_src=2001:db8::/32'));
    expect(ipv6?.[1]).to.equal('meter:7,set_queue:5,output:2');
    const arp = texts.find(([match]) => match?.includes('arp_spa=10.0.0.1'));
    expect(arp?.[0]).to.contain('tun_gtpu_flags=0x1');
    expect(arp?.[1]).to.equal('write_actions(output:3),write_metadata:0x12/0xff,goto_table:61');
  });

  it('writes a match as it was read', () => {
    for (const { match } of entriesOf(fixture('flows'), flowStats({}))) {
      expect(decodeMatch(encodeMatch(match), 0)).to.deep.equal(match);
    }
    const field = toFieldValue('nw_proto', 1, 6n);
    expect(field && renderMatch(decodeMatch(encodeMatch([field]), 0))).to.equal('nw_proto=6');
    expect(toFieldValue('colour', 1, 6n)).to.equal(undefined);
  });

  it('reads sums, and tables', () => {
    const sum = { packets: 6n, bytes: 4148n, rules: 7 };
    expect(entriesOf(fixture('aggregate'), aggregateStats({}))).to.deep.equal([sum]);
    expect(entriesOf(fixture('aggregate-1.5'), aggregateStats({}))).to.deep.equal([sum]);
    const tables = entriesOf(fixture('tables'), TABLE_STATS);
    expect(tables).to.have.length(254);
    expect(tables[50]).to.deep.equal({ tableId: 50, rules: 2, lookups: 3n, matches: 3n });
  });

  it('reads groups', () => {
    for (const name of ['groups', 'groups-1.5']) {
      const groups = entriesOf(fixture(name), GROUPS);
      expect(
        groups.map(({ buckets, ...group }) => ({ ...group, buckets: buckets.map(renderActions) })),
      ).to.deep.equal([
        { group: 22082, type: 'select', buckets: ['output:1', 'set_field:0x7->reg2,resubmit(,60)'] },
      ]);
    }
    const [stats] = entriesOf(fixture('group-stats'), GROUP_STATS);
    expect(stats).to.include({ group: 22082, users: 1, packets: 3n, bytes: 2074n });
    expect(stats?.buckets.map(({ bytes }) => bytes)).to.have.members([2074n, 0n]);
    const [features] = entriesOf(fixture('group-features'), GROUP_FEATURES);
    expect([...(features?.maxGroups.keys() ?? [])]).to.include('select');
  });

  it('reads meters', () => {
    expect(entriesOf(fixture('meters'), METERS)).to.deep.equal([
      { meter: 7, unit: 'kilobits', bands: [{ type: 'drop', rate: 1000, burst: 200 }] },
    ]);
    const [stats] = entriesOf(fixture('meter-stats'), METER_STATS);
    expect(stats).to.deep.include({ meter: 7, rules: 1, packets: 0n, bands: [{ packets: 0n, bytes: 0n }] });
    const [features] = entriesOf(fixture('meter-features'), METER_FEATURES);
    expect(features?.maxMeters).to.be.greaterThan(0);
  });

  it('leaves counters unknown that the datapath does not have', () => {
    for (const name of ['queues', 'queues-1.4']) {
      const queues = entriesOf(fixture(name), QUEUE_STATS);
      expect(queues.map(({ ofport }) => Number(ofport))).to.have.members([1, 2, 65534]);
      for (const queue of queues) {
        const { txBytes, txPackets, txErrors, durationMs } = queue;
        expect([txBytes, txPackets, txErrors, durationMs]).to.deep.equal(Array(4).fill(undefined));
      }
    }
  });

  it('reads what the switch says of itself', () => {
    expect(entriesOf(fixture('description'), SWITCH_DESCRIPTION)).to.deep.equal([
      {
        manufacturer: 'Nicira, Inc.',
        hardware: 'Open vSwitch',
        software: '3.1.0',
        serialNumber: 'None',
        datapath: 'rack 7',
      },
    ]);
  });

  it('reads ports of OpenFlow 1.4', () => {
    const ports = entriesOf(fixture('port-description-1.4'), PORT_DESCRIPTIONS);
    expect(ports.map(({ name }) => name)).to.have.members(['br0', 'p1', 'p2']);
    const p1 = ports.find(({ name }) => name === 'p1');
    const stats = entriesOf(fixture('port-stats-1.4'), PORT_STATS).find(
      ({ ofport }) => ofport === p1?.ofport,
    );
    expect(stats?.counters).to.include({ rxPackets: 3n, rxBytes: 2074n, txPackets: 0n, rxErrors: undefined });
    expect(stats?.durationMs).to.be.greaterThan(0);
  });

  it('reads that a rule went', () => {
    for (const name of ['flow-removed', 'flow-removed-1.5']) {
      const message = decodeMessage(lastBytes(fixture(name)), versionOf(fixture(name)));
      if (message.type !== 'flow-removed') expect.fail(message.type);
      expect(message).to.include({
        reason: 'delete',
        tableId: 50,
        priority: 100,
        cookie: 0x5642_01f0_0000_8001n,
        idleTimeoutS: 300,
        hardTimeoutS: 900,
      });
      expect([0, 1, 2].map((number) => message.register(number))).to.deep.equal([0x8001, 0, undefined]);
      expect(message.durationMs).to.be.greaterThan(0);
    }
  });

  it('reads that a port came', () => {
    for (const name of ['port-status', 'port-status-1.4']) {
      const message = decodeMessage(lastBytes(fixture(name)), versionOf(fixture(name)));
      if (message.type !== 'port-status') expect.fail(message.type);
      expect(message.reason).to.equal('add');
      expect(message.port?.name).to.match(/^q1[0-9]$/);
    }
  });
});

function ruleOf(flows: readonly FlowStats[], cookie: bigint): FlowStats {
  return flows.find((flow) => flow.cookie === cookie) ?? expect.fail('no such rule');
}
