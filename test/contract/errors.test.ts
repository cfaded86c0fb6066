import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { errorCodes } from '../../src/errors.ts';
import { renderErrorsDoc } from '../support/errorsdoc.ts';

const page = readFileSync('docs/errors.md', 'utf8');
const documented = new Map(
  [...page.matchAll(/^\| `([A-Z0-9_]+)` \| (\d+) \| \S.* \|$/gm)].map(([, code, exit]) => [
    code,
    Number(exit),
  ]),
);
const registered = new Map(errorCodes().map(({ code, exitStatus }) => [code as string, exitStatus]));

describe('error codes', () => {
  it('are all documented, and no others, with their exit status', () => {
    expect([...documented].sort()).to.deep.equal([...registered].sort());
  });

  it('are documented with the message that the registry has', () => {
    expect(page).to.equal(renderErrorsDoc());
  });

  it('are all used by the code', () => {
    const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && name !== 'errors.ts')
      .map((name) => readFileSync(join('src', name), 'utf8'))
      .join('\n');
    const unused = [...registered.keys()].filter((code) => !sources.includes(`'${code}'`));
    expect(unused).to.deep.equal([]);
  });
});
