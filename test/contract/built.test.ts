/** What is built is what runs on a host: nothing in it may still lead to a source. scripts/test builds it first. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';

describe('the built program', () => {
  it('imports what is built, everywhere', () => {
    const files = readdirSync('dist', { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.js'),
    );
    expect(files).to.include(join('cli', 'main.js'));
    const unbuilt = files.flatMap((name) => {
      // tsc leaves the endings in dynamic imports of functions that have `using`.
      const found = readFileSync(join('dist', name), 'utf8').match(
        /\b(?:import|from)\s*\(?\s*['"]\.[^'"]*\.ts['"]/g,
      );
      return (found ?? []).map((text) => `${name}: ${text}`);
    });
    expect(unbuilt).to.deep.equal([]);
  });
});
