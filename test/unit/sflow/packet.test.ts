import { expect } from 'chai';
import { decodePacket, type PacketHeaders } from '../../../src/sflow/packet.ts';
import { beginningsOf, datagramOf } from '../../support/datagrams.ts';

const ETHERNET = '525400000002 525400000001';
const UDP = '04d2 0035 0008 0000';
const IPV6_ADDRESSES = '20010db8000000000000000000000001 20010db8000000000000000000000002';

/** An IPv4 header of `words` 32-bit words. */
const ipv4 = (protocol: string, fragment = '0000', words = 5): string =>
  `4${String(words)}00 0040 0000 ${fragment} 40 ${protocol} 0000 0a000001 0a000002` +
  '01'.repeat(4 * (words - 5));
const ipv6 = (next: string): string => `60000000 0010 ${next} 40 ${IPV6_ADDRESSES}`;

describe('sflow: packet headers', () => {
  it('finds the ports behind the options of an IPv4 header', () => {
    const { ip, transport } = frame('0800', ipv4('11', '0000', 8), UDP);
    expect(ip).to.include({ protocol: 17, sourceAddress: '10.0.0.1', laterFragment: false });
    expect(transport).to.include({ sourcePort: 1234, destinationPort: 53 });
  });

  it('has no ports of a later fragment, but of the first', () => {
    expect(frame('0800', ipv4('11', '2000'), UDP).transport).to.include({ destinationPort: 53 });
    const later = frame('0800', ipv4('11', '0001'), UDP);
    expect([later.ip?.laterFragment, later.transport]).to.deep.equal([true, undefined]);
  });

  it('reads several VLAN tags, outermost first', () => {
    const { ethernet, transport } = frame('88a8', '6064 8100 a014 0800', ipv4('11'), UDP);
    expect(ethernet?.tags).to.deep.equal([
      { vlan: 100, priority: 3 },
      { vlan: 20, priority: 5 },
    ]);
    expect([ethernet?.ethertype, transport?.kind]).to.deep.equal([0x0800, 'ports']);
  });

  it('ends where there are too many tags, or a tag is cut off', () => {
    expect(frame('8100', '0001 8100'.repeat(9)).ethernet?.tags).to.have.length(4);
    expect(frame('8100', '0001').ethernet).to.deep.include({ tags: [], ethertype: 0x8100 });
  });

  it('finds the ports behind IPv6 extension headers', () => {
    const extensions = [
      '2b 00 000000000000',
      '3c 01' + '00'.repeat(14),
      '33 00 000000000000',
      '11 02' + '00'.repeat(14),
    ];
    const { ip, transport } = frame('86dd', ipv6('00'), ...extensions, UDP);
    expect(ip).to.include({ version: 6, protocol: 17 });
    expect(transport).to.include({ sourcePort: 1234, destinationPort: 53 });
  });

  it('knows IPv6 fragments', () => {
    expect(frame('86dd', ipv6('2c'), '11 00 0001 00000000', UDP).transport).to.include({
      destinationPort: 53,
    });
    const later = frame('86dd', ipv6('2c'), '11 00 0008 00000000', UDP);
    expect(later.ip).to.include({ protocol: 17, laterFragment: true });
    expect(later.transport).to.equal(undefined);
  });

  it('reads packets that come without Ethernet', () => {
    const bare = decodePacket(viewOf(ipv4('01'), '0800'), 11);
    expect(bare?.ethernet).to.equal(undefined);
    expect(bare?.transport).to.deep.equal({ kind: 'icmp', type: 8, code: 0 });
    expect(decodePacket(viewOf(ipv6('3a'), '8700'), 12)?.transport).to.deep.include({ type: 135 });
    expect(decodePacket(viewOf('00'), 7)).to.equal(undefined);
  });

  it('does not take for IP what only says so', () => {
    expect(frame('0800', ipv4('11').replace('45', '44'), UDP).ip).to.equal(undefined);
    expect(frame('86dd', ipv4('11'), '00'.repeat(40)).ip).to.equal(undefined);
  });

  it('reads of a packet that is cut off what is there, and nothing else', () => {
    const whole = frame('8100', '0014 0800', ipv4('06'), '04d2 01bb 00000000 00000000 5012 0000 0000 0000');
    expect(whole.transport).to.deep.equal({
      kind: 'ports',
      sourcePort: 1234,
      destinationPort: 443,
      tcpFlags: 0x12,
    });
    const bytes = frameBytes(
      '8100',
      '0014 0800',
      ipv4('06'),
      '04d2 01bb 00000000 00000000 5012 0000 0000 0000',
    );
    for (const cut of beginningsOf(bytes)) {
      const { ethernet, ip, transport } = packetOf(cut);
      expect(ethernet === undefined, String(cut.length)).to.equal(cut.length < 14);
      if (cut.length >= 18) expect(ethernet).to.deep.equal(whole.ethernet);
      expect(ip).to.deep.equal(cut.length < 38 ? undefined : whole.ip);
      const tcpFlags = cut.length < 52 ? undefined : 0x12;
      expect(transport).to.deep.equal(cut.length < 42 ? undefined : { ...whole.transport, tcpFlags });
    }
  });
});

function frame(ethertype: string, ...rest: readonly string[]): PacketHeaders {
  return packetOf(frameBytes(ethertype, ...rest));
}

function frameBytes(ethertype: string, ...rest: readonly string[]): Buffer {
  return datagramOf(ETHERNET, ethertype, ...rest);
}

function packetOf(bytes: Buffer): PacketHeaders {
  const headers = decodePacket(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 1);
  return headers ?? expect.fail('Ethernet was not read');
}

function viewOf(...parts: readonly string[]): DataView {
  const bytes = datagramOf(...parts);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
