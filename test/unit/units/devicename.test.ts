import { expect } from 'chai';
import fc from 'fast-check';
import { MAX_DEVICE_NAME_BYTES, toDeviceName } from '../../../src/units/devicename.ts';

describe('units/devicename', () => {
  it('keeps a name that fits', () => {
    expect(toDeviceName('web1-0')).to.equal('web1-0');
    expect(toDeviceName('a'.repeat(15))).to.equal('a'.repeat(15));
  });

  it('shortens a longer one with a stable hash of the whole', () => {
    expect(toDeviceName('very-long-name-0')).to.match(/^very-lon-[0-9a-f]{6}$/);
    expect(toDeviceName('very-long-name-0')).to.equal(toDeviceName('very-long-name-0'));
    expect(toDeviceName('very-long-name-0')).to.not.equal(toDeviceName('very-long-name-1'));
  });

  it('gives another name at each attempt', () => {
    const names = [0, 1, 2, 3].map((attempt) => toDeviceName('br-0', attempt));
    expect(new Set(names).size).to.equal(4);
    expect(names.slice(1).every((name) => /^br-0-[0-9a-f]{6}$/.test(name))).to.equal(true);
  });

  it('counts bytes, and never leaves half a character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 30 }), fc.nat(3), (wanted, attempt) => {
        const name = toDeviceName(wanted, attempt);
        expect(Buffer.byteLength(name)).to.be.at.most(MAX_DEVICE_NAME_BYTES);
        expect(name).to.equal(Buffer.from(name).toString());
      }),
    );
  });
});
