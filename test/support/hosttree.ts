/** Makes the trees of test/fixtures/hosts in a directory. */
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface HostTree extends AsyncDisposable {
  /** What stands for `/`. */
  readonly root: string;
}

/** @param name of a file in test/fixtures/hosts, without `.txt`; `undefined`: an empty tree */
export async function plantHost(name?: string): Promise<HostTree> {
  const root = await mkdtemp(join(tmpdir(), 'vsb-host-'));
  const text = name === undefined ? '' : await readFile(`test/fixtures/hosts/${name}.txt`, 'utf8');
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [, path = '', sign, value = ''] = /^(\S+) (=|->) ?(.*)$/.exec(line) ?? [];
    const full = join(root, path);
    await mkdir(dirname(full), { recursive: true });
    if (sign === '->') await symlink(value, full);
    else await writeFile(full, `${value.replaceAll('|', '\n')}\n`);
  }
  return { root, [Symbol.asyncDispose]: () => rm(root, { recursive: true }) };
}
