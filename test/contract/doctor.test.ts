/** docs/doctor.md ⇄ the checks of the code. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { doctorRows } from '../support/doctordoc.ts';

describe('the checks of the doctor', () => {
  it('are all documented with why they matter, and no others', () => {
    const page = readFileSync('docs/doctor.md', 'utf8');
    const rows = page.split('\n').filter((line) => line.startsWith('| `'));
    const spaced = (line: string): string => line.replace(/ +/g, ' ');
    expect(rows.map(spaced)).to.deep.equal(doctorRows().map(spaced));
  });
});
