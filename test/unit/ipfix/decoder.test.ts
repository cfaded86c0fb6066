import { expect } from 'chai';
import fc from 'fast-check';
import { IpfixDecoder, type IpfixMessage } from '../../../src/ipfix/decoder.ts';
import { MAX_COST } from '../../../src/ipfix/templatestore.ts';
import { beginningsOf, damaged, datagramOf, readDatagrams, u16 } from '../../support/datagrams.ts';
import { messageOf, optionsTemplateOf, setOf, templateOf } from '../../support/ipfixmessages.ts';

const FLOWS = readDatagrams('ipfix/ovs-3.1.0-flows.hex');
const VARIABLE = 65535;

/** protocolIdentifier, and a sourceTransportPort: 3 bytes. */
const SMALL = templateOf(300, [4, 1], [7, 2]);

describe('ipfix templates', () => {
  it('hold for the data behind them in the same message, whatever was unknown before', () => {
    const message = decode(
      new IpfixDecoder(),
      messageOf(1, setOf(301, '00'), setOf(2, SMALL), setOf(302, '00'), setOf(300, '06 01bb', '11 0035')),
    );
    expect(message).to.include({ templates: 1, setsWithoutTemplate: 2 });
    expect(message.records.map(({ values }) => values)).to.deep.equal([
      { protocolIdentifier: 6, sourceTransportPort: 443 },
      { protocolIdentifier: 17, sourceTransportPort: 53 },
    ]);
  });

  it('are replaced by the same id again', () => {
    const decoder = new IpfixDecoder();
    decode(decoder, messageOf(1, setOf(2, SMALL)));
    decode(decoder, messageOf(1, setOf(2, templateOf(300, [11, 2], [4, 1]))));
    const { records } = decode(decoder, messageOf(1, setOf(300, '01bb 06')));
    expect(records[0]?.values).to.deep.equal({ destinationTransportPort: 443, protocolIdentifier: 6 });
  });

  it('are withdrawn one by one, and all of a kind', () => {
    const decoder = new IpfixDecoder();
    const options = optionsTemplateOf(400, 1, [144, 4], [167, 8]);
    const known = (id: number): boolean =>
      decode(decoder, messageOf(1, setOf(id, '00'.repeat(12)))).setsWithoutTemplate === 0;
    const all = messageOf(1, setOf(2, SMALL, templateOf(301, [4, 1])), setOf(3, options));
    decode(decoder, all);
    decode(decoder, messageOf(1, setOf(2, u16(300), u16(0))));
    expect([300, 301, 400].map(known)).to.deep.equal([false, true, true]);
    decode(decoder, all);
    decode(decoder, messageOf(1, setOf(2, u16(2), u16(0))));
    expect([300, 301, 400].map(known)).to.deep.equal([false, false, true]);
    decode(decoder, messageOf(1, setOf(3, u16(3), u16(0))));
    expect(known(400)).to.equal(false);
  });

  it('of a malformed message are not kept', () => {
    const decoder = new IpfixDecoder();
    expect(whyOf(decoder, messageOf(1, setOf(2, SMALL), '0000'))).to.equal('a set is cut short');
    expect(decode(decoder, messageOf(1, setOf(300, '06 01bb')))).to.include({ setsWithoutTemplate: 1 });
  });

  it('with a field of no length, or an id of no template, are malformed', () => {
    const decoder = new IpfixDecoder();
    const noLength = messageOf(1, setOf(2, templateOf(300, [4, 0])));
    expect(whyOf(decoder, noLength)).to.equal('a template has a field of no length');
    expect(whyOf(decoder, messageOf(1, setOf(2, templateOf(255, [4, 1]))))).to.equal(
      'a template has the id 255',
    );
  });

  it('may be followed by padding, as data may', () => {
    const padded = messageOf(1, setOf(2, SMALL, '000000'), setOf(300, '06 01bb', '0000'));
    expect(decode(new IpfixDecoder(), padded).records).to.have.length(1);
  });

  it('are bounded: the exporters that defined longest ago are forgotten', () => {
    const decoder = new IpfixDecoder();
    // As many fields as a message can hold.
    const fields = Array.from({ length: 16_000 }, () => [4, 1] as const);
    const large = messageOf(1, setOf(2, templateOf(300, ...fields)));
    const exporters = Math.floor(MAX_COST / fields.length);
    decode(decoder, messageOf(1, setOf(2, SMALL)), 'first');
    const probe = messageOf(1, setOf(300, '06 01bb'));
    for (let index = 0; index < exporters; index++) decode(decoder, large, `exporter ${String(index)}`);
    expect(decode(decoder, probe, 'first').records).to.have.length(1);
    decode(decoder, large, 'last');
    expect(decode(decoder, probe, 'first').setsWithoutTemplate).to.equal(1);
    expect(decode(decoder, probe, 'last').setsWithoutTemplate).to.equal(0);
  });

  it('are bounded however small they are', () => {
    const decoder = new IpfixDecoder();
    const probe = setOf(300, '06 01bb');
    for (let domain = 0; domain < MAX_COST / 16; domain++)
      decode(decoder, messageOf(domain, setOf(2, SMALL)));
    expect(decode(decoder, messageOf(0, probe)).setsWithoutTemplate).to.equal(1);
    expect(decode(decoder, messageOf(MAX_COST / 16 - 1, probe)).records).to.have.length(1);
  });

  it('of one exporter are bounded too: those defined longest ago go', () => {
    const decoder = new IpfixDecoder();
    const fields = Array.from({ length: 16_000 }, () => [4, 1] as const);
    for (let id = 256; id < 256 + 20; id++)
      decode(decoder, messageOf(1, setOf(2, templateOf(id, ...fields))));
    const known = (id: number): boolean =>
      decode(decoder, messageOf(1, setOf(id, '06'))).setsWithoutTemplate === 0;
    expect([256, 259, 260, 275].map(known)).to.deep.equal([false, false, true, true]);
  });
});

describe('ipfix values', () => {
  it('of variable length may be empty, short, or 255 bytes and longer', () => {
    const text = (length: number): string => Buffer.alloc(length, 'a').toString('hex');
    const message = messageOf(
      1,
      setOf(2, templateOf(300, [82, VARIABLE], [4, 1])),
      setOf(
        300,
        '00 06',
        '02' + text(2) + '06',
        'ff' + u16(3) + text(3) + '06',
        'ff' + u16(300) + text(300) + '06',
      ),
    );
    const { records } = decode(new IpfixDecoder(), message);
    expect(records.map(({ values }) => values.interfaceName?.length)).to.deep.equal([0, 2, 3, 300]);
    expect(records.map(({ values }) => values.protocolIdentifier)).to.deep.equal([6, 6, 6, 6]);
  });

  it('may have fewer bytes than their type, and counters all 64 bits', () => {
    const lengths = [1, 2, 3, 4, 5, 6, 7, 8];
    const template = setOf(2, ...lengths.map((length) => templateOf(300 + length, [1, length])));
    const data = lengths.map((length) => setOf(300 + length, 'fe'.repeat(length)));
    const { records } = decode(new IpfixDecoder(), messageOf(1, template, ...data));
    expect(records.map(({ values }) => values.octetDeltaCount)).to.deep.equal(
      lengths.map((length) => BigInt(`0x${'fe'.repeat(length)}`)),
    );
  });

  it('of a fixed length lose the zeros that fill a text up', () => {
    const message = messageOf(1, setOf(2, templateOf(300, [82, 8])), setOf(300, '7461703000000000'));
    expect(decode(new IpfixDecoder(), message).records[0]?.values.interfaceName).to.equal('tap0');
  });

  it('that are not known, do not fit their type or come twice are kept as bytes', () => {
    const template = templateOf(300, [9999, 2], [5, 1, 12345], [8, 3], [4, 1], [4, 1]);
    const message = messageOf(1, setOf(2, template), setOf(300, 'abcd 07 0a0000 06 11'));
    const [record] = decode(new IpfixDecoder(), message).records;
    expect(record?.values).to.deep.equal({ protocolIdentifier: 6 });
    expect(record?.others).to.deep.equal([
      { enterprise: 0, id: 9999, bytes: new Uint8Array([0xab, 0xcd]) },
      { enterprise: 12345, id: 5, bytes: new Uint8Array([7]) },
      { enterprise: 0, id: 8, bytes: new Uint8Array([10, 0, 0]) },
      { enterprise: 0, id: 4, bytes: new Uint8Array([17]) },
    ]);
  });

  it('of the other direction stand apart (RFC 5103)', () => {
    const template = templateOf(300, [2, 8], [2, 8, 29305], [4, 1]);
    const message = messageOf(1, setOf(2, template), setOf(300, '0000000000000005 0000000000000003 06'));
    const [record] = decode(new IpfixDecoder(), message).records;
    expect(record?.values).to.deep.equal({ packetDeltaCount: 5n, protocolIdentifier: 6 });
    expect(record?.reverse).to.deep.equal({ packetDeltaCount: 3n });
  });

  it('give times before and after the second of the header', () => {
    const template = setOf(2, templateOf(300, [158, 4], [159, 4]));
    const message = messageOf(1, template, setOf(300, '000f4240', 'fffe7960', 'f99c7a00', 'fff0bdc0'));
    const times = decode(new IpfixDecoder(), message).records.map(({ startedAtMs = 0, endedAtMs = 0 }) => [
      startedAtMs - 1_700_000_000_000,
      endedAtMs - 1_700_000_000_000,
    ]);
    // A second before and 0.1 s after; 4,187.8 s before (Open vSwitch keeps a flow up to 4,200 s) and a second after.
    expect(times.flat().map(Math.round)).to.deep.equal([-1000, 100, -4_187_782, 1000]);
  });

  it('of options templates with enterprise elements and several scopes stand apart', () => {
    const template = optionsTemplateOf(400, 2, [144, 4], [898, VARIABLE, 6876], [167, 8]);
    const message = messageOf(7, setOf(3, template), setOf(400, '00000001 03 766d31 0000000000000009'));
    const { records, options } = decode(new IpfixDecoder(), message);
    expect(records).to.deep.equal([]);
    expect(options[0]?.values).to.deep.equal({
      exportingProcessId: 1,
      virtualObsID: 'vm1',
      notSentPacketTotalCount: 9n,
    });
  });
});

describe('ipfix, on what nobody should send', () => {
  it('refuses every beginning of a message', () => {
    const decoder = primed();
    for (const datagram of FLOWS) {
      for (const cut of beginningsOf(datagram)) {
        expect(decoder.decode(cut, 'exporter').outcome).to.equal('malformed');
      }
    }
  });

  it('decodes or refuses every beginning whose header has its length', () => {
    const decoder = primed();
    const [flow] = FLOWS.filter((datagram) => decode(decoder, datagram).records.length > 0);
    if (flow === undefined) expect.fail('no flow was captured');
    // The header alone, and the flow that is whole.
    const readable = [...beginningsOf(flow), flow]
      .filter((cut) => cut.length > 4)
      .filter((cut) => decoder.decode(withTrueLength(cut), 'exporter').outcome === 'decoded');
    expect(readable.map(({ length }) => length)).to.deep.equal([16, flow.length]);
  });

  it('says why a message is malformed', () => {
    const decoder = primed();
    expect(whyOf(decoder, datagramOf('000a'))).to.equal('2 bytes, fewer than a header has');
    expect(whyOf(decoder, messageOf(1).fill(9, 1, 2))).to.equal('version 9, not 10');
    expect(whyOf(decoder, Buffer.concat([messageOf(1), Buffer.alloc(4)]))).to.equal('20 bytes that say 16');
    expect(whyOf(decoder, messageOf(1, '0002 0003'))).to.equal('a set of length 3');
    expect(whyOf(decoder, messageOf(1, setOf(2, '0100 ffff')))).to.equal('a template is cut short');
    const overrun = messageOf(1, setOf(2, templateOf(300, [82, VARIABLE])), setOf(300, '05 61'));
    expect(whyOf(decoder, overrun)).to.equal('a record is cut short');
  });

  it('decodes or refuses, and never throws, what was damaged or is random, and what comes after it', () => {
    const hostile = fc.oneof(
      damaged(FLOWS),
      damaged(FLOWS).map(withTrueLength),
      fc.uint8Array({ maxLength: 200 }),
    );
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 1, maxLength: 8 }), (datagrams) => {
        const decoder = primed();
        for (const datagram of datagrams) {
          const result = decoder.decode(datagram, 'exporter');
          if (result.outcome === 'malformed') continue;
          const { records, options } = result.message;
          // Each record takes a byte at least.
          expect(records.length + options.length).to.be.at.most(datagram.length);
        }
      }),
      { numRuns: 300 },
    );
  });
});

function decode(decoder: IpfixDecoder, datagram: Uint8Array, exporter = 'exporter'): IpfixMessage {
  const result = decoder.decode(datagram, exporter);
  if (result.outcome !== 'decoded') expect.fail(result.why);
  return result.message;
}

function whyOf(decoder: IpfixDecoder, datagram: Uint8Array): string | undefined {
  const result = decoder.decode(datagram, 'exporter');
  return result.outcome === 'malformed' ? result.why : undefined;
}

/** One that knows the captured templates. */
function primed(): IpfixDecoder {
  const decoder = new IpfixDecoder();
  for (const datagram of FLOWS) decoder.decode(datagram, 'exporter');
  return decoder;
}

/** So that what is damaged is read beyond the header. */
function withTrueLength(datagram: Buffer): Buffer {
  const copy = Buffer.from(datagram);
  if (copy.length >= 4) {
    copy.writeUInt16BE(10, 0);
    copy.writeUInt16BE(copy.length, 2);
  }
  return copy;
}
