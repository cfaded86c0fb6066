/** Which virtual machines have an image open: the QEMU processes of this host, whoever started them (proc(5)). */
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { fail } from '../errors.ts';

export interface ImageUser {
  readonly pid: number;
  /** By QEMU's `-name`; `undefined` where it has none. */
  readonly vm: string | undefined;
  /** `VM "web1" (pid 1234)` */
  readonly words: string;
}

/** @param image also one of a chain: who has it open is told, whether it writes or reads */
export async function findImageUsers(image: string): Promise<ImageUser[]> {
  const file = await stat(image).catch(() => undefined);
  if (!file) return [];
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const users = await Promise.all(
    pids.map(async (pid) => {
      // Gone meanwhile, or hidden from us: then nobody that we could name.
      const argv = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      const [program = '', ...args] = argv.split('\0');
      if (!/^(qemu-system-.+|qemu-kvm|kvm|qemu-storage-daemon)$/.test(basename(program))) return [];
      if (!(await hasOpen(pid, file))) return [];
      const vm = nameIn(args);
      return [
        { pid: Number(pid), vm, words: vm === undefined ? `QEMU, pid ${pid}` : `VM "${vm}" (pid ${pid})` },
      ];
    }),
  );
  return users.flat();
}

/** @throws DISK_IN_USE */
export async function requireUnused(image: string): Promise<void> {
  const users = await findImageUsers(image);
  if (users.length > 0) throw fail('DISK_IN_USE', { image, users: users.map(({ words }) => words) });
}

async function hasOpen(pid: string, file: { readonly dev: number; readonly ino: number }): Promise<boolean> {
  const directory = `/proc/${pid}/fd`;
  const names = await readdir(directory).catch(() => []);
  for (const name of names) {
    const target = await readlink(`${directory}/${name}`).catch(() => '');
    if (!target.startsWith('/')) continue;
    const open = await stat(`${directory}/${name}`).catch(() => undefined);
    if (open?.dev === file.dev && open.ino === file.ino) return true;
  }
  return false;
}

/** `-name guest=web1,debug-threads=on`, or `-name web1`. */
function nameIn(args: readonly string[]): string | undefined {
  const text = args[args.indexOf('-name') + 1];
  if (!args.includes('-name') || text === undefined) return undefined;
  return /^(?:guest=)?((?:[^,]|,,)*)/.exec(text)?.[1]?.replaceAll(',,', ',');
}
