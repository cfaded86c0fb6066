import { expect } from 'chai';
import { renderDuration, toDurationMs } from '../../../src/units/duration.ts';

describe('units/duration', () => {
  it('reads a number with a unit', () => {
    const cases: [string, number][] = [
      ['250ms', 250],
      ['1s', 1000],
      ['1.5m', 90_000],
      ['2h', 7_200_000],
      ['1d', 86_400_000],
      ['0s', 0],
    ];
    for (const [text, ms] of cases) expect(toDurationMs(text), text).to.equal(ms);
    for (const text of ['', '5', '-1s', '1 s', '1w', 's'])
      expect(toDurationMs(text), text).to.equal(undefined);
  });

  it('renders for people, never 60 of a unit', () => {
    const cases: [number, string][] = [
      [0, '0ms'],
      [250, '250ms'],
      [999.6, '1s'],
      [1500, '1.5s'],
      [59_940, '59.9s'],
      [59_960, '1m 0s'],
      [125_000, '2m 5s'],
      [3_599_600, '1h 0m'],
      [10_920_000, '3h 2m'],
    ];
    for (const [ms, text] of cases) expect(renderDuration(ms), String(ms)).to.equal(text);
  });
});
