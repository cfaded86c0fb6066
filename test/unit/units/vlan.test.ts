import { expect } from 'chai';
import fc from 'fast-check';
import { renderVlans, toVlanId, toVlanRange } from '../../../src/units/vlan.ts';

describe('units/vlan', () => {
  it('takes ids from 0 to 4094', () => {
    expect([0, 1, 4094].map(toVlanId)).to.deep.equal([0, 1, 4094]);
    for (const value of [-1, 4095, 4096, 1.5, NaN])
      expect(toVlanId(value), String(value)).to.equal(undefined);
  });

  it('reads an id or a range', () => {
    expect(toVlanRange(10)).to.deep.equal([10]);
    expect(toVlanRange('10')).to.deep.equal([10]);
    expect(toVlanRange('100-103')).to.deep.equal([100, 101, 102, 103]);
    expect(toVlanRange(' 1 - 2 ')).to.deep.equal([1, 2]);
    for (const entry of ['', 'a', '10-', '-10', '20-10', '4090-4095', 4095, '1,2', 1.5]) {
      expect(toVlanRange(entry), String(entry)).to.equal(undefined);
    }
  });

  it('renders runs as ranges, and reads them back', () => {
    expect(renderVlans([])).to.equal('');
    expect(renderVlans([110, 10, 20, 11, 10])).to.equal('10-11,20,110');
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 4094 }), { minLength: 1 }), (ids) => {
        const back = renderVlans(ids)
          .split(',')
          .flatMap((entry) => toVlanRange(entry) ?? []);
        expect(back).to.deep.equal([...ids].sort((a, b) => a - b));
      }),
    );
  });
});
