/** Internal snapshots of a qcow2 image. Names are told apart here: qemu-img takes the same one twice. */
import { fail } from '../errors.ts';
import { readImage, type ImageInfo } from './image.ts';
import { qemuImg } from './qemuimg.ts';
import { requireUnused } from './users.ts';

/** @throws what readImage throws; DISK_NEEDS_QCOW2, DISK_IN_USE, DISK_SNAPSHOT_EXISTS, DISK_SNAPSHOT_NAME, DISK_FAILED */
export async function createSnapshot(image: string, name: string): Promise<void> {
  const { snapshots } = await readable(image);
  // A number would be taken for an id, and a dash for an option.
  if (!/^(?!\d+$)[^\s-][^\n]{0,127}$/.test(name)) throw fail('DISK_SNAPSHOT_NAME', { name });
  if (snapshots.some((one) => one.name === name))
    throw fail('DISK_SNAPSHOT_EXISTS', { image, snapshot: name });
  await qemuImg(image, ['snapshot', '-q', '-c', name, image]);
}

/** @throws as createSnapshot; DISK_SNAPSHOT_UNKNOWN */
export async function deleteSnapshot(image: string, name: string): Promise<void> {
  await requireSnapshot(await readable(image), name);
  await qemuImg(image, ['snapshot', '-q', '-d', name, image]);
}

/** What was written since is lost. @throws as deleteSnapshot */
export async function applySnapshot(image: string, name: string): Promise<void> {
  await requireSnapshot(await readable(image), name);
  await qemuImg(image, ['snapshot', '-q', '-a', name, image]);
}

async function readable(image: string): Promise<ImageInfo> {
  const info = await readImage(image);
  if (info.format !== 'qcow2')
    throw fail('DISK_NEEDS_QCOW2', { image, what: 'a snapshot', format: info.format });
  await requireUnused(image);
  return info;
}

function requireSnapshot({ image, snapshots }: ImageInfo, snapshot: string): Promise<void> {
  const known = snapshots.map(({ name }) => name);
  if (!known.includes(snapshot)) throw fail('DISK_SNAPSHOT_UNKNOWN', { image, snapshot, known });
  // Two of a name, made by others: which one is meant nobody can say.
  if (known.filter((name) => name === snapshot).length > 1)
    throw fail('DISK_SNAPSHOT_AMBIGUOUS', { image, snapshot });
  return Promise.resolve();
}
