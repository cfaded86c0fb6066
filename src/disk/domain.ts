/** Disk images as a domain: made where they are missing, grown where they are too small. */
import type { Applied, Domain, FailedChange } from '../domain.ts';
import { toVsbError } from '../errors.ts';
import type { DesiredState } from '../topology/desired.ts';
import { createImage } from './create.ts';
import { diffDisks, disksOf, findingsOnDisks, removalOfDisks } from './diff.ts';
import { inspectImage } from './image.ts';
import { resizeImage } from './resize.ts';
import type { DiskChange, ObservedDisks, ObservedImage } from './types.ts';

/** What it throws besides what the changes themselves report: PROGRAM_MISSING, where there are disks. */
export function diskDomain(): Domain<DesiredState, ObservedDisks, DiskChange> {
  return {
    observe: observeDisks,
    diff: diffDisks,
    removal: removalOfDisks,
    apply: applyToDisks,
    verify: async (desired) => findingsOnDisks(desired, await observeDisks(desired)),
  };
}

async function observeDisks(desired: DesiredState): Promise<ObservedDisks> {
  const disks = disksOf(desired);
  const wanted = new Map<string, string>([
    ...disks.flatMap(({ base }) => (base ? [[base.image, base.format] as const] : [])),
    ...disks.map(({ image, format }) => [image, format] as const),
  ]);
  const images = await Promise.all(
    [...wanted].map(async ([path, format]) => [path, await observeImage(path, format)] as const),
  );
  return { images: new Map(images) };
}

async function observeImage(path: string, format: string): Promise<ObservedImage> {
  try {
    // raw is what any file can be read as; every other format is seen in its header.
    const { users, ...info } = await inspectImage(path, format === 'raw' ? await rawOrNot(path) : undefined);
    return { state: 'there', info, users };
  } catch (thrown) {
    const error = toVsbError(thrown);
    if (error.code === 'PROGRAM_MISSING') throw error;
    return error.code === 'DISK_MISSING' ? { state: 'missing' } : { state: 'unreadable', error };
  }
}

/** An image that has the header of another format is not taken for raw. */
async function rawOrNot(path: string): Promise<'raw' | undefined> {
  try {
    const { format } = await inspectImage(path);
    return format === 'raw' ? 'raw' : undefined;
  } catch (thrown) {
    return toVsbError(thrown).code === 'DISK_FORMAT_UNSURE' ? 'raw' : undefined;
  }
}

async function applyToDisks(changes: readonly DiskChange[]): Promise<Applied> {
  const failed: FailedChange[] = [];
  for (const change of changes) {
    try {
      const { image, format, sizeBytes, base } = change.disk;
      if (change.verb === 'create') await createImage({ image, format, sizeBytes, base });
      else await resizeImage(image, change.sizeBytes, { format });
    } catch (thrown) {
      failed.push({ change, error: toVsbError(thrown) });
    }
  }
  return { failed };
}
