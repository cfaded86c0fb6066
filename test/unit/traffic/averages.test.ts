import { expect } from 'chai';
import fc from 'fast-check';
import { Averages, NO_TREND } from '../../../src/traffic/averages.ts';

/** Feeds one key with a rate a second; the first has nothing to compare with. */
function feed(rates: readonly (number | undefined)[]): Averages {
  const averages = new Averages();
  averages.observe(0, [['a', undefined]]);
  rates.forEach((rate, index) => {
    averages.observe((index + 1) * 1000, [['a', rate]]);
  });
  return averages;
}

describe('Averages', () => {
  it('are means over 2, 10 and 40 seconds', () => {
    const { means, history } = feed([...Array.from({ length: 50 }, () => 0), 10, 30]).trendOf('a');
    expect(means).to.deep.equal([20, 4, 1]);
    expect(history.slice(-3)).to.deep.equal([0, 10, 30]);
    expect(history).to.have.length(40);
  });

  it('are those of the time so far, where that is shorter', () => {
    expect(feed([8]).trendOf('a').means).to.deep.equal([8, 8, 8]);
    expect(feed([8, 4, 3]).trendOf('a').means).to.deep.equal([3.5, 5, 5]);
  });

  it('leave out what is not known, and are not known where nothing is', () => {
    expect(feed([8, undefined, undefined]).trendOf('a').means).to.deep.equal([undefined, 8, 8]);
    expect(feed([]).trendOf('a').means).to.deep.equal([undefined, undefined, undefined]);
    expect(feed([1]).trendOf('b')).to.equal(NO_TREND);
  });

  it('weigh intervals with their time, the one that the window cuts with its part', () => {
    const averages = new Averages();
    averages.observe(0, [['a', undefined]]);
    averages.observe(3000, [['a', 6]]);
    averages.observe(4000, [['a', 12]]);
    // One second of 6 and one of 12; three of 6 and one of 12.
    expect(averages.trendOf('a').means).to.deep.equal([9, 7.5, 7.5]);
  });

  it('forget a key that a reading has not', () => {
    const averages = feed([100, 100]);
    averages.observe(3000, []);
    expect(averages.trendOf('a')).to.equal(NO_TREND);
    averages.observe(4000, [['a', 6]]);
    expect(averages.trendOf('a').means).to.deep.equal([6, 6, 6]);
  });

  it('are never above the highest rate, nor below the lowest', () => {
    const step = fc.record({ ms: fc.integer({ min: 1, max: 20_000 }), rate: fc.option(fc.nat(1e9)) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
        const averages = new Averages();
        let atMs = 0;
        averages.observe(atMs, [['a', undefined]]);
        for (const { ms, rate } of steps) averages.observe((atMs += ms), [['a', rate ?? undefined]]);
        const { means, history } = averages.trendOf('a');
        const known = history.filter((rate) => rate !== undefined);
        for (const mean of means) {
          if (mean !== undefined)
            expect(mean).to.be.within(Math.min(...known) - 1e-3, Math.max(...known) + 1e-3);
        }
      }),
    );
  });
});
