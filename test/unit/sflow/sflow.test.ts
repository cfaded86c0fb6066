import { expect } from 'chai';
import fc from 'fast-check';
import { decodeSflow, type SflowDatagram } from '../../../src/sflow/datagram.ts';
import type { SflowFlowSample } from '../../../src/sflow/flowsample.ts';
import type { TransportHeader } from '../../../src/sflow/packet.ts';
import { toMac, type Mac } from '../../../src/units/mac.ts';
import { beginningsOf, damaged, datagramOf, readDatagrams, u32 } from '../../support/datagrams.ts';
import { IP_PROTOCOLS, SENT, type SentPackets } from '../../support/sentpackets.ts';

const SAMPLES = readDatagrams('sflow/ovs-3.1.0-samples.hex');

describe('sflow, on what Open vSwitch 3.1.0 sent', () => {
  it('has every packet that was sent, in its order, with length and headers', () => {
    const seen = flowSamplesOf(SAMPLES).map(({ packet }) => packet);
    expect(seen).to.deep.equal(
      SENT.flatMap((sent) => Array.from({ length: sent.count }, () => expectedOf(sent))),
    );
  });

  it('says where packets came in and went out', () => {
    const samples = flowSamplesOf(SAMPLES);
    const of = (name: string): SflowFlowSample | undefined => samples[indexOf(name)];
    // Nobody's address is known yet, so to p1 and the bridge itself; p3 is in another VLAN.
    expect(of('answer')).to.deep.include({
      input: { kind: 'interface', ifindex: 102 },
      output: { kind: 'several', count: 2 },
    });
    expect(of('udp4')).to.deep.include({
      input: { kind: 'interface', ifindex: 101 },
      output: { kind: 'interface', ifindex: 102 },
      samplingRate: 1,
      drops: 0,
    });
    expect(of('arp')?.output).to.deep.equal({ kind: 'several', count: 2 });
    expect(of('vlan4')?.extendedSwitch).to.deep.equal({
      sourceVlan: 20,
      sourcePriority: 5,
      destinationVlan: 20,
      destinationPriority: 5,
    });
  });

  it('counts samples and datagrams without a gap', () => {
    const datagrams = SAMPLES.map(decoded);
    expect(datagrams.map(({ sequence }) => sequence)).to.deep.equal(SAMPLES.map((_, index) => index + 1));
    const sequences = flowSamplesOf(SAMPLES).map(({ sequence }) => sequence);
    expect(sequences).to.deep.equal(sequences.map((_, index) => index + 1));
    for (const datagram of datagrams) {
      expect(datagram).to.deep.include({ agentAddress: '192.0.2.1', subAgent: 0, skippedSamples: 0 });
    }
  });

  it('has the counters, name and OpenFlow port of each interface that has an ifindex', () => {
    const last = SAMPLES.map(decoded)
      .flatMap(({ counterSamples }) => counterSamples)
      .slice(-2);
    const p1 = last.find(({ portName }) => portName === 'p1');
    expect(last.map(({ portName }) => portName)).to.have.members(['p1', 'p2']);
    const sent = SENT.filter(({ port }) => port === 'p1');
    expect(p1?.openflowPort?.ofport).to.equal(1);
    expect(p1?.openflowPort?.datapathId).to.match(/^[0-9a-f]{16}$/);
    expect(p1?.counters).to.deep.include({
      ifindex: 101,
      adminUp: true,
      operUp: true,
      rxBytes: BigInt(sent.reduce((sum, { count, frameBytes }) => sum + count * frameBytes, 0)),
      rxUnicastPackets: sent.reduce((sum, { count }) => sum + count, 0),
      rxErrors: undefined,
      rxBroadcastPackets: undefined,
    });
  });
});

describe('sflow, made by hand', () => {
  it('reads expanded samples', () => {
    const flow = sampleOf(
      3,
      [9, 2, 0x1234_5678, 64, 6400, 7, 0, 0x4000_0001, 2, 3, 1].map(u32).join(''),
      recordOf(1001, [1, 2, 3, 4].map(u32).join('')),
    );
    const counter = sampleOf(
      4,
      [5, 0, 0x0100_0000, 1].map(u32).join(''),
      recordOf(1005, u32(3) + '746170 00'),
    );
    const { flowSamples, counterSamples } = decoded(datagramWith(flow, counter));
    expect(flowSamples[0]).to.deep.equal({
      sequence: 9,
      sourceClass: 2,
      sourceIndex: 0x1234_5678,
      samplingRate: 64,
      samplePool: 6400,
      drops: 7,
      input: { kind: 'interface', ifindex: 0x4000_0001 },
      output: { kind: 'several', count: 3 },
      packet: undefined,
      extendedSwitch: { sourceVlan: 1, sourcePriority: 2, destinationVlan: 3, destinationPriority: 4 },
      skippedRecords: 0,
    });
    expect(counterSamples[0]).to.deep.include({ sourceClass: 0, sourceIndex: 0x0100_0000, portName: 'tap' });
  });

  it('reads every kind of interface', () => {
    const kinds: (readonly [number, SflowFlowSample['output']])[] = [
      [0, { kind: 'unknown' }],
      [7, { kind: 'interface', ifindex: 7 }],
      [0x3fff_ffff, { kind: 'internal' }],
      [0x4000_0102, { kind: 'discarded', reason: 258 }],
      [0x8000_0000, { kind: 'several', count: 0 }],
      [0xc000_0001, { kind: 'unknown' }],
    ];
    for (const [bits, output] of kinds) {
      const [sample] = decoded(datagramWith(flowSample({ output: bits }))).flowSamples;
      expect(sample?.output).to.deep.equal(output);
    }
  });

  it('skips samples and records of other kinds, by their length', () => {
    const other = u32(4096 + 1) + u32(4) + 'deadbeef';
    const switchRecord = recordOf(1001, '00'.repeat(16));
    const datagram = decoded(
      datagramWith(other, flowSample({}, other, recordOf(1, rawPacket(5, '00')), switchRecord, switchRecord)),
    );
    expect(datagram.skippedSamples).to.equal(1);
    expect(datagram.flowSamples[0]).to.include({ skippedRecords: 3, packet: undefined });
    expect(datagram.flowSamples[0]?.extendedSwitch).to.not.equal(undefined);
  });

  it('takes an IPv6 agent, and one without an address', () => {
    const version6 = datagramOf(u32(5) + u32(2), '20010db8 00000000 00000000 00000001', '00'.repeat(16));
    expect(decoded(version6).agentAddress).to.equal('2001:db8::1');
    expect(decoded(datagramOf(u32(5) + u32(0), '00'.repeat(16))).agentAddress).to.equal(undefined);
  });

  it('reads a packet whose header does not end at four bytes, and the record behind it', () => {
    const packet = recordOf(1, rawPacket(1, ETHERNET + '0806' + '000102'));
    const [sample] = decoded(
      datagramWith(flowSample({}, packet, recordOf(1001, '00'.repeat(16)))),
    ).flowSamples;
    expect(sample?.packet?.headers.ethernet?.ethertype).to.equal(0x0806);
    expect(sample?.extendedSwitch).to.not.equal(undefined);
  });

  it('says why a datagram is malformed', () => {
    expect(whyOf(datagramOf('00000005'))).to.equal('4 bytes, fewer than a header has');
    expect(whyOf(datagramOf(u32(4) + u32(1)))).to.equal('version 4, not 5');
    expect(whyOf(datagramOf(u32(5) + u32(3)))).to.equal('an agent address of an unknown kind');
    expect(whyOf(datagramWith(sampleOf(1, '00'.repeat(28))))).to.equal('a flow sample is cut short');
    expect(whyOf(datagramWith(sampleOf(2, '00'.repeat(8))))).to.equal('a counter sample is cut short');
    expect(whyOf(datagramWith(flowSample({}, u32(1) + u32(99))))).to.equal('a flow sample is cut short');
    const many = datagramOf(u32(5) + u32(1) + '7f000001' + '00'.repeat(12) + 'ffffffff');
    expect(whyOf(many)).to.equal('a sample is cut short');
  });
});

describe('sflow, on what nobody should send', () => {
  it('refuses every beginning of a datagram', () => {
    for (const datagram of SAMPLES) {
      for (const cut of beginningsOf(datagram)) expect(decodeSflow(cut).outcome).to.equal('malformed');
    }
  });

  it('decodes or refuses, and never throws, what was damaged or is random', () => {
    const random = fc.uint8Array({ maxLength: 300 });
    const start = datagramOf(u32(5) + u32(1) + '7f000001');
    const hostile = fc.oneof(
      damaged(SAMPLES),
      random,
      random.map((bytes) => Buffer.concat([start, bytes])),
    );
    fc.assert(
      fc.property(hostile, (bytes) => {
        const result = decodeSflow(bytes);
        if (result.outcome === 'malformed') return;
        const { flowSamples, counterSamples, skippedSamples } = result.datagram;
        expect(8 * (flowSamples.length + counterSamples.length + skippedSamples)).to.be.at.most(bytes.length);
      }),
      { numRuns: 3000 },
    );
  });
});

const ETHERNET = '525400000002 525400000001';

function decoded(datagram: Uint8Array): SflowDatagram {
  const result = decodeSflow(datagram);
  if (result.outcome !== 'decoded') expect.fail(result.why);
  return result.datagram;
}

function whyOf(datagram: Uint8Array): string | undefined {
  const result = decodeSflow(datagram);
  return result.outcome === 'malformed' ? result.why : undefined;
}

function flowSamplesOf(datagrams: readonly Buffer[]): SflowFlowSample[] {
  return datagrams.flatMap((datagram) => decoded(datagram).flowSamples);
}

/** Which packet of all that were sent is the first of a name. */
function indexOf(name: string): number {
  const before = SENT.slice(
    0,
    SENT.findIndex((sent) => sent.name === name),
  );
  return before.reduce((sum, { count }) => sum + count, 0);
}

function expectedOf(sent: SentPackets): SflowFlowSample['packet'] {
  const { sourceMac, destinationMac, tag, ip, frameBytes, laterFragment } = sent;
  return {
    frameBytes,
    headers: {
      ethernet: {
        sourceMac: macOf(sourceMac),
        destinationMac: macOf(destinationMac),
        tags: tag === undefined ? [] : [tag],
        ethertype: ip === undefined ? 0x0806 : ip.version === 4 ? 0x0800 : 0x86dd,
      },
      ip: ip && { ...ip, protocol: IP_PROTOCOLS[ip.protocol], laterFragment: laterFragment === true },
      transport: transportOf(sent),
    },
  };
}

function transportOf({ ip, ports, tcpFlags }: SentPackets): TransportHeader | undefined {
  if (ip === undefined || ports === undefined) return undefined;
  const [first, second] = ports;
  return ip.protocol.startsWith('icmp')
    ? { kind: 'icmp', type: first, code: second }
    : { kind: 'ports', sourcePort: first, destinationPort: second, tcpFlags };
}

function macOf(text: string): Mac {
  return toMac(text) ?? expect.fail(text);
}

function datagramWith(...samples: readonly string[]): Buffer {
  return datagramOf(
    u32(5) + u32(1) + '7f000001' + u32(0) + u32(1) + u32(1000) + u32(samples.length),
    ...samples,
  );
}

function flowSample({ output = 0 }, ...records: readonly string[]): string {
  const head = [1, 0x0200_0001, 1, 1, 0, 7, output, records.length].map(u32).join('');
  return sampleOf(1, head, ...records);
}

function sampleOf(format: number, ...parts: readonly string[]): string {
  return recordOf(format, datagramOf(...parts).toString('hex'));
}

/** With the zeros that XDR asks for. */
function recordOf(format: number, body: string): string {
  const bytes = datagramOf(body);
  return u32(format) + u32(bytes.length) + bytes.toString('hex') + '00'.repeat((4 - (bytes.length % 4)) % 4);
}

function rawPacket(protocol: number, header: string): string {
  const bytes = datagramOf(header);
  return [protocol, 100, 4, bytes.length].map(u32).join('') + bytes.toString('hex');
}
