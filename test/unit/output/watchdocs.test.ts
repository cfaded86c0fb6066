import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { WATCH_FIELDS } from '../../../src/output/watchrecords.ts';

describe('docs/watch.md', () => {
  it('describes every field of NDJSON and CSV, in their order, and no other', () => {
    const text = readFileSync(new URL('../../../docs/watch.md', import.meta.url), 'utf8');
    const section = /## Fields of NDJSON and CSV\n([^]*?)\n## /.exec(text)?.[1] ?? '';
    const rows = section.split('\n').filter((line) => /^\| +`/.test(line));
    const described = rows.flatMap((row) =>
      Array.from(row.split('|')[1]?.matchAll(/`(\w+)`/g) ?? [], ([, name]) => name),
    );
    expect(described).to.deep.equal([...WATCH_FIELDS]);
    expect(text).to.contain(WATCH_FIELDS.join(','));
  });
});
