import { expect } from 'chai';
import fc from 'fast-check';
import {
  renderInterface,
  renderPacket,
  renderSectionHeader,
  renderStatistics,
} from '../../../src/output/pcapng.ts';
import { PcapStream } from '../../../src/traffic/pcapstream.ts';
import { VsbError } from '../../../src/errors.ts';
import { readPcapng } from '../../support/pcapng.ts';

describe('pcapng', () => {
  it('begins with a section header (section 4.1 of the draft), byte by byte', () => {
    expect(renderSectionHeader('vsb').toString('hex')).to.equal(
      // type, length, byte order, version, section length, shb_userappl, end of options, length
      '0a0d0d0a' +
        '28000000' +
        '4d3c2b1a' +
        '01000000' +
        'ffffffffffffffff' +
        '0400030076736200' +
        '00000000' +
        '28000000',
    );
  });

  it('is read back as it was written', () => {
    fc.assert(
      fc.property(
        fc.record({
          interfaceId: fc.nat(1000),
          at: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
          bytes: fc.uint8Array({ maxLength: 300 }),
          originalLength: fc.nat(262_144),
          direction: fc.constantFrom('inbound', 'outbound', undefined),
          name: fc.string({ unit: 'binary' }),
          filter: fc.option(fc.string({ unit: 'binary' }), { nil: undefined }),
          dropped: fc.option(fc.nat(), { nil: undefined }),
        }),
        ({ interfaceId, at, bytes, originalLength, direction, name, filter, dropped }) => {
          const file = Buffer.concat([
            renderSectionHeader('vsb'),
            renderInterface({ name, description: 'tap', filter, snapLength: 96 }),
            renderPacket({ interfaceId, atNs: at, bytes, originalLength, direction }),
            renderStatistics({ interfaceId, startNs: at, endNs: at, accepted: 5, dropped }),
          ]);
          expect(readPcapng(file)).to.deep.equal([
            { kind: 'section', application: 'vsb' },
            { kind: 'interface', name, description: 'tap', filter, resolution: 9, snapLength: 96 },
            { kind: 'packet', interfaceId, at, bytes: Buffer.from(bytes), originalLength, direction },
            { kind: 'statistics', interfaceId, accepted: 5, dropped },
          ]);
        },
      ),
    );
  });
});

describe('the stream of tcpdump', () => {
  /** A file of two packets, in a byte order and a unit of time. */
  function captured(littleEndian: boolean, magic: number): Buffer {
    const words = (...values: readonly number[]): Buffer => {
      const bytes = Buffer.alloc(4 * values.length);
      values.forEach((value, index) =>
        littleEndian ? bytes.writeUInt32LE(value, 4 * index) : bytes.writeUInt32BE(value, 4 * index),
      );
      return bytes;
    };
    return Buffer.concat([
      words(magic, littleEndian ? 0x00040002 : 0x00020004, 0, 0, 262_144, 1),
      ...[words(1_700_000_000, 5, 3, 60), Buffer.from('abc')],
      ...[words(1_700_000_001, 6, 0, 1500)],
    ]);
  }

  for (const littleEndian of [true, false])
    for (const [magic, nsPerUnit] of [
      [0xa1b23c4d, 1n],
      [0xa1b2c3d4, 1000n],
    ] as const)
      it(`gives packets wherever it is cut (${littleEndian ? 'little' : 'big'}-endian, ${String(nsPerUnit)} ns)`, () => {
        const file = captured(littleEndian, magic);
        for (let cut = 0; cut <= file.length; cut++) {
          const stream = new PcapStream();
          const packets = [...stream.push(file.subarray(0, cut)), ...stream.push(file.subarray(cut))];
          expect(
            packets.map(({ atNs, bytes, originalLength }) => [atNs, bytes.toString(), originalLength]),
          ).to.deep.equal([
            [1_700_000_000_000_000_000n + 5n * nsPerUnit, 'abc', 60],
            [1_700_000_001_000_000_000n + 6n * nsPerUnit, '', 1500],
          ]);
        }
      });

  it('calls garbage by its name', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 24 }), (bytes) => {
        try {
          new PcapStream().push(Buffer.from(bytes));
        } catch (thrown) {
          expect(thrown).to.be.instanceOf(VsbError).with.property('code', 'CAPTURE_GARBLED');
        }
      }),
    );
    const file = captured(true, 0xa1b23c4d);
    file.writeUInt32LE(0xffffffff, 24 + 8);
    expect(() => new PcapStream().push(file)).to.throw(/a packet of 4294967295 bytes/);
  });
});
