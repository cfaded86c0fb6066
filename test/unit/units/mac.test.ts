import { expect } from 'chai';
import fc from 'fast-check';
import { isGroupMac, isNicMac, macFromHash, toMac, type Mac } from '../../../src/units/mac.ts';

describe('units/mac', () => {
  it('reads colons and dashes in any case as one form', () => {
    expect(toMac('52:54:00:AB:cd:01')).to.equal('52:54:00:ab:cd:01');
    expect(toMac('52-54-00-ab-cd-01')).to.equal('52:54:00:ab:cd:01');
    for (const text of [
      '',
      '52:54:00:ab:cd',
      '52:54:00:ab:cd:01:02',
      '5254.00ab.cd01',
      '52:54:00:ab:cd:0g',
      ' 52:54:00:ab:cd:01',
    ]) {
      expect(toMac(text), text).to.equal(undefined);
    }
  });

  it('tells group addresses and all zeros from those of NICs', () => {
    const of = (text: string): Mac => {
      const mac = toMac(text);
      if (mac === undefined) throw new Error(text);
      return mac;
    };
    expect(isGroupMac(of('ff:ff:ff:ff:ff:ff'))).to.equal(true);
    expect(isGroupMac(of('01:00:5e:00:00:01'))).to.equal(true);
    expect(isGroupMac(of('52:54:00:00:00:01'))).to.equal(false);
    expect(isNicMac(of('52:54:00:00:00:01'))).to.equal(true);
    expect(isNicMac(of('00:00:00:00:00:00'))).to.equal(false);
    expect(isNicMac(of('33:33:00:00:00:01'))).to.equal(false);
  });

  it('makes an address of QEMU’s range from any hash', () => {
    expect(macFromHash('000fff09')).to.equal('52:54:00:00:0f:ff');
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 3, maxLength: 32 }), (bytes) => {
        const mac = macFromHash(Buffer.from(bytes).toString('hex'));
        expect(toMac(mac)).to.equal(mac);
        expect(isNicMac(mac)).to.equal(true);
      }),
    );
  });
});
