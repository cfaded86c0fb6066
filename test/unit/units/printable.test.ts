import { expect } from 'chai';
import { toPrintable } from '../../../src/units/printable.ts';

describe('toPrintable', () => {
  it('takes away every control character: C0, DEL and C1', () => {
    const controls = Array.from({ length: 0xa0 }, (_, code) => String.fromCharCode(code)).filter(
      (character) => character < ' ' || character > '~',
    );
    expect(controls).to.have.length(65);
    expect(toPrintable(controls.join(''))).to.equal('?'.repeat(65));
  });

  it('leaves all other text as it is', () => {
    expect(toPrintable('web1:0 → “größer” 日本')).to.equal('web1:0 → “größer” 日本');
  });
});
