import { expect } from 'chai';
import { toOfPort } from '../../../../src/openflow/ofport.ts';
import type { FlowReport } from '../../../../src/traffic/conversations/collectorformats.ts';
import {
  ConversationLedger,
  type ConversationSource,
} from '../../../../src/traffic/conversations/conversations.ts';
import { BridgeEnds, type EndDevice } from '../../../../src/traffic/conversations/conversationsends.ts';
import { rateOf, withMark, type Mark } from '../../../../src/traffic/conversations/conversationsrate.ts';
import type { NicIdentity } from '../../../../src/traffic/switchports.ts';
import { mac } from '../../../support/desired.ts';

const WEB: NicIdentity = { vm: 'web1', nic: '0', topology: 'lab', network: 'web' };
const DB: NicIdentity = { ...WEB, vm: 'db1' };
const WEB_MAC = '52:54:00:00:00:01';
const DB_MAC = '52:54:00:00:00:02';
const DEVICES: readonly EndDevice[] = [
  { name: 'web1-0', ofport: toOfPort(1), ifindex: 11, mac: mac(WEB_MAC), end: WEB },
  { name: 'db1-0', ofport: toOfPort(2), ifindex: 12, mac: mac(DB_MAC), end: DB },
  { name: 'eth0', ofport: toOfPort(3), ifindex: 13, mac: undefined, end: 'uplink' },
  { name: 'br0', ofport: toOfPort(65_534), ifindex: 14, mac: mac('52:54:00:00:00:0f'), end: 'host' },
];
const NOW = Date.parse('2026-11-24T12:00:00Z');

function report(fields: Partial<FlowReport> = {}): FlowReport {
  return {
    input: { at: 'ofport', ofport: 1 },
    output: { at: 'ofport', ofport: 2 },
    destinationMac: undefined,
    protocol: 17,
    source: '10.0.0.1',
    destination: '10.0.0.2',
    sourcePort: 1000,
    destinationPort: 53,
    packets: 1,
    bytes: 100,
    startedAtMs: NOW,
    endedAtMs: NOW,
    ...fields,
  };
}

function endsWith(devices = DEVICES): BridgeEnds {
  const ends = new BridgeEnds();
  ends.setDevices(devices);
  return ends;
}

function sourceOf(bridge = 'br0', quality: ConversationSource['quality'] = 'exact'): ConversationSource {
  return { bridge, ends: endsWith(), quality };
}

describe('traffic: the ends of a conversation', () => {
  it('are known by the port, by number, name or ifindex', () => {
    const ends = endsWith();
    expect(ends.from(report())).to.equal(WEB);
    expect(ends.to(report())).to.equal(DB);
    expect(ends.from(report({ input: { at: 'device', name: 'db1-0' } }))).to.equal(DB);
    expect(ends.from(report({ input: { at: 'ifindex', ifindex: 13 } }))).to.equal('uplink');
    expect(ends.from(report({ input: { at: 'ofport', ofport: 9 } }))).to.equal('unknown');
    expect(ends.to(report({ output: { at: 'ofport', ofport: 65_534 } }))).to.equal('host');
  });

  it('are known by the Ethernet address, where the way out is not told', () => {
    const output = { at: 'unknown' } as const;
    const to = (destinationMac: string, ends = endsWith()) => ends.to(report({ output, destinationMac }));
    expect(to(DB_MAC)).to.equal(DB);
    expect(to('01:00:5e:00:00:01')).to.equal('flood');
    expect(to('52:54:00:99:00:01')).to.equal('uplink');
    expect(to('52:54:00:99:00:01', endsWith(DEVICES.slice(0, 2)))).to.equal('unknown');
  });

  it('are all ports for multicast and broadcast, however it was sent', () => {
    for (const destination of ['224.0.0.5', '239.255.255.250', '255.255.255.255', 'ff02::1'])
      expect(endsWith().to(report({ destination })), destination).to.equal('flood');
    expect(endsWith().to(report({ destination: '223.0.0.1' }))).to.equal(DB);
  });

  it('are learnt from who sent from an address, but not from beyond the uplink', () => {
    const ends = endsWith();
    const output = { at: 'flooded' } as const;
    expect(ends.to(report({ output }))).to.equal(undefined);
    ends.learn(report({ input: { at: 'ofport', ofport: 3 }, source: '10.0.0.2' }));
    expect(ends.to(report({ output }))).to.equal(undefined);
    ends.learn(report({ input: { at: 'ofport', ofport: 2 }, source: '10.0.0.2' }));
    expect(ends.to(report({ output }))).to.equal(DB);
    // 65534: to the bridge's own port, or to several, as with a mirror.
    expect(ends.to(report({ output: { at: 'ofport', ofport: 65_534 } }))).to.equal(DB);
  });

  it('remember a bounded number of addresses', () => {
    const ends = endsWith();
    for (let host = 0; host < 70_000; host++) ends.learn(report({ source: `fd00::${host.toString(16)}` }));
    expect(ends.addressee('fd00::ffff')).to.equal(WEB);
    expect(ends.addressee('fd00::1116f')).to.equal(undefined);
  });
});

describe('traffic: conversations', () => {
  it('adds the reports of one conversation up, whatever way the first packet took', () => {
    const ledger = new ConversationLedger();
    const source = sourceOf();
    ledger.add(source, [report({ output: { at: 'flooded' } })], NOW + 1000);
    expect(ledger.top(NOW + 1000, 10, undefined).conversations[0]?.to).to.equal('flood');
    const later = { packets: 4, bytes: 400, startedAtMs: NOW + 10, endedAtMs: NOW + 900 };
    ledger.add(source, [report(later)], NOW + 2000);
    ledger.add(source, [report({ output: { at: 'dropped' }, packets: 0, bytes: 0 })], NOW + 2000);
    const { conversations } = ledger.top(NOW + 2500, 10, undefined);
    expect(conversations).to.have.length(1);
    expect(conversations[0]).to.deep.include({
      bridge: 'br0',
      from: WEB,
      to: DB,
      protocol: 17,
      protocolName: 'udp',
      packets: 5n,
      bytes: 500n,
      quality: 'exact',
      ageMs: 500,
      firstSeen: new Date(NOW),
      lastSeen: new Date(NOW + 900),
    });
  });

  it('tells apart what differs in bridge, port, protocol, address or direction', () => {
    const ledger = new ConversationLedger();
    const reports = [
      report(),
      report({ protocol: 6 }),
      report({ protocol: 47, sourcePort: undefined, destinationPort: undefined }),
      report({ sourcePort: 1001 }),
      report({ destinationPort: 54 }),
      report({ source: '10.0.0.2', destination: '10.0.0.1' }),
      report({ input: { at: 'ofport', ofport: 2 } }),
    ];
    ledger.add(sourceOf(), reports, NOW);
    ledger.add(sourceOf('br1'), [report()], NOW);
    const { conversations } = ledger.top(NOW, 100, undefined);
    expect(conversations).to.have.length(8);
    expect(conversations.find(({ protocol }) => protocol === 47)).to.have.property('protocolName', 'gre');
  });

  it('shows those with most bytes, and sums up the others', () => {
    const ledger = new ConversationLedger();
    const sized = [3, 1, 2].map((size) => report({ sourcePort: size, bytes: size * 100, packets: size }));
    ledger.add(sourceOf(), sized, NOW);
    const { conversations, leftOut } = ledger.top(NOW, 2, undefined);
    expect(conversations.map(({ bytes }) => bytes)).to.deep.equal([300n, 200n]);
    expect(leftOut).to.deep.equal({ conversations: 1, packets: 1n, bytes: 100n });
    const few = ledger.top(NOW, 2, ({ sourcePort }) => sourcePort === 1);
    expect(few.conversations.map(({ bytes }) => bytes)).to.deep.equal([100n]);
    expect(few.leftOut.conversations).to.equal(0);
  });

  it('is bounded: drops the smallest, keeps the sum, and is no longer exact about new ones', () => {
    const ledger = new ConversationLedger(100);
    const source = sourceOf();
    const scan = Array.from({ length: 1000 }, (_, port) => report({ destinationPort: port }));
    ledger.add(source, [report({ destinationPort: 5432, bytes: 9_000 })], NOW);
    for (const one of scan) ledger.add(source, [one], NOW);
    ledger.add(source, [report({ destinationPort: 8080, bytes: 5_000 })], NOW);
    const { conversations, leftOut } = ledger.top(NOW, 1000, undefined);
    expect(conversations.length).to.be.within(100, 126);
    expect(conversations.length + leftOut.conversations).to.be.at.least(1001);
    const sum = conversations.reduce((bytes, one) => bytes + one.bytes, leftOut.bytes);
    expect(sum).to.equal(9_000n + 100_000n + 5_000n);
    expect(conversations[0]).to.deep.include({ destinationPort: 5432, quality: 'exact' });
    expect(conversations[1]).to.deep.include({ destinationPort: 8080, quality: 'at-least' });
  });

  it('has the quality of its source, also where that gets worse', () => {
    const ledger = new ConversationLedger();
    const source = { ...sourceOf(), quality: 'exact' as ConversationSource['quality'] };
    ledger.add(source, [report()], NOW);
    source.quality = 'at-least';
    expect(ledger.top(NOW, 1, undefined).conversations[0]?.quality).to.equal('at-least');
  });
});

describe('traffic: the rate of a conversation', () => {
  const ZERO: Mark = { atMs: NOW, packets: 0, bytes: 0 };

  /** Marks of one who sends 100 packets of 1,000 bytes each second, told of each second but for some. */
  function steady(seconds: number, untold: readonly number[] = []): readonly Mark[] {
    let marks: readonly Mark[] = [ZERO];
    for (let second = 1; second <= seconds; second++) {
      const atMs = NOW + second * 1000;
      const counted = { lastSeenMs: atMs, packets: second * 100, bytes: second * 100_000 };
      if (!untold.includes(second)) marks = withMark(marks, counted, atMs + 1000);
    }
    return marks;
  }

  it('is what was sent in a second, whenever the reports come', () => {
    for (const untold of [[], [7], [9], [10, 11], [8, 12]])
      for (const lateMs of [1000, 1400, 2000, 2900]) {
        const seconds = 14;
        const rate = rateOf(steady(seconds, untold), NOW + seconds * 1000 + lateMs);
        expect(rate, JSON.stringify({ untold, lateMs })).to.deep.equal({
          packetsPerSecond: 100,
          bitsPerSecond: 800_000,
        });
      }
  });

  it('keeps few marks', () => {
    expect(steady(1000).length).to.be.at.most(12);
    let sampled: readonly Mark[] = [ZERO];
    for (let packets = 1; packets <= 10_000; packets++) {
      const atMs = NOW + packets;
      sampled = withMark(sampled, { lastSeenMs: atMs, packets, bytes: packets * 100 }, atMs);
    }
    expect(sampled.length).to.be.at.most(24);
    expect(rateOf(sampled, NOW + 10_000).packetsPerSecond).to.be.within(999, 1001);
  });

  it('of one short burst is over a second at least, sinks, and then is 0', () => {
    const marks = withMark([ZERO], { lastSeenMs: NOW + 1, packets: 10, bytes: 1000 }, NOW + 1500);
    expect(rateOf(marks, NOW + 1500).packetsPerSecond).to.equal(10);
    let before = 10;
    for (let second = 4; second <= 8; second++) {
      const { packetsPerSecond } = rateOf(marks, NOW + second * 1000);
      expect(packetsPerSecond).to.be.at.most(before);
      before = packetsPerSecond;
    }
    expect(rateOf(marks, NOW + 9000)).to.deep.equal({ packetsPerSecond: 0, bitsPerSecond: 0 });
  });

  it('after a silence has no spike, and is not thinned by the silence', () => {
    const quiet = NOW + 3_600_000;
    const again = withMark(steady(3), { lastSeenMs: quiet, packets: 400, bytes: 400_000 }, quiet + 1000);
    const { packetsPerSecond } = rateOf(again, quiet + 1000);
    expect(packetsPerSecond).to.be.within(100 / 8, 100);
  });

  it('after a silence has nothing of what was sent before', () => {
    const burst = withMark([ZERO], { lastSeenMs: NOW + 300, packets: 80, bytes: 80_000 }, NOW + 1000);
    const later = NOW + 60_000;
    const again = withMark(burst, { lastSeenMs: later, packets: 88, bytes: 88_000 }, later);
    expect(rateOf(again, later).packetsPerSecond).to.equal(8 / 8);
  });
});
