import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect } from 'chai';
import { ESLint } from 'eslint';

const rooms = JSON.parse(readFileSync('scripts/rooms.json', 'utf8')) as Record<string, string[]>;

describe('rooms', () => {
  it('of the table are those of src/, each way', () => {
    const folders = readdirSync('src', { withFileTypes: true })
      .filter((entry) => entry.isDirectory() || entry.name.endsWith('.ts'))
      .map((entry) => entry.name.replace(/\.ts$/, ''));
    expect(Object.keys(rooms).sort()).to.deep.equal(folders.sort());
  });

  it('are documented as they are enforced', () => {
    const page = readFileSync('docs/architecture.md', 'utf8');
    const documented = Object.fromEntries(
      [...page.matchAll(/^\| `([a-z]+)(?:\/|\.ts)` \| .* \| (.*) \|$/gm)].map(([, room, imports]) => [
        room ?? '',
        imports === '–' ? [] : (imports ?? '').split(', '),
      ]),
    );
    expect(documented).to.deep.equal(rooms);
  });

  it('import only rooms that there are', () => {
    for (const imports of Object.values(rooms)) expect(Object.keys(rooms)).to.include.members(imports);
  });

  it('that are pure may have neither clock nor environment, nor the end of the process', async () => {
    const eslint = new ESLint();
    for (const file of [
      'topology/read',
      'units/mac',
      'output/plan',
      'filter/parse',
      'switch/portdiff',
      'switch/pipeline/flowdiff',
      'host/diff',
      'jsonrpc/framing',
      'traffic/rates',
    ]) {
      const { rules } = (await eslint.calculateConfigForFile(`src/${file}.ts`)) as Config;
      const [severity, ...forbidden] = rules['no-restricted-properties'] ?? [];
      expect(severity, file).to.equal(2);
      const names = forbidden.map(({ object, property }) => `${object}.${property}`);
      expect(names, file).to.have.members([
        'process.env',
        'process.exit',
        'process.stdout',
        'Date.now',
        'performance.now',
      ]);
      expect(rules['no-restricted-syntax']?.[0], file).to.equal(2);
    }
  });

  it('that are pure do no I/O', () => {
    const config = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as {
      forbidden: readonly { name: string; from: { path: readonly string[] }; to: { path: string } }[];
    };
    const rule = config.forbidden.find(({ name }) => name === 'pure');
    const isPure = (file: string): boolean =>
      (rule?.from.path ?? []).some((path) => new RegExp(path).test(file));
    for (const file of [
      'src/topology/read.ts',
      'src/switch/portdiff.ts',
      'src/host/diff.ts',
      'src/units/mac.ts',
    ])
      expect(isPure(file), file).to.equal(true);
    for (const module of ['node:fs', 'fs/promises', 'net', 'child_process'])
      expect(module, module).to.match(new RegExp(rule?.to.path ?? '$.'));
  });
});

interface Config {
  readonly rules: Readonly<
    Record<string, [number, ...{ readonly object: string; readonly property: string }[]]>
  >;
}
