import { existsSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { CONVERSATION_COLUMNS, PAIR_COLUMNS, VM_COLUMNS } from '../../../../src/output/top/columns.ts';
import { TOP_KEYS } from '../../../../src/output/top/help.ts';

const page = readFileSync('docs/top.md', 'utf8');

describe('docs/top.md', () => {
  it('has the keys of the help', () => {
    const section = /## Keys\n([^]*?)\n## /.exec(page)?.[1] ?? '';
    const rows = Array.from(section.matchAll(/^\| (.+?) +\| (.+?) +\|$/gm), ([, keys, does]) => [keys, does]);
    expect(rows.slice(1)).to.deep.equal(TOP_KEYS.map(([keys, does]) => [keys, does]));
  });

  it('describes every column that is no name or address', () => {
    const section = /## Views\n([^]*?)\n## /.exec(page)?.[1] ?? '';
    const obvious = ['VM', 'FROM', 'TO', 'BRIDGE', 'PROTO', 'SOURCE', 'DESTINATION'];
    const titles = [VM_COLUMNS, PAIR_COLUMNS, CONVERSATION_COLUMNS].flatMap((columns) =>
      columns.map(({ title }) => title.replace(/^(SENT|RECV|RATE) .*/, '$1')),
    );
    for (const title of new Set(titles)) {
      if (!obvious.includes(title)) expect(section, title).to.include(`\`${title}\``);
    }
  });

  it('has the pictures that it shows', () => {
    const images = Array.from(page.matchAll(/\]\((images\/[^)]+)\)/g), ([, path]) => path ?? '');
    expect(images).to.have.length(3);
    for (const path of images) expect(existsSync(`docs/${path}`), path).to.equal(true);
  });
});
