/** Another size of what the guest sees. Growing loses nothing; shrinking cuts off the end, so it is asked for by name. */
import { basename } from 'node:path';
import { fail } from '../errors.ts';
import { readImage, type ImageInfo } from './image.ts';
import { requireSpace } from './placing.ts';
import { qemuImg } from './qemuimg.ts';
import { requireUnused } from './users.ts';

/**
 * @param confirmed the name that somebody typed for shrinking; must be the image's
 * @returns the image as it was before
 * @throws what readImage throws; DISK_IN_USE; DISK_SHRINKS where it would get smaller and nobody typed its name;
 *   DISK_NEEDS_QCOW2 for shrinking other formats than raw and qcow2; DISK_NO_SPACE; DISK_FAILED
 */
export async function resizeImage(
  image: string,
  sizeBytes: number,
  {
    format,
    confirmed,
  }: { readonly format?: string | undefined; readonly confirmed?: string | undefined } = {},
): Promise<ImageInfo> {
  const info = await readImage(image, format);
  await requireUnused(image);
  const shrinks = sizeBytes < info.virtualBytes;
  if (shrinks) {
    if (info.format !== 'qcow2' && info.format !== 'raw')
      throw fail('DISK_NEEDS_QCOW2', { image, what: 'shrinking', format: info.format });
    if (confirmed !== basename(image))
      throw fail('DISK_SHRINKS', { image, from: info.virtualBytes, to: sizeBytes, name: basename(image) });
  }
  if (info.isEncrypted) throw fail('DISK_ENCRYPTED', { image });
  if (info.format === 'raw' && info.allocatedBytes >= info.virtualBytes && !shrinks)
    await requireSpace(image, sizeBytes - info.virtualBytes);
  await qemuImg(image, [
    'resize',
    '-q',
    ...(shrinks ? ['--shrink'] : []),
    '-f',
    info.format,
    image,
    String(sizeBytes),
  ]);
  return info;
}
