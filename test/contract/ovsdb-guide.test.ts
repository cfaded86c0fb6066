/** The guide to the OVSDB client names every public name, and no page is left unfinished. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';

const index = readFileSync('src/ovsdb/index.ts', 'utf8');
const guide = readFileSync('docs/ovsdb-client.md', 'utf8');

/** Values and types, as their users write them. */
const exported = [...index.matchAll(/^export (?:type )?\{([^}]*)\} from/gm)]
  .flatMap(([, names]) => (names ?? '').split(','))
  .map((name) => name.trim().replace(/^type /, ''))
  .filter((name) => name !== '');

describe('the guide to the OVSDB client', () => {
  it('has each public name once in its reference, and no other', () => {
    const reference = guide.slice(guide.indexOf('## Every name'));
    const named = [...reference.matchAll(/^\| `(\w+)` \| .+ \| .+ \|$/gm)].map(([, name]) => name);
    expect(exported).to.include.members(['OvsdbClient', 'Uuid']);
    expect([...named].sort()).to.deep.equal([...exported].sort());
  });

  it('leads to pages and sections that there are', () => {
    const headings = [...guide.matchAll(/^##+ (.*)$/gm)].map(([, text]) =>
      (text ?? '')
        .toLowerCase()
        .replace(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    );
    for (const [, target = ''] of guide.matchAll(/\]\(([^)]+)\)/g)) {
      const [path = '', section] = target.split('#');
      if (path !== '') expect(readFileSync(join('docs', path), 'utf8')).to.not.equal('');
      if (path === '' && section !== undefined) expect(headings).to.include(section);
    }
  });

  it('leaves nothing to be done in any page', () => {
    const pages = readdirSync('docs', { recursive: true, encoding: 'utf8' }).filter((page) =>
      page.endsWith('.md'),
    );
    const unfinished = pages.filter((page) =>
      /TODO|FIXME|XXX/.test(readFileSync(join('docs', page), 'utf8')),
    );
    expect(unfinished).to.deep.equal([]);
  });
});
