/** The examples of docs/ovsdb-client.md: each is a whole program that type-checks, and runs as its reader would run it. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { OvsdbServer } from '../support/ovsdb.ts';
import { complaints } from '../support/typecheck.ts';

const run = promisify(execFile);
const DEFAULT_REMOTE = 'unix:/var/run/openvswitch/db.sock';

/** What each example prints, in their order. */
const OUTPUTS: readonly RegExp[] = [
  // Rows come in the order of their UUIDs, which are random.
  /^(?:br0 no tag\ntap0 10|tap0 10\nbr0 no tag)\n$/,
  /^2 1 1\n$/,
  /^made [0-9a-f-]{36}\n$/,
  /^success\n$/,
  /^2 held\n$/,
];

describe('the examples of the guide', function () {
  this.timeout(60_000);

  it('type-check, run, and print what they promise', async () => {
    await using server = await OvsdbServer.start();
    await server.vsctl(
      ...['add-br', 'br0', '--', 'add-port', 'br0', 'tap0', 'tag=10'],
      ...['--', 'set', 'Interface', 'tap0', 'external_ids:iface-id="web1:0"'],
    );
    const blocks = examples('ts');
    expect(blocks).to.have.length(OUTPUTS.length);
    // Inside of the package, so that it finds itself by its name; scripts/test builds it first.
    const directory = mkdtempSync(join('test', 'integration', 'guide-'));
    try {
      const files = blocks.map((block, index) => {
        expect(block).to.include(DEFAULT_REMOTE);
        const file = join(directory, `example${String(index)}.ts`);
        writeFileSync(file, block.replaceAll(DEFAULT_REMOTE, server.remote));
        return file;
      });
      expect(complaints(files)).to.deep.equal([]);
      for (const [index, file] of files.entries()) {
        const { stdout } = await run(process.execPath, ['--import', 'tsx', file], { timeout: 15_000 });
        expect(stdout, `example ${String(index)}`).to.match(OUTPUTS[index] as RegExp);
      }
      expect(await server.vsctl('get', 'Bridge', 'br-guide', 'external_ids:count')).to.match(/^"1"\s*$/);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('run in plain JavaScript, until Ctrl-C', async () => {
    await using server = await OvsdbServer.start();
    const [example = '', ...others] = examples('js');
    expect(others).to.deep.equal([]);
    const directory = mkdtempSync(join('test', 'integration', 'guide-'));
    const file = join(directory, 'example.js');
    writeFileSync(file, example.replaceAll(DEFAULT_REMOTE, server.remote));
    const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const ended = once(child, 'exit');
      let printed = '';
      for await (const chunk of child.stdout) {
        printed += String(chunk);
        if (printed === 'live \n') await server.vsctl('add-br', 'br0');
        if (printed.endsWith('insert br0\n')) child.kill('SIGINT');
      }
      expect(printed).to.equal('live \ninsert br0\nclosed \n');
      expect(await ended).to.deep.equal([0, null]);
    } finally {
      child.kill('SIGKILL');
      rmSync(directory, { recursive: true });
    }
  });
});

function examples(language: 'ts' | 'js'): readonly string[] {
  const guide = readFileSync('docs/ovsdb-client.md', 'utf8');
  return [...guide.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(
    ([, block]) => block ?? '',
  );
}
