import { expect } from 'chai';
import { IpfixDecoder, type IpfixMessage } from '../../../src/ipfix/decoder.ts';
import type { IpfixValues } from '../../../src/ipfix/elements.ts';
import type { IpfixRecord } from '../../../src/ipfix/record.ts';
import { readDatagrams, u16, u32 } from '../../support/datagrams.ts';
import { messageOf, setOf } from '../../support/ipfixmessages.ts';
import { IP_PROTOCOLS, SENT, type SentPackets } from '../../support/sentpackets.ts';

const FLOWS = readDatagrams('ipfix/ovs-3.1.0-flows.hex');
const INGRESS = 0;

/** A record by the captured template 258, whose traffic Open vSwitch cannot be made to see without a tunnel. */
const TUNNELLED = messageOf(
  123,
  setOf(
    258,
    '000001c8 00 525400000001 525400000002 0806 0e 00000065 00000000 02 7031 00',
    'ac100005 ac100006 11',
    u16(55555),
    u16(4789),
    '01 03 000064 00',
    u32(1000),
    u32(500),
    '00'.repeat(8 * 13),
    '02',
  ),
);

describe('ipfix, on what Open vSwitch 3.1.0 sent', () => {
  it('has every packet that was sent, to the byte, where it came in', () => {
    const sums = new Map<string, string>();
    for (const { values } of flowsOf(FLOWS).filter(
      ({ values: { flowDirection } }) => flowDirection === INGRESS,
    )) {
      const key = keyOf(values);
      expect(sums.has(key), key).to.equal(false);
      sums.set(key, `${String(values.packetDeltaCount)} ${String(values.layer2OctetDeltaCount)}`);
    }
    const truth = SENT.map((sent) => [
      keyOf(expectedOf(sent)),
      `${String(sent.count)} ${String(sent.count * sent.frameBytes)}`,
    ]);
    expect(Object.fromEntries(sums)).to.deep.equal(Object.fromEntries(truth));
  });

  it('counts IP bytes from the IP header on', () => {
    for (const sent of SENT.filter(({ ip }) => ip !== undefined)) {
      const { values } = find(sent.name, INGRESS);
      const ethernetBytes = sent.tag === undefined ? 14 : 18;
      expect(values.ethernetHeaderLength).to.equal(ethernetBytes);
      expect(values.octetDeltaCount).to.equal(BigInt(sent.count * (sent.frameBytes - ethernetBytes)));
    }
  });

  it('names both interfaces, the one after the other', () => {
    expect(find('udp4', INGRESS).values).to.deep.include({
      ingressInterface: 101,
      ingressInterfaceName: 'p1',
    });
    expect(find('udp4', INGRESS).values).to.not.have.any.keys('egressInterface', 'egressInterfaceName');
    expect(find('udp4', 1).values).to.deep.include({
      ingressInterface: 101,
      ingressInterfaceName: 'p1',
      ingressInterfaceDescription: '',
      egressInterface: 102,
      egressInterfaceName: 'p2',
      egressInterfaceDescription: '',
    });
  });

  it('reads every element of a TCP flow', () => {
    expect(find('tcp4', INGRESS).others).to.deep.equal([]);
    expect(find('tcp4', INGRESS).values).to.deep.include({
      observationPointId: 456,
      sourceMacAddress: '52:54:00:00:00:01',
      destinationMacAddress: '52:54:00:00:00:02',
      ethernetType: 0x0800,
      ipVersion: 4,
      ipTTL: 63,
      ipClassOfService: 0xb8,
      ipDiffServCodePoint: 46,
      ipPrecedence: 5,
      tcpFinTotalCount: 0n,
      minimumIpTotalLength: 1500n,
      maximumIpTotalLength: 1500n,
      octetDeltaSumOfSquares: 3n * 1500n ** 2n,
      virtualObsID: 'host1',
    });
  });

  it('reads VLANs, flow labels and ICMP', () => {
    expect(find('vlan4', INGRESS).values).to.include({ vlanId: 20, dot1qVlanId: 20, dot1qPriority: 5 });
    expect(find('udp6', INGRESS).values).to.include({
      flowLabelIPv6: 0x12345,
      sourceIPv6Address: '2001:db8::1',
    });
    expect(find('icmp4', INGRESS).values).to.include({ icmpTypeIPv4: 8, icmpCodeIPv4: 0 });
    expect(find('icmp6', INGRESS).values).to.include({ icmpTypeIPv6: 128, icmpCodeIPv6: 0 });
  });

  it('gives times in their order, also of packets younger than the whole second of the header', () => {
    const start = Math.min(...flowsOf(FLOWS).map(({ startedAtMs = 0 }) => startedAtMs));
    for (const { exportedAtMs, records } of decodeAll(FLOWS)) {
      for (const { startedAtMs = NaN, endedAtMs = NaN } of records) {
        expect(startedAtMs)
          .to.be.at.most(endedAtMs)
          .and.at.least(exportedAtMs - 60_000);
        expect(endedAtMs)
          .to.be.below(exportedAtMs + 1000)
          .and.at.least(start);
      }
    }
  });

  it('reads what the exporter says of itself, and a sequence that says how many records were lost', () => {
    const messages = decodeAll(FLOWS);
    expect(messages.flatMap(({ options }) => options.map(({ values }) => values))).to.deep.include({
      exportingProcessId: 1,
      notSentPacketTotalCount: 0n,
    });
    let sent = 0;
    for (const { records, options, sequence } of messages) {
      sent += records.length + options.length;
      if (records.length + options.length > 0) expect(sequence).to.equal(sent);
    }
  });

  it('drops and counts data that comes before its template, and only of that exporter and domain', () => {
    const decoder = new IpfixDecoder();
    const [flow] = FLOWS.filter((datagram) => decodeAll([...FLOWS, datagram]).at(-1)?.records.length === 1);
    if (flow === undefined) expect.fail('no flow was captured');
    expect(decode(decoder, flow)).to.deep.include({ records: [], setsWithoutTemplate: 1 });
    for (const datagram of FLOWS) decode(decoder, datagram);
    expect(decode(decoder, flow).records).to.have.length(1);
    expect(decode(decoder, flow, 'another')).to.deep.include({ records: [], setsWithoutTemplate: 1 });
    const elsewhere = Buffer.from(flow);
    elsewhere.writeUInt32BE(124, 12);
    expect(decode(decoder, elsewhere)).to.deep.include({ records: [], setsWithoutTemplate: 1 });
  });

  it('reads the tunnel of a record by the template that was captured', () => {
    const decoder = new IpfixDecoder();
    for (const datagram of FLOWS) decode(decoder, datagram);
    const values = decode(decoder, TUNNELLED).records[0]?.values;
    expect(values).to.deep.include({
      tunnelSourceIPv4Address: '172.16.0.5',
      tunnelDestinationIPv4Address: '172.16.0.6',
      tunnelProtocolIdentifier: 17,
      tunnelSourceTransportPort: 55555,
      tunnelDestinationTransportPort: 4789,
      tunnelType: 1,
      tunnelKey: '000064',
    });
  });
});

function decode(decoder: IpfixDecoder, datagram: Uint8Array, exporter = 'exporter'): IpfixMessage {
  const result = decoder.decode(datagram, exporter);
  if (result.outcome !== 'decoded') expect.fail(result.why);
  return result.message;
}

function decodeAll(datagrams: readonly Buffer[]): IpfixMessage[] {
  const decoder = new IpfixDecoder();
  return datagrams.map((datagram) => decode(decoder, datagram));
}

function flowsOf(datagrams: readonly Buffer[]): IpfixRecord[] {
  return decodeAll(datagrams).flatMap(({ records }) => records);
}

function find(name: string, direction: number): IpfixRecord {
  const sent = SENT.find((packets) => packets.name === name);
  if (sent === undefined) expect.fail(`nothing was sent as ${name}`);
  const key = keyOf(expectedOf(sent));
  const found = flowsOf(FLOWS).find(
    ({ values }) =>
      values.flowDirection === direction &&
      keyOf(values) === key &&
      (direction === INGRESS || values.egressInterfaceName === 'p2'),
  );
  if (found === undefined) expect.fail(`no record of ${name}`);
  return found;
}

/** What tells the flows from one another, as a record says it. */
function keyOf(values: IpfixValues): string {
  const source = values.sourceIPv4Address ?? values.sourceIPv6Address;
  const destination = values.destinationIPv4Address ?? values.destinationIPv6Address;
  const first = values.sourceTransportPort ?? values.icmpTypeIPv4 ?? values.icmpTypeIPv6;
  const second = values.destinationTransportPort ?? values.icmpCodeIPv4 ?? values.icmpCodeIPv6;
  const addresses = [values.sourceMacAddress, values.destinationMacAddress, source, destination];
  return [...addresses, values.protocolIdentifier, first, second, values.vlanId].join(' ');
}

function expectedOf({ sourceMac, destinationMac, ip, ports, laterFragment, tag }: SentPackets): IpfixValues {
  const [first, second] = laterFragment === true ? [0, 0] : (ports ?? []);
  return {
    sourceMacAddress: sourceMac,
    destinationMacAddress: destinationMac,
    ...(ip && {
      sourceIPv4Address: ip.sourceAddress,
      destinationIPv4Address: ip.destinationAddress,
      protocolIdentifier: IP_PROTOCOLS[ip.protocol],
    }),
    ...(first !== undefined && { sourceTransportPort: first }),
    ...(second !== undefined && { destinationTransportPort: second }),
    ...(tag && { vlanId: tag.vlan }),
  };
}
