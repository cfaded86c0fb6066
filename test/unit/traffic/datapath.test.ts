import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { fail } from '../../../src/errors.ts';
import { parseDatapathActions } from '../../../src/traffic/datapath/datapathactions.ts';
import { parseDatapathFlows, type DatapathFlow } from '../../../src/traffic/datapath/datapathflows.ts';
import { DatapathLedger } from '../../../src/traffic/datapath/datapathledger.ts';
import { DatapathPairs } from '../../../src/traffic/datapath/datapathpairs.ts';
import type { DatapathReading } from '../../../src/traffic/datapath/datapathreader.ts';
import type { Pair, PairEnd } from '../../../src/traffic/pairs/pair.ts';
import { mac } from '../../support/desired.ts';
import { device, nic } from './madedevices.ts';

/** What ovs-vswitchd 3.1.0 answered after six rounds of packets; the first of each made its flow and is in no count. */
const DUMP = readFileSync('test/fixtures/datapath/flows.txt', 'utf8');

const DEVICES = [
  { ...device('web1-0', nic('web1')), mac: mac('52:54:00:10:00:01') },
  { ...device('web2-0', nic('web2')), mac: mac('52:54:00:10:00:02') },
  { ...device('db1-0', nic('db1')), mac: mac('52:54:00:10:00:03') },
  device('up0', 'uplink'),
  device('br0', 'host'),
];
const BR0 = new Set(['br0']);

function text(end: PairEnd): string {
  return typeof end === 'string' ? end : end.vm;
}

/** `web1 db1`: packets, bytes. */
function totals(pairs: readonly Pair[]): Record<string, [bigint | undefined, bigint | undefined]> {
  return Object.fromEntries(
    pairs.map(({ from, to, packets, bytes }) => [`${text(from)} ${text(to)}`, [packets, bytes]]),
  );
}

function flow(packets: number, more: Partial<DatapathFlow> = {}): DatapathFlow {
  return {
    key: 'a',
    inPort: 'web1-0',
    toMac: undefined,
    packets: BigInt(packets),
    bytes: BigInt(packets * 100),
    does: parseDatapathActions('db1-0'),
    ...more,
  };
}

describe("a datapath's flows", () => {
  it('are read line by line', () => {
    const flows = parseDatapathFlows(DUMP);
    expect(flows).to.have.length(10);
    expect(flows[0]).to.deep.equal({
      key:
        'the main thread: recirc_id(0),in_port(web1-0),packet_type(ns=0,id=0),eth(src=52:54:00:10:00:01,' +
        'dst=52:54:00:10:00:03),eth_type(0x0800),ipv4(proto=17,frag=no),udp(dst=2000/0xfc00)',
      inPort: 'web1-0',
      toMac: '52:54:00:10:00:03',
      packets: 5n,
      bytes: 530n,
      does: { outputs: ['db1-0'], goesOn: [], toUserspace: false },
    });
    expect(new Set(flows.map(({ key }) => key)).size).to.equal(10);
  });

  it('are read from any text, cut anywhere', () => {
    for (let end = 0; end < DUMP.length; end += 7)
      expect(parseDatapathFlows(DUMP.slice(0, end)).length).to.be.at.most(10);
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom(
            'in_port(',
            'eth(dst=',
            ', packets:1',
            ', bytes:2',
            ', actions:',
            ')',
            '\n',
            ', ',
          ),
        }),
        (garbage) => {
          for (const { inPort } of parseDatapathFlows(garbage)) expect(inPort).to.be.a('string');
        },
      ),
    );
  });

  it('make pairs: each packet counted once, at least', () => {
    const ledger = new DatapathLedger();
    ledger.take({ atMs: 1000, flows: parseDatapathFlows(DUMP) }, DEVICES, BR0);
    const pairs = ledger.pairs(1500, true);
    expect(totals(pairs)).to.deep.equal({
      // 5 × 106 bytes over UDP, and 5 × 54 through connection tracking: two flows, one of which goes on in the other.
      'web1 db1': [10n, 800n],
      'web1 flood': [6n, 252n],
      // For a controller, or dropped.
      'web1 unknown': [5n, 530n],
      'db1 unknown': [5n, 530n],
      // Nobody has that address: it went to all.
      'web2 flood': [5n, 530n],
      'uplink web1': [5n, 550n],
    });
    for (const pair of pairs) {
      expect(pair).to.include({ bridge: 'br0', quality: 'at-least', ageMs: 500 });
      expect(pair.packetsPerSecond, 'nothing to compare with').to.equal(undefined);
    }
  });

  it('add to totals what they count more, and all of it where they were made anew', () => {
    const ledger = new DatapathLedger();
    const take = (atMs: number, ...flows: DatapathFlow[]): Pair | undefined => {
      ledger.take({ atMs, flows }, DEVICES, BR0);
      return ledger.pairs(atMs, true)[0];
    };
    take(0, flow(10));
    expect(take(2000, flow(16))).to.deep.include({ packets: 16n, packetsPerSecond: 3, bitsPerSecond: 2400 });
    expect(take(3000, flow(4))).to.deep.include({ packets: 20n, packetsPerSecond: 4 });
    expect(take(4000)).to.deep.include({ packets: 20n, packetsPerSecond: 0 });
    expect(take(5000, flow(1), flow(2, { key: 'b' }))).to.deep.include({ packets: 23n });
    expect(ledger.pairs(6000, false)[0]).to.deep.include({ packetsPerSecond: undefined, ageMs: 1000 });
  });

  it('are forgotten after a minute without packets, and with their bridge', () => {
    const ledger = new DatapathLedger();
    ledger.take({ atMs: 0, flows: [flow(10)] }, DEVICES, BR0);
    ledger.take({ atMs: 60_000, flows: [flow(10)] }, DEVICES, BR0);
    expect(ledger.pairs(60_000, true)).to.have.length(1);
    ledger.take({ atMs: 60_001, flows: [flow(10)] }, DEVICES, BR0);
    expect(ledger.pairs(60_001, true)).to.deep.equal([]);
    ledger.take({ atMs: 60_002, flows: [flow(11)] }, DEVICES, BR0);
    expect(totals(ledger.pairs(60_002, true))).to.deep.equal({ 'web1 db1': [1n, 100n] });
    ledger.take({ atMs: 60_003, flows: [flow(12)] }, DEVICES, new Set(['br9']));
    expect(ledger.pairs(60_003, true)).to.deep.equal([]);
  });

  it('belong to the bridge of who sends, or, out of a tunnel, of who receives', () => {
    const ledger = new DatapathLedger();
    ledger.take({ atMs: 0, flows: [flow(3, { inPort: 'vxlan_sys_4789' })] }, DEVICES, BR0);
    expect(totals(ledger.pairs(0, true))).to.deep.equal({ 'uplink db1': [3n, 300n] });
  });

  it('name the receiver by its address where a mirror gets a copy', () => {
    const ledger = new DatapathLedger();
    const mirrored = flow(3, { toMac: mac('52:54:00:10:00:03'), does: parseDatapathActions('db1-0,mir0') });
    ledger.take({ atMs: 0, flows: [mirrored] }, DEVICES, BR0);
    expect(totals(ledger.pairs(0, true))).to.deep.equal({ 'web1 db1': [3n, 300n] });
  });
});

describe('DatapathPairs', () => {
  /** A switch that takes so long for each dump, and a clock. */
  function lab(dumps: readonly { readonly tookMs: number; readonly reading: DatapathReading }[]) {
    let now = 1000;
    let asked = 0;
    const pairs = new DatapathPairs({
      nowMs: () => now,
      read: () => {
        const dump = dumps[asked++];
        if (!dump) throw new Error('asked too often');
        now += dump.tookMs;
        return Promise.resolve(
          dump.reading.outcome === 'read' ? { ...dump.reading, atMs: now } : dump.reading,
        );
      },
    });
    return {
      look: () => pairs.look(BR0, DEVICES),
      wait: (ms: number) => {
        now += ms;
      },
      asked: () => asked,
    };
  }

  const read = (packets: number): DatapathReading => ({ outcome: 'read', flows: [flow(packets)], atMs: 0 });

  it('asks again when twenty times as long has passed as it took; until then the figures age', async () => {
    const { look, wait, asked } = lab([
      { tookMs: 10, reading: read(1) },
      { tookMs: 50, reading: read(5) },
      { tookMs: 0, reading: read(7) },
    ]);
    expect((await look()).pairs[0]).to.include({ packets: 1n, ageMs: 0 });
    wait(199);
    expect((await look()).pairs[0]).to.include({ packets: 1n, ageMs: 199 });
    expect(asked()).to.equal(1);
    wait(1);
    const second = (await look()).pairs[0];
    expect(second).to.include({ packets: 5n, ageMs: 0, packetsPerSecond: 4 / 0.25 });
    wait(999);
    expect((await look()).pairs[0], 'the rate of the last dump').to.include({ packetsPerSecond: 4 / 0.25 });
    expect(asked()).to.equal(2);
    wait(1);
    expect((await look()).pairs[0]).to.include({ packets: 7n });
  });

  it('gives the reason where a dump was refused, and totals without rates', async () => {
    const error = fail('DATAPATH_TOO_MANY_FLOWS', { flows: 20_000, maxFlows: 10_000 });
    const { look, wait } = lab([
      { tookMs: 0, reading: read(1) },
      { tookMs: 0, reading: { outcome: 'lost', error } },
      { tookMs: 0, reading: read(3) },
    ]);
    expect((await look()).error).to.equal(undefined);
    wait(1000);
    const refused = await look();
    expect(refused.error).to.equal(error);
    expect(refused.pairs[0]).to.include({ packets: 1n, packetsPerSecond: undefined, ageMs: 1000 });
    wait(1000);
    const again = await look();
    expect(again.error).to.equal(undefined);
    expect(again.pairs[0]).to.include({ packets: 3n, packetsPerSecond: 1 });
  });
});
