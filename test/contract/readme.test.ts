/** README.md ⇄ the code: its topologies are well, its program type-checks, its links lead somewhere. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { readTopology } from '../../src/topology/read.ts';
import { complaints } from '../support/typecheck.ts';

const README = readFileSync('README.md', 'utf8');

function blocks(page: string, language: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(
    ([, block]) => block ?? '',
  );
}

describe('the README', function () {
  this.timeout(60_000);

  it('shows topologies that are well, as the page on the format does', () => {
    const [readme, format] = [README, readFileSync('docs/topology-format.md', 'utf8')];
    for (const page of [readme, format]) {
      const [example = ''] = blocks(page, 'yaml');
      expect(example).to.match(/^version: 1/m);
      const result = readTopology(example, 'README.md');
      expect(result.ok ? [] : result.issues.map(({ message }) => message)).to.deep.equal([]);
    }
  });

  it('shows a program that type-checks', () => {
    const [program = '', ...others] = blocks(README, 'ts');
    expect(others).to.deep.equal([]);
    expect(program).to.include("from 'vswitchboard'");
    // Inside of the package, so that it finds itself by its name; scripts/test builds it first.
    const directory = mkdtempSync(join('test', 'contract', 'readme-'));
    try {
      const file = join(directory, 'program.ts');
      writeFileSync(file, program);
      expect(complaints([file])).to.deep.equal([]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('leads to files that there are, and so do all pages', () => {
    const pages = readdirSync('docs', { recursive: true, encoding: 'utf8' })
      .filter((page) => page.endsWith('.md'))
      .map((page) => join('docs', page));
    const broken = ['README.md', ...pages].flatMap((page) =>
      [...readFileSync(page, 'utf8').matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
        .map(([, target]) => target ?? '')
        .filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(dirname(page), target)))
        .map((target) => `${page}: ${target}`),
    );
    expect(broken).to.deep.equal([]);
  });
});
