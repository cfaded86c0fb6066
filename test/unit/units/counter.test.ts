import { expect } from 'chai';
import { UNKNOWN_COUNTER, ratePerSecond, toCounter } from '../../../src/units/counter.ts';

describe('units/counter', () => {
  it('knows what the switch does not know', () => {
    expect(toCounter(0n)).to.equal(0n);
    expect(toCounter(UNKNOWN_COUNTER)).to.equal(undefined);
    expect(toCounter(UNKNOWN_COUNTER - 1n)).to.equal(UNKNOWN_COUNTER - 1n);
  });

  it('gives a rate of two counts, exact beyond 2^53', () => {
    expect(ratePerSecond(0n, 1500n, 500)).to.equal(3000);
    expect(ratePerSecond(2n ** 60n, 2n ** 60n + 1n, 1000)).to.equal(1);
    expect(ratePerSecond(7n, 7n, 1000)).to.equal(0);
  });

  it('gives none where a count is unknown, went back, or no time passed', () => {
    expect(ratePerSecond(undefined, 1n, 1000)).to.equal(undefined);
    expect(ratePerSecond(1n, undefined, 1000)).to.equal(undefined);
    expect(ratePerSecond(2n, 1n, 1000)).to.equal(undefined);
    expect(ratePerSecond(1n, 2n, 0)).to.equal(undefined);
  });
});
