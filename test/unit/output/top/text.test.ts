import { expect } from 'chai';
import fc from 'fast-check';
import { toKeys } from '../../../../src/output/top/keys.ts';
import { renderSparkline } from '../../../../src/output/top/sparkline.ts';
import { cutTo, fit, widthOf } from '../../../../src/output/top/text.ts';

describe('text of top', () => {
  it('is as wide as a terminal draws it', () => {
    const widths: readonly (readonly [string, number])[] = [
      ['web1', 4],
      ['', 0],
      ['é', 1],
      ['e\u0301', 1],
      ['仮想', 4],
      ['ｶ', 1],
      ['Ａ', 2],
      ['한', 2],
      ['😀', 2],
      ['a\u200db', 2],
      ['▸▁█…', 4],
      ['𠀀', 2],
    ];
    for (const [text, width] of widths) expect(widthOf(text), text).to.equal(width);
  });

  it('fits in just so many cells, without control characters', () => {
    expect(fit('web1', 6)).to.equal('web1  ');
    expect(fit('web1', 6, 'right')).to.equal('  web1');
    expect(fit('web12345', 4)).to.equal('web…');
    expect(fit('仮想マシン', 4)).to.equal('仮… ');
    expect(fit('a\x1b[2J', 6)).to.equal('a?[2J ');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(20), (text, width) => {
        expect(widthOf(fit(text, width))).to.equal(width);
        expect(widthOf(cutTo(text, width))).to.be.at.most(width);
      }),
    );
  });
});

describe('renderSparkline', () => {
  it('draws the last values, the highest of them in full, a little never as nothing', () => {
    expect(renderSparkline([5, 0, 1, undefined, 100], 4)).to.equal('▁▂ █');
    expect(renderSparkline([1], 3)).to.equal('  █');
    expect(renderSparkline([0, 0], 2)).to.equal('▁▁');
    expect(renderSparkline([1, 2], 0)).to.equal('');
  });
});

describe('toKeys', () => {
  it('names keys, and leaves out what means none', () => {
    expect(toKeys('\x1b[A\x1bOB\x1b[5~q\r')).to.deep.equal([
      { key: 'up' },
      { key: 'down' },
      { key: 'page-up' },
      { key: 'character', text: 'q' },
      { key: 'enter' },
    ]);
    expect(toKeys('\x1b')).to.deep.equal([{ key: 'escape' }]);
    expect(toKeys('é😀')).to.deep.equal([
      { key: 'character', text: 'é' },
      { key: 'character', text: '😀' },
    ]);
    expect(toKeys('\x1b[200~\x1b[1;5C\x01\x9b')).to.deep.equal([]);
  });
});
