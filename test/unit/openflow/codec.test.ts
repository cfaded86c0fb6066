import { expect } from 'chai';
import { decodeMessage, encodeEchoReply, type Message } from '../../../src/openflow/codec.ts';
import { MessageSplitter } from '../../../src/openflow/framing.ts';
import { chooseVersion, encodeHello, renderVersions } from '../../../src/openflow/hello.ts';
import type { MultipartReply } from '../../../src/openflow/multipart.ts';
import { PORT_DESCRIPTIONS } from '../../../src/openflow/portdescription.ts';
import { PORT_STATS, type PortStats } from '../../../src/openflow/portstats.ts';
import { isHelloFailure, renderError } from '../../../src/openflow/error.ts';
import { encodeMessage, MessageType, OPENFLOW_13 } from '../../../src/openflow/wire.ts';
import { VsbError } from '../../../src/errors.ts';
import { entriesOf, fixture, fixtureNames, lastBytes, versionOf } from '../../support/openflowfixtures.ts';

describe('openflow codec, on what Open vSwitch 3.1.0 sent', () => {
  it('reads port statistics, and leaves all ones unknown', () => {
    const message = last('ovs-3.1.0-dummy-port-stats.bin');
    expect(message).to.deep.include({ type: 'multipart-reply', xid: 2, more: false });
    const ports = portStatsOf(message);
    expect(ports.map(({ ofport }) => ofport)).to.have.members([1, 2, 65534]);
    const p1 = ports.find(({ ofport }) => ofport === 2);
    expect(p1?.counters).to.deep.equal({
      rxPackets: 1n,
      txPackets: 0n,
      rxBytes: 500n,
      txBytes: 0n,
      rxDropped: undefined,
      txDropped: undefined,
      rxErrors: undefined,
      txErrors: undefined,
    });
    expect(p1?.durationMs).to.be.greaterThan(0);
  });

  it('reads a zero as zero and a drop as a drop where the datapath counts them', () => {
    const ports = portStatsOf(last('ovs-3.1.0-netdev-port-stats.bin'));
    const counters = new Map(ports.map((port) => [Number(port.ofport), port.counters]));
    expect(counters.get(1)).to.deep.include({ txDropped: 1n, rxErrors: 0n, txErrors: 0n });
    expect(counters.get(2)).to.deep.include({ rxPackets: 1n, rxBytes: 90n, rxDropped: 0n });
  });

  it('reads an empty reply', () => {
    expect(portStatsOf(last('ovs-3.1.0-dummy-port-stats-empty.bin'))).to.deep.equal([]);
  });

  it('reads port descriptions', () => {
    const ports = entriesOf('ovs-3.1.0-dummy-port-description.bin', PORT_DESCRIPTIONS);
    expect(ports.map(({ ofport, name }) => [Number(ofport), name])).to.have.deep.members([
      [1, 'p2'],
      [2, 'p1'],
      [65534, 'br0'],
    ]);
    expect(ports[0]).to.deep.include({ mac: 'aa:55:aa:55:00:0e', adminUp: true, linkUp: true });
  });

  it('reads features', () => {
    const message = last('ovs-3.1.0-dummy-features.bin');
    if (message.type !== 'features-reply') expect.fail(message.type);
    expect(message.datapathId).to.match(/^[0-9a-f]{16}$/);
    expect(message.tables).to.equal(254);
  });

  it('reads a refusal', () => {
    const message = last('ovs-3.1.0-dummy-bad-request.bin');
    if (message.type !== 'error') expect.fail(message.type);
    expect(renderError(message)).to.equal('OFPET_BAD_REQUEST code 2');
    expect(isHelloFailure(message)).to.equal(false);
  });

  it('tells a peer that speaks 1.3 from one that does not', () => {
    const [modern] = messages('ovs-3.1.0-dummy-hello.bin');
    const [old, error] = messages('ovs-3.1.0-hello-refused.bin');
    if (modern?.type !== 'hello' || old?.type !== 'hello' || error?.type !== 'error') expect.fail('no hello');
    expect(chooseVersion(modern)).to.equal(OPENFLOW_13);
    expect(chooseVersion(old)).to.equal(undefined);
    expect(renderVersions(old)).to.equal('1.0');
    expect(isHelloFailure(error)).to.equal(true);
    expect(renderError(error)).to.contain('no common versions');
  });

  it('gives the same messages wherever the stream is cut', () => {
    for (const name of fixtureNames()) {
      const bytes = fixture(name);
      const whole = [...new MessageSplitter().push(bytes)];
      for (let cut = 0; cut <= bytes.length; cut++) {
        const splitter = new MessageSplitter();
        const parts = [...splitter.push(bytes.subarray(0, cut)), ...splitter.push(bytes.subarray(cut))];
        expect(
          parts.length === whole.length && Buffer.concat(parts).equals(bytes),
          `${name} at ${String(cut)}`,
        ).to.equal(true);
      }
    }
  });

  it('hands out the messages before an impossible length', () => {
    const good = encodeHello(1, OPENFLOW_13);
    const bad = Buffer.from([4, 0, 0, 7, 0, 0, 0, 0]);
    const seen: number[] = [];
    expect(() => {
      for (const message of new MessageSplitter().push(Buffer.concat([good, bad]))) seen.push(message.length);
    }).to.throw(VsbError, 'length 7');
    expect(seen).to.deep.equal([good.length]);
  });
});

describe('openflow codec, both ways', () => {
  it('says hello in a way that it understands itself', () => {
    expect(decode(encodeHello(9, OPENFLOW_13))).to.deep.equal({
      type: 'hello',
      xid: 9,
      version: 4,
      bitmap: [4],
    });
  });

  it('answers an echo with the same bytes', () => {
    const request = decode(encodeMessage(MessageType.echoRequest, 0xfffffffe, Buffer.from('are you there')));
    if (request.type !== 'echo-request') expect.fail(request.type);
    expect(decode(encodeEchoReply(request, OPENFLOW_13))).to.deep.equal({ ...request, type: 'echo-reply' });
  });
});

function decode(bytes: Buffer): Message {
  return decodeMessage(bytes, OPENFLOW_13);
}

function messages(name: string): Message[] {
  return [...new MessageSplitter().push(fixture(name))].map((bytes) => decodeMessage(bytes, versionOf(name)));
}

function last(name: string): Message {
  return decodeMessage(lastBytes(name), versionOf(name));
}

function portStatsOf(message: Message): readonly PortStats[] {
  return PORT_STATS.decode(partOf(message).body, OPENFLOW_13);
}

function partOf(message: Message): MultipartReply {
  return message.type === 'multipart-reply' ? message : expect.fail(message.type);
}
