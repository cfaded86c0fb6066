/** Another image with the same contents: checked first, space seen to, whole or not there at all. The source is only read. */
import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { fail } from '../errors.ts';
import { requireWhole } from './check.ts';
import { readImage, type ImageInfo } from './image.ts';
import { placeImage, requireSpace } from './placing.ts';
import { qemuImg, qemuImgWithProgress } from './qemuimg.ts';
import { requireUnused } from './users.ts';

export interface ConvertOptions {
  /** Absolute paths. */
  readonly source: string;
  readonly target: string;
  /** `undefined`: as it looks. */
  readonly sourceFormat?: string | undefined;
  readonly format: string;
  readonly compress: boolean;
  /** An internal snapshot of the source, by its name. */
  readonly snapshot?: string | undefined;
  /** Whether a file that is there goes when the new one is whole. */
  readonly replace: boolean;
  /** Per cent. */
  readonly onProgress?: (percent: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * @throws what readImage, requireWhole and placeImage throw; DISK_SAME; DISK_IN_USE; DISK_SNAPSHOT_UNKNOWN; DISK_NO_SPACE;
 *   DISK_ENCRYPTED; CANCELLED
 */
export async function convertImage(options: ConvertOptions): Promise<void> {
  const { source, target, format, compress, snapshot, replace, onProgress, signal } = options;
  const info = await readImage(source, options.sourceFormat);
  await requireApart(target, info);
  if (info.isEncrypted) throw fail('DISK_ENCRYPTED', { image: source });
  await Promise.all([requireUnused(source), requireUnused(target)]);
  if (snapshot !== undefined && !info.snapshots.some(({ name }) => name === snapshot))
    throw fail('DISK_SNAPSHOT_UNKNOWN', {
      image: source,
      snapshot,
      known: info.snapshots.map(({ name }) => name),
    });
  const [neededBytes] = await Promise.all([
    // What a compressed image takes nobody knows before.
    compress ? 0 : measure(source, info.format, format, snapshot),
    requireWhole(info),
  ]);
  await requireSpace(target, neededBytes);
  const from = snapshot === undefined ? [] : ['-l', `snapshot.name=${snapshot}`];
  await placeImage(target, { replace }, (draft) =>
    qemuImgWithProgress(
      target,
      ['convert', '-p', ...(compress ? ['-c'] : []), ...from, '-f', info.format, '-O', format, source, draft],
      { onProgress, signal },
    ),
  );
}

/** A target that is a part of the source, by whatever name, would be replaced, and the source with it. @throws DISK_SAME */
async function requireApart(target: string, source: ImageInfo): Promise<void> {
  const place = await stat(target).catch(() => undefined);
  for (const { image } of [source, ...source.chain]) {
    const part = await stat(image).catch(() => undefined);
    if (image === target || (place && part?.dev === place.dev && part.ino === place.ino))
      throw fail('DISK_SAME', { image });
  }
}

const measureSchema = z.object({ required: z.number() });

/** Bytes; qemu-img knows it of raw and qcow2, and what the others take is about what raw does. */
async function measure(
  source: string,
  sourceFormat: string,
  format: string,
  snapshot: string | undefined,
): Promise<number> {
  const known = format === 'qcow2' ? 'qcow2' : 'raw';
  const from = snapshot === undefined ? [] : ['-l', `snapshot.name=${snapshot}`];
  const json = await qemuImg(source, [
    'measure',
    '--output=json',
    ...from,
    '-f',
    sourceFormat,
    '-O',
    known,
    source,
  ]);
  return measureSchema.parse(JSON.parse(json)).required;
}
