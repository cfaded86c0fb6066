import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { renderTrace } from '../../../src/output/trace.ts';
import { parseDatapathActions } from '../../../src/traffic/datapath/datapathactions.ts';
import { toTraceFlow, type TracePacketRequest } from '../../../src/traffic/trace/tracepacket.ts';
import { parseTrace } from '../../../src/traffic/trace/tracetext.ts';
import { judgeTrace, type TraceVerdict } from '../../../src/traffic/trace/traceverdict.ts';
import { toIpAddress } from '../../../src/units/cidr.ts';
import { mac } from '../../support/desired.ts';
import { device, nic } from './madedevices.ts';

/** Answers of ovs-vswitchd 3.1.0 with the dummy datapath, on a bridge with the accounting pipeline. */
function captured(name: string): string {
  return readFileSync(`test/fixtures/trace/${name}.txt`, 'utf8');
}

const web1 = device('web1-0', nic('web1'));
const web2 = device('web2-0', nic('web2'));
const db1 = device('db1-0', nic('db1'));
const uplink = { ...device('up0', 'uplink', 0), taggedVlans: 'all' as const };
const DEVICES = [web1, web2, db1, uplink, device('br0', 'host', 0)];

const topologyOf = (bridge: string): string | undefined => (bridge === 'br0' ? 'lab' : undefined);

function judged(name: string, target: Parameters<typeof judgeTrace>[2] = db1): TraceVerdict {
  return judgeTrace(parseTrace(captured(name)), DEVICES, target, topologyOf);
}

describe('trace', () => {
  describe('the verdict', () => {
    it('passes the accounting pipeline, and says that the receiver alone gets it', () => {
      const verdict = judged('accounting');
      expect(verdict.outcome).to.equal('delivered');
      expect(verdict.deliveries).to.deep.equal([{ bridge: 'br0', device: 'db1-0', end: nic('db1') }]);
      expect(verdict.why).to.equal('forwarding to learned port');
      expect(verdict.decidedBy).to.include({
        table: 60,
        maker: 'vswitchboard',
        topology: 'lab',
        match: '',
        priority: 1,
      });
      expect(verdict.rules.map(({ table, counts }) => [table, counts])).to.deep.equal([
        [0, false],
        [30, false],
        [50, true],
        [60, false],
      ]);
      const destination = verdict.rules[1];
      expect(destination?.actions).to.deep.equal([
        'set_field:0x8003->reg1',
        'resubmit(,50)',
        'resubmit(,60)',
      ]);
    });

    it('tells flooding, to the receiver and others', () => {
      const verdict = judged('counted', web2);
      expect(verdict.outcome).to.equal('flooded');
      expect(verdict.deliveries.map((delivery) => delivery.device)).to.include.members([
        'web2-0',
        'up0',
        'br0',
      ]);
      expect(verdict.why).to.equal('no learned MAC for destination, flooding');
      expect(judged('counted', 'uplink').outcome).to.equal('flooded');
      expect(judged('counted', 'flood').outcome).to.equal('flooded');
    });

    it("names the rule that drops, and that it is somebody else's", () => {
      const verdict = judged('dropped');
      expect(verdict.outcome).to.equal('dropped');
      expect(verdict.decidedBy).to.deep.include({
        match: 'tcp,tp_dst=22',
        cookie: 0x77n,
        maker: 'other',
        topology: undefined,
      });
    });

    it('gives the reason of Open vSwitch where NORMAL drops', () => {
      const verdict = judged('wrong-vlan');
      expect(verdict.outcome).to.equal('dropped');
      expect(verdict.why).to.equal('disallowed VLAN VID for this input port, dropping');
    });

    it('says that no rule matched, and where', () => {
      const { outcome, decidedBy } = judged('no-match');
      expect(outcome).to.equal('dropped');
      expect(decidedBy).to.deep.include({
        table: 99,
        match: 'No match.',
        priority: undefined,
        maker: 'nobody',
      });
    });

    it('follows connection tracking', () => {
      const verdict = judged('conntrack');
      expect(verdict.outcome).to.equal('delivered');
      expect(verdict.rules.map(({ table }) => table)).to.deep.equal([0, 5, 60]);
      expect(parseTrace(captured('conntrack')).passes).to.have.length(2);
    });

    it('tells other receivers, and controllers', () => {
      expect(judged('elsewhere')).to.deep.include({
        outcome: 'elsewhere',
        deliveries: [{ bridge: 'br0', device: 'web2-0', end: nic('web2') }],
        toController: false,
      });
      expect(judged('controller')).to.deep.include({
        outcome: 'elsewhere',
        deliveries: [],
        toController: true,
      });
    });

    it('gives the failure of an endless loop', () => {
      expect(judged('endless')).to.deep.include({ outcome: 'dropped', why: 'Recursion too deep' });
    });

    it('goes through patch ports, by the rule that a new bridge has', () => {
      const verdict = judged('default');
      expect(verdict.rules.map(({ bridge, maker }) => `${bridge} ${maker}`).slice(0, 2)).to.deep.equal([
        'br1 default',
        'br0 vswitchboard',
      ]);
      // A device that no row names is beyond the switch.
      expect(verdict.deliveries[0]).to.deep.equal({ bridge: undefined, device: 'br1', end: 'uplink' });
    });

    it('says that it does not know where a trace ends in a recirculation', () => {
      const verdict = judged('recirculated');
      expect(verdict.outcome).to.equal('unknown');
      expect(verdict.why).to.match(/\(recirc\(0x[0-9a-f]+\)\)/);
    });

    it('takes any text, cut anywhere', () => {
      for (const name of ['accounting', 'conntrack', 'endless']) {
        const text = captured(name);
        for (let end = 0; end < text.length; end++)
          expect(judgeTrace(parseTrace(text.slice(0, end)), DEVICES, db1, topologyOf).outcome).to.be.a(
            'string',
          );
      }
      fc.assert(
        fc.property(fc.string(), (text) => {
          expect(judgeTrace(parseTrace(text), DEVICES, db1, topologyOf).deliveries).to.deep.equal([]);
        }),
      );
    });
  });

  describe('the packet', () => {
    const request: TracePacketRequest = {
      from: web1,
      to: db1,
      fromMac: mac('52:54:00:10:00:01'),
      toMac: mac('52:54:00:10:00:03'),
      fromIp: toIpAddress('10.1.0.1'),
      toIp: toIpAddress('10.1.0.3'),
      vlan: undefined,
      match: 'tcp/5432',
    };
    const HEAD = 'in_port=7,dl_src=52:54:00:10:00:01,dl_dst=52:54:00:10:00:03';

    it('has what is known, in the syntax of ovs-fields(7)', () => {
      expect(toTraceFlow(request)).to.equal(
        `${HEAD},tcp,nw_src=10.1.0.1,nw_dst=10.1.0.3,nw_ttl=64,tcp_src=40000,tcp_dst=5432`,
      );
      expect(toTraceFlow({ ...request, match: 'icmp', fromIp: undefined, toIp: undefined })).to.equal(
        `${HEAD},icmp,nw_ttl=64`,
      );
    });

    it('is IPv6 where an address is', () => {
      expect(
        toTraceFlow({ ...request, fromIp: undefined, toIp: toIpAddress('fd00::3'), match: 'udp/53' }),
      ).to.equal(`${HEAD},udp6,ipv6_dst=fd00::3,nw_ttl=64,udp_src=40000,udp_dst=53`);
      expect(toTraceFlow({ ...request, toIp: undefined, fromIp: undefined, match: 'icmp6' })).to.include(
        ',icmp6,',
      );
    });

    it('asks for an address as a broadcast', () => {
      expect(toTraceFlow({ ...request, match: 'arp' })).to.match(
        /dl_dst=ff:ff:ff:ff:ff:ff,arp,arp_op=1,arp_sha=52:54:00:10:00:01,arp_spa=10.1.0.1,arp_tpa=10.1.0.3$/,
      );
    });

    it('has the tag that the receiver needs, where the sender has a trunk', () => {
      expect(toTraceFlow({ ...request, from: uplink })).to.include(',dl_vlan=10,');
      expect(toTraceFlow(request)).to.not.include('dl_vlan');
      expect(toTraceFlow({ ...request, vlan: 30 })).to.include(',dl_vlan=30,');
    });

    it('takes fields as they are, over its own', () => {
      expect(
        toTraceFlow({ ...request, match: 'tcp,tcp_dst=80,dl_dst=02:00:00:00:00:01,ct_state=+est' }),
      ).to.equal(
        `${HEAD.replace(/dl_dst=.*/, 'dl_dst=02:00:00:00:00:01')},tcp,nw_src=10.1.0.1,nw_dst=10.1.0.3,nw_ttl=64,` +
          'tcp_dst=80,ct_state=+est',
      );
      expect(toTraceFlow({ ...request, match: 'dl_type=0x88cc' })).to.equal(`${HEAD},dl_type=0x88cc`);
    });

    for (const match of ['tcp/70000', 'icmp/3', 'tcp/', 'tcp dst=5', 'tcp,,', 'a=b;c', 'tcp,x=$(id)'])
      it(`refuses "${match}"`, () => {
        expect(() => toTraceFlow({ ...request, match }))
          .to.throw()
          .with.property('code', 'TRACE_MATCH_INVALID');
      });
  });

  describe("a datapath's actions", () => {
    it('are told apart from devices', () => {
      expect(parseDatapathActions('push_vlan(vid=10,pcp=0),br0,pop_vlan,web2-0,db1-0')).to.deep.equal({
        outputs: ['br0', 'web2-0', 'db1-0'],
        goesOn: [],
        toUserspace: false,
      });
      expect(parseDatapathActions('drop').outputs).to.deep.equal([]);
      expect(
        parseDatapathActions('clone(ct(commit,zone=3,nat(src=10.0.0.1)),recirc(0x5)),trunc(64),mir0,5'),
      ).to.deep.equal({ outputs: ['mir0', '5'], goesOn: ['recirc(0x5)'], toUserspace: false });
      expect(
        parseDatapathActions(
          'sample(sample=10.0%,actions(userspace(pid=0,sFlow(vid=0),actions))),check_pkt_len(size=1500,gt(drop),le(up0))',
        ).outputs,
      ).to.deep.equal(['up0']);
      expect(
        parseDatapathActions(
          'clone(tnl_push(tnl_port(vxlan_sys_4789),header(size=50,type=4),out_port(br-phy)),eth1),lb_output(1)',
        ).outputs,
      ).to.deep.equal(['eth1', 'lb_output(1)']);
      expect(parseDatapathActions('tnl_pop(vxlan_sys_4789)').goesOn).to.deep.equal([
        'tnl_pop(vxlan_sys_4789)',
      ]);
      expect(parseDatapathActions('userspace(pid=0,slow_path(controller))').toUserspace).to.equal(true);
    });

    it('are read from any text, in a time that grows as the text does', () => {
      fc.assert(
        fc.property(
          fc.string({ unit: fc.constantFrom('(', ')', ',', 'a', 'clone', 'recirc', ' ') }),
          (text) => {
            expect(parseDatapathActions(text).outputs).to.be.an('array');
          },
        ),
      );
      expect(parseDatapathActions('recirc('.repeat(100_000)).goesOn).to.have.length(1);
    });
  });

  it('shows the answer first, without escapes of others', () => {
    const verdict = judged('dropped');
    const shown = { ...verdict, from: nic('we\u001b[31mb1'), to: nic('db1'), bridge: 'br0', packet: 'tcp' };
    const text = renderTrace({ ...shown, remarks: ['a remark'], raw: '' }, { colour: false });
    expect(text.split('\n').slice(0, 2)).to.deep.equal([
      'we?[31mb1:0 → db1:0 on br0: dropped',
      "  by table 0: priority 100, tcp,tp_dst=22: drop (somebody else's rule, cookie 0x77)",
    ]);
    expect(text).to.include('\na remark\n');
  });
});
