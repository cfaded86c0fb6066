import { expect } from 'chai';
import fc from 'fast-check';
import { ipv4FromBytes, ipv6FromBytes } from '../../../src/units/addressbytes.ts';
import { renderAddress } from '../../../src/units/cidr.ts';
import { macFromBytes, toMac } from '../../../src/units/mac.ts';

describe('addresses out of bytes', () => {
  it('are texts as RFC 5952 has them', () => {
    const texts = [
      ['00000000000000000000000000000000', '::'],
      ['00000000000000000000000000000001', '::1'],
      ['20010db8000000000001000000000001', '2001:db8::1:0:0:1'],
      ['20010db8000000010001000100010001', '2001:db8:0:1:1:1:1:1'],
      ['20010000000000010000000000000001', '2001:0:0:1::1'],
      ['fe800000000000005254000000000000', 'fe80::5254:0:0:0'],
      ['00010002000300040005000600070000', '1:2:3:4:5:6:7:0'],
      ['000100000000000000000000abcd0000', '1::abcd:0'],
      ['00000000000000000000ffff0a000001', '::ffff:10.0.0.1'],
    ];
    for (const [hex = '', text] of texts)
      expect(ipv6FromBytes(viewOf(Buffer.from(hex, 'hex')), 0)).to.equal(text);
  });

  it('are those that ip-cidr writes', () => {
    const word = fc.constantFrom(0, 0, 1, 0xffff, 0x0a0b);
    fc.assert(
      fc.property(fc.array(word, { minLength: 8, maxLength: 8 }), (words) => {
        const bytes = Buffer.alloc(16);
        for (const [index, value] of words.entries()) bytes.writeUInt16BE(value, 2 * index);
        const value = BigInt(`0x${bytes.toString('hex')}`);
        // ip-cidr writes IPv4-mapped addresses like any other.
        fc.pre(value >> 32n !== 0xffffn);
        expect(ipv6FromBytes(viewOf(bytes), 0)).to.equal(renderAddress(value, 6));
        expect(ipv4FromBytes(viewOf(bytes), 12)).to.equal(renderAddress(value & 0xffff_ffffn, 4));
      }),
    );
  });

  it('may stand anywhere', () => {
    const view = viewOf(Buffer.from('ffff5254001000010a00000102', 'hex'));
    expect(macFromBytes(view, 2)).to.equal('52:54:00:10:00:01').and.equal(toMac('52:54:00:10:00:01'));
    expect(ipv4FromBytes(view, 8)).to.equal('10.0.0.1');
  });
});

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
