import { expect } from 'chai';
import fc from 'fast-check';
import { suggest } from '../../../src/filter/suggest.ts';
import { ROWS } from './rows.ts';

const FIELDS = [...Object.keys(ROWS.fields), 'not', '('];
const VMS = ['web1', 'web2', 'db 1', 'or', 'a*'];

function at(text: string): { from: number; texts: readonly string[] } {
  return suggest(text, text.length, ROWS, (field) => (field === 'vm' ? VMS : []));
}

describe('suggest', () => {
  const CASES: readonly (readonly [string, number, readonly string[]])[] = [
    ['', 0, FIELDS],
    ['ra', 0, ['rate']],
    ['RA', 0, ['rate']],
    ['not ', 4, FIELDS],
    ['(', 1, FIELDS],
    ['vm ', 3, ['=', '!=', 'in', 'not in']],
    ['rate ', 5, ['=', '!=', '<', '<=', '>', '>=', 'in', 'not in']],
    ['nofield ', 8, ['=', '!=', 'in', 'not in']],
    ['vm not ', 7, ['in']],
    ['vm=', 3, ['web1', 'web2', '"db 1"', '"or"', '"a*"']],
    ['vm=w', 3, ['web1', 'web2']],
    ['nofield=', 8, []],
    ['proto=i', 6, ['icmp', 'igmp', 'icmp6']],
    ['vm=a ', 5, ['and', 'or']],
    ['(vm=a ', 6, ['and', 'or', ')']],
    ['vm in ', 6, ['(']],
    ['vm in (web1,w', 12, ['web1', 'web2']],
    ['vm in (a ', 9, [',', ')']],
    ['vm=a and pr', 9, ['proto']],
    ['vm=a b=', 7, []],
    ['vm="w', 4, []],
  ];
  for (const [text, from, texts] of CASES)
    it(`after ${JSON.stringify(text)}`, () => {
      expect(at(text)).to.deep.equal({ from, texts });
    });

  it('looks only at what is before the cursor', () => {
    expect(suggest('ra and vm=a', 2, ROWS)).to.deep.equal({ from: 0, texts: ['rate'] });
  });

  it('never fails', () => {
    const letters = fc.constantFrom('vm', '=', '(', '!', ',', '"', "'", ' ', '*', 'in', 'not', 'and ');
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 20 }), fc.nat(30), (pieces, cursor) => {
        const text = pieces.join('');
        expect(suggest(text, cursor, ROWS).from).to.be.at.most(text.length);
      }),
    );
  });
});
