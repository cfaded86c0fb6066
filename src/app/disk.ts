/** Disk images, for the verb `disk`: paths as a person writes them become absolute, formats follow names. */
import { resolve as toAbsolute } from 'node:path';
import { checkImage, type CheckOutcome } from '../disk/check.ts';
import { convertImage } from '../disk/convert.ts';
import { createImage, type CreateOptions } from '../disk/create.ts';
import { inspectImage, type ImageInfo } from '../disk/image.ts';
import { resizeImage } from '../disk/resize.ts';
import { formatOfImage } from '../topology/imageformat.ts';
import { applySnapshot, createSnapshot, deleteSnapshot } from '../disk/snapshot.ts';

export type DiskFormat = CreateOptions['format'];

/** An image with who has it open. */
export type DiskReport = Awaited<ReturnType<typeof inspectImage>>;

export type DiskCreateOptions = Omit<CreateOptions, 'image' | 'format' | 'base'> & {
  /** Default: by the ending, else qcow2. */
  readonly format?: DiskFormat | undefined;
  readonly base?: string | undefined;
  /** Default: as it looks. */
  readonly baseFormat?: string | undefined;
};

/** Makes an image. @returns what it is @throws what disk/create.ts throws */
export async function createDisk(path: string, options: DiskCreateOptions): Promise<DiskReport> {
  const { format, base, baseFormat, ...others } = options;
  const image = toAbsolute(path);
  const backing = base === undefined ? undefined : await inspectImage(toAbsolute(base), baseFormat);
  const chosen = format ?? formatOfImage(image);
  await createImage({
    ...others,
    image,
    format: chosen,
    base: backing && { image: backing.image, format: backing.format },
  });
  return inspectImage(image, chosen);
}

/** @throws what disk/image.ts throws */
export function diskInfo(path: string, format?: string): Promise<DiskReport> {
  return inspectImage(toAbsolute(path), format);
}

/** @throws what disk/check.ts throws */
export function checkDisk(path: string, format?: string): Promise<{ format: string; outcome: CheckOutcome }> {
  return checkImage(toAbsolute(path), format);
}

export interface DiskConvertOptions {
  readonly format?: DiskFormat | undefined;
  readonly sourceFormat?: string | undefined;
  readonly compress: boolean;
  readonly snapshot?: string | undefined;
  readonly replace: boolean;
  readonly onProgress?: (percent: number) => void;
  readonly signal?: AbortSignal;
}

/** Writes the same contents as another image. @throws what disk/convert.ts throws */
export async function convertDisk(
  from: string,
  to: string,
  { format, ...options }: DiskConvertOptions,
): Promise<DiskReport> {
  const target = toAbsolute(to);
  const chosen = format ?? formatOfImage(target);
  await convertImage({ ...options, source: toAbsolute(from), target, format: chosen });
  return inspectImage(target, chosen);
}

/**
 * @param size bytes, or how many more
 * @returns as it was, and its new size
 * @throws what disk/resize.ts throws
 */
export async function resizeDisk(
  path: string,
  size: { readonly bytes: number; readonly isMore: boolean },
  options: { readonly format?: string | undefined; readonly confirmed?: string | undefined },
): Promise<{ readonly before: ImageInfo; readonly bytes: number }> {
  const image = toAbsolute(path);
  const { virtualBytes } = await inspectImage(image, options.format);
  const bytes = size.isMore ? virtualBytes + size.bytes : size.bytes;
  return { before: await resizeImage(image, bytes, options), bytes };
}

/** What can be done with an internal snapshot. */
export const SNAPSHOT_ACTIONS = {
  create: (path: string, name: string) => createSnapshot(toAbsolute(path), name),
  delete: (path: string, name: string) => deleteSnapshot(toAbsolute(path), name),
  apply: (path: string, name: string) => applySnapshot(toAbsolute(path), name),
} as const;
