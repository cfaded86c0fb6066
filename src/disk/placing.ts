/**
 * A new image comes whole or not at all: it is written beside its place under a name of its own, brought to the disk, and
 * then takes its name in one step. What a killed vsb left is known by that name, and cleared away by the next.
 */
import { createHash } from 'node:crypto';
import { access, constants, link, open, readdir, rename, rm, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fail } from '../errors.ts';
import { hasEnded, ownIdentity } from '../process/identity.ts';

/**
 * @param image absolute path of the new image
 * @param write writes it under the name that it is given
 * @throws DISK_EXISTS where it is there and `replace` is not given, FILE_UNWRITABLE; what `write` throws
 */
export async function placeImage(
  image: string,
  { replace }: { readonly replace: boolean },
  write: (draft: string) => Promise<void>,
): Promise<void> {
  const directory = dirname(image);
  await requireDirectory(image, directory);
  await clearDrafts(image);
  if (!replace && (await isThere(image))) throw fail('DISK_EXISTS', { image });
  const draft = join(
    directory,
    `${prefixOf(image)}${Buffer.from(await ownIdentity()).toString('base64url')}`,
  );
  try {
    await write(draft);
    await sync(draft);
    // A link fails where the name is taken, also where it was taken meanwhile.
    if (replace) await rename(draft, image);
    else await link(draft, image);
    await sync(directory);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw fail('DISK_EXISTS', { image }, { cause: thrown });
    if (code !== undefined && thrown instanceof Error && !('details' in thrown))
      throw fail('FILE_UNWRITABLE', { path: image, why: thrown.message }, { cause: thrown });
    throw thrown;
  } finally {
    await rm(draft, { force: true });
  }
}

/** @param bytes what is going to be written @throws DISK_NO_SPACE */
export async function requireSpace(image: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(image)).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw fail('FILE_UNWRITABLE', { path: image, why }, { cause });
  });
  const free = bavail * bsize;
  if (bytes > free) throw fail('DISK_NO_SPACE', { image, needed: bytes, free });
}

async function requireDirectory(image: string, directory: string): Promise<void> {
  await access(directory, constants.W_OK).catch((cause: unknown) => {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? `there is no directory "${directory}"` : message;
    throw fail('FILE_UNWRITABLE', { path: image, why }, { cause });
  });
}

/** Short whatever the image's name is: a file name has 255 bytes at most. */
function prefixOf(image: string): string {
  return `.vsb-${createHash('sha256').update(basename(image)).digest('hex').slice(0, 12)}-`;
}

/** Drafts of the same image whose writer has ended. */
async function clearDrafts(image: string): Promise<void> {
  const directory = dirname(image);
  const prefix = prefixOf(image);
  for (const name of await readdir(directory).catch(() => [])) {
    if (!name.startsWith(prefix)) continue;
    const writer = Buffer.from(name.slice(prefix.length), 'base64url').toString();
    if (await hasEnded(writer)) await rm(join(directory, name), { force: true });
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await (await open(path, 'r')).close();
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code !== 'ENOENT';
  }
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
