import { expect } from 'chai';
import {
  addressCookie,
  decodeCookie,
  END_CLASS_IDS,
  pairCookie,
  restCookie,
  ruleCookie,
  toEndClass,
} from '../../../src/openflow/accounting.ts';

describe('openflow: accounting', () => {
  it('reads back what a cookie says', () => {
    expect(pairCookie(32769)).to.equal(0x5642_01f0_0000_8001n);
    expect(decodeCookie(pairCookie(32769))).to.deep.equal({
      kind: 'pair',
      generation: 1,
      source: 32769,
    });
    expect(decodeCookie(restCookie(0x10001))).to.deep.equal({ kind: 'rest', generation: 1, source: 0x10001 });
    expect(decodeCookie(addressCookie('x'))).to.deep.equal({ kind: 'address', generation: 1 });
    expect(decodeCookie(0x5642_02e0_0000_0005n)).to.deep.equal({ kind: 'rest', generation: 2, source: 5 });
  });

  it('gives the same text the same cookie, and never one that means something else', () => {
    expect(ruleCookie('table=0')).to.equal(ruleCookie('table=0')).and.not.equal(ruleCookie('table=1'));
    for (let index = 0; index < 2000; index++) {
      expect(decodeCookie(ruleCookie(String(index)))).to.deep.equal({ kind: 'rule', generation: 1 });
    }
  });

  it('knows the rules of others', () => {
    for (const cookie of [0n, 0x5643_01f0_0000_8001n, 0xffff_ffff_ffff_ffffn]) {
      expect(decodeCookie(cookie)).to.equal(undefined);
    }
  });

  it('tells ends that are no NIC from OpenFlow port numbers', () => {
    expect(toEndClass(END_CLASS_IDS.flood)).to.equal('flood');
    expect(toEndClass(0x10004)).to.equal('unknown');
    for (const ofport of [1, 32768, 0xfffe, 0x10000]) expect(toEndClass(ofport)).to.equal(undefined);
  });
});
