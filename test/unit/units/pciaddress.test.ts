import { expect } from 'chai';
import { toPciAddress } from '../../../src/units/pciaddress.ts';

describe('units/pciaddress', () => {
  it('reads addresses with and without domain, in any case', () => {
    expect(toPciAddress('0000:03:00.1')).to.equal('0000:03:00.1');
    expect(toPciAddress('03:00.1')).to.equal('0000:03:00.1');
    expect(toPciAddress(' 000A:AF:1F.7 ')).to.equal('000a:af:1f.7');
  });

  it('refuses what is none', () => {
    for (const text of ['', '3:00.1', '03:00', '03:20.0', '03:00.8', '0000:03:00.1x', '0:03:00.1'])
      expect(toPciAddress(text), text).to.equal(undefined);
  });
});
