import { expect } from 'chai';
import fc from 'fast-check';
import { renderRate, toBitsPerSecond } from '../../../src/units/bitrate.ts';

describe('units/bitrate', () => {
  it('reads decimal prefixes, with or without a unit', () => {
    const cases: [number | string, number][] = [
      ['500M', 500e6],
      ['1.5G', 1.5e9],
      ['64k', 64_000],
      ['64K', 64_000],
      ['2T', 2e12],
      [1_000_000, 1e6],
      ['10 Mbit/s', 10e6],
      ['10Mbps', 10e6],
      [' 7 ', 7],
    ];
    for (const [text, rate] of cases) expect(toBitsPerSecond(text), String(text)).to.equal(rate);
  });

  it('refuses what is no rate above 0', () => {
    for (const text of ['', '0', 0, '-1M', '1MB', '1Mi', '1,5G', 'M', '0.0001', NaN, Infinity, '99999999T']) {
      expect(toBitsPerSecond(text), String(text)).to.equal(undefined);
    }
  });

  it('renders three significant digits', () => {
    const cases: [number, string][] = [
      [0, '0'],
      [980, '980'],
      [999.4, '999'],
      [999.5, '1.00k'],
      [1_250_000, '1.25M'],
      [9_996_000, '10.0M'],
      [99_960_000, '100M'],
      [999_600_000, '1.00G'],
      [31_400_000_000, '31.4G'],
      [5e18, '5000P'],
    ];
    for (const [rate, text] of cases) expect(renderRate(rate), String(rate)).to.equal(text);
  });

  it('reads back what it rendered, to three digits', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e14 }), (rate) => {
        const back = toBitsPerSecond(renderRate(rate));
        expect(back).to.be.closeTo(rate, Math.max(rate * 0.005, 0.5));
      }),
    );
  });
});
