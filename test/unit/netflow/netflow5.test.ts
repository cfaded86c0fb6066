import { expect } from 'chai';
import fc from 'fast-check';
import { decodeNetflow5, type Netflow5Datagram } from '../../../src/netflow/netflow5.ts';
import { beginningsOf, damaged, datagramOf, readDatagrams, u16, u32 } from '../../support/datagrams.ts';
import { IP_PROTOCOLS, MANY, SENT, type SentPackets } from '../../support/sentpackets.ts';

const FLOWS = readDatagrams('netflow/ovs-3.1.0-flows.hex');
const MANY_FLOWS = readDatagrams('netflow/ovs-3.1.0-many.hex');

describe('netflow 5, on what Open vSwitch 3.1.0 sent', () => {
  it('has every IPv4 packet that was sent, to the byte', () => {
    expect(sumsOf(FLOWS)).to.deep.equal(truthOf(SENT));
    expect(sumsOf(MANY_FLOWS)).to.deep.equal(truthOf(MANY));
  });

  it('says where a flow came in and went out, with which flags and type of service', () => {
    const tcp = recordsOf(FLOWS).find(({ protocol }) => protocol === 6);
    expect(tcp).to.include({
      inputInterface: 1,
      outputInterface: 2,
      tcpFlags: 0x12,
      tos: 0xb8,
      nextHop: '0.0.0.0',
    });
    const icmp = recordsOf(FLOWS).find(({ protocol }) => protocol === 1);
    expect(icmp).to.include({ sourcePort: 0, destinationPort: 8 * 256 });
  });

  it('gives times in their order: first packet, last packet, export', () => {
    for (const { exportedAtMs, records } of [...FLOWS, ...MANY_FLOWS].map(decoded)) {
      expect(new Date(exportedAtMs).getUTCFullYear()).to.be.within(2020, 2100);
      for (const { startedAtMs, endedAtMs } of records) {
        expect(startedAtMs).to.be.within(exportedAtMs - 60_000, endedAtMs);
        expect(endedAtMs).to.be.at.most(exportedAtMs);
      }
    }
  });

  it('reads the header, and a sequence that says how many records were lost', () => {
    const datagrams = [...FLOWS, ...MANY_FLOWS].map(decoded);
    for (const datagram of datagrams) {
      expect(datagram).to.include({ engineType: 3, engineId: 7, samplingMode: 0, samplingInterval: 0 });
    }
    let sent = 0;
    for (const { records, sequence } of datagrams) expect(sequence).to.equal((sent += records.length) - 1);
  });
});

describe('netflow 5, made by hand', () => {
  it('reads an uptime that wrapped after a flow began, and a record younger than its header', () => {
    const [record] = decoded(handmade({ uptimeMs: 500, first: 0xffff_fe0c, last: 501 })).records;
    expect(record?.startedAtMs).to.equal(1_700_000_000_123 - 1000);
    expect(record?.endedAtMs).to.equal(1_700_000_000_123 + 1);
  });

  it('reads mode and interval of sampling, and counts up to 2^32 - 1', () => {
    const datagram = decoded(handmade({ sampling: 0x4064 }));
    expect(datagram).to.include({ samplingMode: 1, samplingInterval: 100 });
    expect(datagram.records[0]).to.include({ packets: 0xffff_ffff, bytes: 0x8000_0000 });
  });

  it('takes a datagram without records', () => {
    expect(decoded(handmade({}).fill(0, 2, 4).subarray(0, 24)).records).to.deep.equal([]);
  });

  it('refuses another version, and a count that its length belies', () => {
    expect(whyOf(handmade({}).fill(9, 1, 2))).to.equal('version 9, not 5');
    expect(whyOf(handmade({}).fill(2, 3, 4))).to.equal('72 bytes with 2 records');
    expect(whyOf(Buffer.concat([handmade({}), Buffer.alloc(48)]))).to.equal('120 bytes with 1 records');
    expect(whyOf(Buffer.alloc(0))).to.equal('0 bytes, fewer than a header has');
  });

  it('reads a datagram that lies within a larger buffer', () => {
    const large = Buffer.concat([Buffer.alloc(13, 0xee), handmade({}), Buffer.alloc(7, 0xee)]);
    expect(decodeNetflow5(large.subarray(13, 13 + 72))).to.deep.equal(decodeNetflow5(handmade({})));
  });
});

describe('netflow 5, on what nobody should send', () => {
  it('refuses every beginning of a datagram', () => {
    for (const datagram of [...FLOWS, ...MANY_FLOWS]) {
      for (const cut of beginningsOf(datagram)) expect(decodeNetflow5(cut).outcome).to.equal('malformed');
    }
  });

  it('decodes or refuses, and never throws, what was damaged or is random', () => {
    const hostile = fc.oneof(damaged([...FLOWS, ...MANY_FLOWS]), fc.uint8Array({ maxLength: 200 }));
    fc.assert(
      fc.property(hostile, (bytes) => {
        const result = decodeNetflow5(bytes);
        if (result.outcome === 'decoded')
          expect(result.datagram.records.length * 48 + 24).to.equal(bytes.length);
      }),
      { numRuns: 3000 },
    );
  });
});

function decoded(datagram: Uint8Array): Netflow5Datagram {
  const result = decodeNetflow5(datagram);
  if (result.outcome !== 'decoded') expect.fail(result.why);
  return result.datagram;
}

function whyOf(datagram: Uint8Array): string | undefined {
  const result = decodeNetflow5(datagram);
  return result.outcome === 'malformed' ? result.why : undefined;
}

function recordsOf(datagrams: readonly Buffer[]): Netflow5Datagram['records'] {
  return datagrams.flatMap((datagram) => decoded(datagram).records);
}

/** `source:port > destination:port protocol` → `packets bytes`. */
function sumsOf(datagrams: readonly Buffer[]): Map<string, string> {
  const sums = new Map<string, { packets: number; bytes: number }>();
  for (const record of recordsOf(datagrams)) {
    const { sourceAddress, sourcePort, destinationAddress, destinationPort, protocol, packets, bytes } =
      record;
    const key = keyOf(sourceAddress, sourcePort, destinationAddress, destinationPort, protocol);
    const sum = sums.get(key) ?? { packets: 0, bytes: 0 };
    sums.set(key, { packets: sum.packets + packets, bytes: sum.bytes + bytes });
  }
  return sorted([...sums].map(([key, { packets, bytes }]) => [key, `${String(packets)} ${String(bytes)}`]));
}

function truthOf(sent: readonly SentPackets[]): Map<string, string> {
  return sorted(
    sent.flatMap(({ ip, ports = [0, 0], count, frameBytes }) => {
      if (ip?.version !== 4) return [];
      const [source, destination] = ip.protocol === 'icmp' ? [0, ports[0] * 256 + ports[1]] : ports;
      const protocol = IP_PROTOCOLS[ip.protocol];
      const key = keyOf(ip.sourceAddress, source, ip.destinationAddress, destination, protocol);
      return [[key, `${String(count)} ${String(count * frameBytes)}`]];
    }),
  );
}

function keyOf(
  source: string,
  sourcePort: number,
  destination: string,
  destinationPort: number,
  protocol: number,
): string {
  return `${source}:${String(sourcePort)} > ${destination}:${String(destinationPort)} ${String(protocol)}`;
}

function sorted(entries: readonly (readonly [string, string])[]): Map<string, string> {
  return new Map([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function handmade({ uptimeMs = 1000, first = 0, last = 0, sampling = 0 }): Buffer {
  return datagramOf(
    u16(5) +
      u16(1) +
      u32(uptimeMs) +
      u32(1_700_000_000) +
      u32(123_456_789) +
      u32(42) +
      '0000' +
      u16(sampling),
    '0a000001 0a000002 00000000 0001 0002' + u32(0xffff_ffff) + u32(0x8000_0000) + u32(first) + u32(last),
    '03e8 07d0 00 10 06 00 0000 0000 00 00 0000',
  );
}
