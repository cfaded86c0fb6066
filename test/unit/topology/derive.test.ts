import { expect } from 'chai';
import { addressGiver, deviceNameGiver, macGiver, toSeed } from '../../../src/topology/derive.ts';
import { toCidr, type Cidr } from '../../../src/units/cidr.ts';
import { macFromHash } from '../../../src/units/mac.ts';

function cidrOf(text: string): Cidr {
  const cidr = toCidr(text);
  if (!cidr) throw new Error(text);
  return cidr;
}

describe('topology/derive', () => {
  const seed = toSeed('site', 'web1', '0');

  it('gives another MAC, always the same one, where the first is taken', () => {
    const first = macFromHash(seed.hash);
    expect(macGiver([])(seed)).to.equal(first);
    const second = macGiver([first])(seed);
    expect(second).to.not.equal(first);
    const give = macGiver([]);
    expect([give(seed), give(seed)]).to.deep.equal([first, second]);
    expect(give(seed)).to.not.be.oneOf([first, second]);
  });

  it('gives the next free address, and begins again after the last', () => {
    const give = addressGiver(cidrOf('10.0.0.0/29'), [0x0a000003n]);
    const given = Array.from({ length: 5 }, () => give(seed));
    const numbers = given.map((address) => Number(/\.(\d+)\/29$/.exec(address)?.[1]));
    expect([...numbers].sort()).to.deep.equal([1, 2, 4, 5, 6]);
    const free = [1, 2, 4, 5, 6];
    const start = free.indexOf(numbers[0] ?? 0);
    expect(numbers).to.deep.equal([...free.slice(start), ...free.slice(0, start)]);
  });

  it('gives each device name once', () => {
    const give = deviceNameGiver(['a']);
    const names = [give('a'), give('a'), give('b'), give('b')];
    expect(names[2]).to.equal('b');
    expect(new Set([...names, 'a']).size).to.equal(5);
  });
});
