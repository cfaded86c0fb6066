import { expect } from 'chai';
import fc from 'fast-check';
import { matchesGlob } from '../../../src/filter/glob.ts';

describe('matchesGlob', () => {
  it('matches what a regular expression with .* matches', () => {
    const text = (...letters: string[]): fc.Arbitrary<string> =>
      fc.string({ unit: fc.constantFrom(...letters), maxLength: 10 });
    fc.assert(
      fc.property(text('a', 'b', '*'), text('a', 'b'), (pattern, name) => {
        const oracle = new RegExp(`^${pattern.replaceAll('*', '[^]*')}$`);
        expect(matchesGlob(pattern, name)).to.equal(oracle.test(name));
      }),
      { numRuns: 3000 },
    );
  });

  it('does not let two pieces share a character', () => {
    expect(matchesGlob('ab*ba', 'aba')).to.equal(false);
    expect(matchesGlob('ab*ba', 'abba')).to.equal(true);
  });

  // A matcher that goes back does not come to an end here.
  it('gives up a pattern of a thousand stars as soon as one piece is not there', () => {
    expect(matchesGlob('*a'.repeat(1000) + '*b', 'a'.repeat(4000))).to.equal(false);
  });
});
