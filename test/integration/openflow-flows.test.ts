import { expect } from 'chai';
import { writeFile } from 'node:fs/promises';
import { OpenFlowConnection } from '../../src/openflow/connection.ts';
import type { FlowStats } from '../../src/openflow/flowstats.ts';
import { renderInstructions } from '../../src/openflow/instructions.ts';
import { renderMatch, toFieldValue } from '../../src/openflow/match.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';

const PACKET =
  'in_port(1),eth(src=52:54:00:00:00:01,dst=52:54:00:00:00:02),eth_type(0x0800),' +
  'ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=no),udp(src=1,dst=2)';

/** Of every kind that people write, besides those of the accounting pipeline. */
const MATCHES = [
  'in_port=1,dl_src=52:54:00:00:00:01,dl_dst=01:00:00:00:00:00/01:00:00:00:00:00',
  'in_port=LOCAL',
  'dl_vlan=10,dl_vlan_pcp=3',
  'vlan_tci=0x1000/0x1000',
  'vlan_tci=0',
  'tcp,nw_src=10.0.0.0/8,nw_dst=10.1.2.3,tp_dst=0x1000/0xf000',
  'udp,nw_src=10.0.0.1/255.0.255.0,tp_src=53',
  'udp6,ipv6_src=2001:db8::/32,ipv6_dst=fd00::1,tp_dst=443',
  'arp,arp_op=1,arp_spa=10.0.0.1,arp_sha=52:54:00:00:00:01',
  'icmp6,icmp_type=135,icmp_code=0,nd_target=fe80::1',
  'tcp,tcp_flags=+syn-ack',
  'reg0=0x8001,reg7=0x10/0xf0,reg15=1,metadata=0x1234,xreg5=7',
  'ip,nw_tos=32,nw_ecn=1,nw_ttl=64,ip_frag=later',
  'ct_state=+trk+est,ct_zone=7,ct_mark=0x1/0x1,ip',
  'tun_id=0x2a,tun_src=10.9.9.9,tun_metadata0=1',
  'pkt_mark=7,conj_id=5,ip',
  'mpls,mpls_label=5,mpls_bos=1',
  'sctp,tp_dst=9',
];

/** In the form that it gets from ovs-ofctl. */
const ACTIONS = [
  'drop',
  'NORMAL',
  'output:7,LOCAL,IN_PORT',
  'resubmit(,50),resubmit(3,),resubmit(4,60)',
  'set_field:0x8001->reg0,goto_table:9',
  'set_field:52:54:00:00:00:01->eth_src,pop_vlan,push_vlan:0x8100,set_field:0x100a->vlan_vid,output:1',
  'load:0x1->reg2[0..31],load:0x7->reg3[4..7]',
  'move:vlan_vid[0..11]->reg3[0..11]',
  'group:22082',
  'set_queue:5,output:2',
  'write_actions(output:3),write_metadata:0x12/0xff',
  'clear_actions,goto_table:4',
  'dec_ttl,exit',
];

describe('openflow rules, with a real ovs-vswitchd', () => {
  it('reads counters, cookie, priority and timeouts of a rule', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await sandbox.vsctl('add-br', 'br0', '--', 'add-port', 'br0', 'p1', '--', 'add-port', 'br0', 'p2');
    await sandbox.ofctl(
      ...['-OOpenFlow13', 'add-flow', 'br0'],
      'table=3,cookie=0x5642000000000001,priority=77,idle_timeout=300,hard_timeout=900,send_flow_rem,udp,actions=NORMAL',
    );
    await sandbox.ofctl('add-flow', 'br0', 'priority=1,actions=load:0x8001->NXM_NX_REG0[],resubmit(,3)');
    for (const bytes of [60, 500, 1514]) {
      await sandbox.appctl('netdev-dummy/receive', 'p1', PACKET, '--len', String(bytes));
    }
    await using connection = await OpenFlowConnection.connect(`${sandbox.rundir}/br0.mgmt`);
    // Pushes the counts of datapath flows, which come by themselves up to half a second late.
    await sandbox.appctl('revalidator/purge');
    const [flow] = await connection.flowStats({ tableId: 3 });
    if (!flow) expect.fail('no rule');
    expect(flow).to.include({
      tableId: 3,
      cookie: 0x5642_0000_0000_0001n,
      priority: 77,
      idleTimeoutS: 300,
      hardTimeoutS: 900,
      packets: 3n,
      bytes: 2074n,
      flags: 1,
    });
    expect(flow.durationMs).to.be.greaterThan(0).and.lessThan(60_000);
    expect(renderMatch(flow.match)).to.equal('eth_type=0x800,nw_proto=17');
  });

  it('asks for rules by table, by cookie and by match', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await sandbox.vsctl('add-br', 'br0');
    for (const flow of [
      'table=1,cookie=0x11,reg0=1',
      'table=1,cookie=0x12,reg0=2',
      'table=2,cookie=0x21,reg0=1',
    ])
      await sandbox.ofctl('add-flow', 'br0', `${flow},actions=drop`);
    await using connection = await OpenFlowConnection.connect(`${sandbox.rundir}/br0.mgmt`);
    const cookies = async (request: Parameters<typeof connection.flowStats>[0]) =>
      (await connection.flowStats(request)).map(({ cookie }) => cookie).sort();
    expect(await cookies({})).to.deep.equal([0n, 0x11n, 0x12n, 0x21n]);
    expect(await cookies({ tableId: 1 })).to.deep.equal([0x11n, 0x12n]);
    expect(await cookies({ cookie: 0x21n })).to.deep.equal([0x21n]);
    expect(await cookies({ cookie: 0x10n, cookieMask: 0xf0n })).to.deep.equal([0x11n, 0x12n]);
    const reg0 = toFieldValue('reg0', 4, 1n) ?? expect.fail('reg0 is not known');
    expect(await cookies({ match: [reg0] })).to.deep.equal([0x11n, 0x21n]);
    expect(await cookies({ tableId: 9 })).to.deep.equal([]);
  });

  it('reads the registers of a pair without decoding its match', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await sandbox.vsctl('add-br', 'br0');
    await sandbox.ofctl(
      'add-flow',
      'br0',
      'table=50,reg0=0x8001,reg1=0x10003,reg2=0x1/0x1,reg15=9,tcp,actions=drop',
    );
    await using connection = await OpenFlowConnection.connect(`${sandbox.rundir}/br0.mgmt`);
    const [flow] = await connection.flowStats({ tableId: 50 });
    expect([0, 1, 2, 3, 15].map((number) => flow?.register(number))).to.deep.equal([
      0x8001,
      0x10003,
      undefined,
      undefined,
      9,
    ]);
  });

  it('prints matches that ovs-ofctl reads as the same', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await sandbox.vsctl('add-br', 'br0', '--', 'add-br', 'br1');
    for (const bridge of ['br0', 'br1'])
      await sandbox.ofctl('add-tlv-map', bridge, '{class=0xffff,type=0,len=4}->tun_metadata0');
    await sandbox.ofctl('del-flows', 'br0');
    await sandbox.ofctl('del-flows', 'br1');
    for (const match of MATCHES)
      await sandbox.ofctl('-OOpenFlow13', 'add-flow', 'br0', `${match},actions=drop`);
    await using connection = await OpenFlowConnection.connect(`${sandbox.rundir}/br0.mgmt`);
    const flows = await connection.flowStats();
    expect(flows).to.have.length(MATCHES.length);
    for (const { match } of flows)
      await sandbox.ofctl('-OOpenFlow13', 'add-flow', 'br1', `${renderMatch(match)},actions=drop`);
    expect(await dumped(sandbox, 'br1')).to.deep.equal(await dumped(sandbox, 'br0'));
  });

  it('prints instructions that ovs-ofctl reads as the same', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await sandbox.vsctl('add-br', 'br0', '--', 'add-br', 'br1');
    for (const bridge of ['br0', 'br1']) {
      await sandbox.ofctl('-OOpenFlow13', 'add-group', bridge, 'group_id=22082,type=all,bucket=output:1');
      await sandbox.ofctl('del-flows', bridge);
    }
    for (const [index, actions] of ACTIONS.entries()) {
      const flow = `table=1,ip,vlan_tci=0x1000/0x1000,reg0=${String(index)},actions=${actions}`;
      await sandbox.ofctl('-OOpenFlow13', 'add-flow', 'br0', flow);
    }
    await using connection = await OpenFlowConnection.connect(`${sandbox.rundir}/br0.mgmt`);
    const flows = [...(await connection.flowStats())].sort(byRegister0);
    for (const { match, instructions } of flows) {
      const flow = `table=1,${renderMatch(match)},actions=${renderInstructions(instructions)}`;
      await sandbox.ofctl('-OOpenFlow13', 'add-flow', 'br1', flow);
    }
    expect(await dumped(sandbox, 'br1')).to.deep.equal(await dumped(sandbox, 'br0'));
    expect(flows.map(({ instructions }) => renderInstructions(instructions))).to.deep.equal(ACTIONS);
  });

  it('keeps the bytes of an action that it does not know, with its name', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await sandbox.vsctl('add-br', 'br0');
    await sandbox.ofctl('del-flows', 'br0');
    const learn = 'learn(table=50,priority=100,cookie=0x77,NXM_NX_REG0[])';
    await sandbox.ofctl('-OOpenFlow13', 'add-flow', 'br0', `ip,actions=${learn},ct(commit),note:01.02`);
    await using connection = await OpenFlowConnection.connect(`${sandbox.rundir}/br0.mgmt`);
    const [flow] = await connection.flowStats();
    expect(renderInstructions(flow?.instructions ?? [])).to.match(
      /^learn\(0x0000000000640000000000000077[0-9a-f]+\),ct\(0x0001[0-9a-f]+\),note\(0x0102[0-9a-f]*\)$/,
    );
  });

  it('reads 5,000 rules, in several parts', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await sandbox.vsctl('add-br', 'br0');
    const rules = Array.from({ length: 5000 }, (_, n) => `table=50,reg0=${String(n)},actions=drop`);
    const file = `${sandbox.directory}/rules`;
    await writeFile(file, rules.join('\n'));
    await sandbox.ofctl('add-flows', 'br0', file);
    await using connection = await OpenFlowConnection.connect(`${sandbox.rundir}/br0.mgmt`);
    const flows = await connection.flowStats({ tableId: 50 });
    expect(new Set(flows.map((flow) => flow.register(0))).size).to.equal(5000);
  });
});

function byRegister0(a: FlowStats, b: FlowStats): number {
  return (a.register(0) ?? 0) - (b.register(0) ?? 0);
}

/** Sorted, without what differs from run to run. */
async function dumped(sandbox: TestSandbox, bridge: string): Promise<readonly string[]> {
  const text = await sandbox.ofctl('-OOpenFlow13', '--no-names', '--no-stats', 'dump-flows', bridge);
  return text.trim().split('\n').sort();
}
