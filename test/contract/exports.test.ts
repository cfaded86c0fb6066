import { readFileSync } from 'node:fs';
import { expect } from 'chai';

const packageJson = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string }>>;
};

/** Names that are values, not types, in the order of the source. */
function exportedValues(source: string): readonly string[] {
  return [...source.matchAll(/^export \{([^}]*)\} from/gm)]
    .flatMap(([, names]) => (names ?? '').split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '' && !name.startsWith('type '));
}

// The package by its own name, as users import it; `scripts/test` builds it first.
for (const [path, targets] of Object.entries(packageJson.exports))
  describe(`the export ${path}`, () => {
    const sourcePath = targets.default.replace('./dist/', 'src/').replace(/\.js$/, '.ts');

    it('is built from a file that lists every name', () => {
      expect(targets.types).to.equal(targets.default.replace(/\.js$/, '.d.ts'));
      expect(readFileSync(sourcePath, 'utf8')).to.not.match(
        /export \*|export (?:const|function|class|default)/,
      );
    });

    it('has the names that its source lists', async () => {
      const specifier = `vswitchboard${path.slice(1)}`;
      const built = (await import(specifier)) as Readonly<Record<string, unknown>>;
      expect(Object.keys(built).sort()).to.deep.equal(
        [...exportedValues(readFileSync(sourcePath, 'utf8'))].sort(),
      );
    });
  });
