/** What an image is: format, sizes, snapshots, the chain of images below it (`qemu-img info`). */
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { z } from 'zod';
import { fail } from '../errors.ts';
import { qemuImg } from './qemuimg.ts';
import { findImageUsers, type ImageUser } from './users.ts';

export interface Snapshot {
  readonly id: string;
  readonly name: string;
  /** ISO 8601. */
  readonly at: string;
  /** State of a running machine, in bytes; 0 for a snapshot of the disk alone. */
  readonly vmStateBytes: number;
}

/** An image of a chain. */
export interface ChainLink {
  readonly image: string;
  readonly format: string;
}

export interface ImageInfo extends ChainLink {
  /** What the guest sees. */
  readonly virtualBytes: number;
  /** What it takes on the disk of the host. */
  readonly allocatedBytes: number;
  /** The length of the file, holes included. */
  readonly fileBytes: number;
  readonly clusterBytes: number | undefined;
  readonly compression: string | undefined;
  readonly isEncrypted: boolean;
  /** Marked by QEMU as damaged. */
  readonly isCorrupt: boolean;
  readonly snapshots: readonly Snapshot[];
  /** The images below, the next one first. */
  readonly chain: readonly ChainLink[];
}

const infoSchema = z.array(
  z.object({
    filename: z.string(),
    format: z.string(),
    'virtual-size': z.number(),
    'actual-size': z.number().default(0),
    'cluster-size': z.number().optional(),
    encrypted: z.boolean().default(false),
    'full-backing-filename': z.string().optional(),
    snapshots: z
      .array(
        z.object({ id: z.string(), name: z.string(), 'vm-state-size': z.number(), 'date-sec': z.number() }),
      )
      .default([]),
    'format-specific': z
      .object({
        data: z
          .object({ 'compression-type': z.string().optional(), corrupt: z.boolean().optional() })
          .optional(),
      })
      .optional(),
  }),
);

/** Where raw is what was meant, and not what qemu-img calls a file that it does not know. */
const RAW_ENDINGS = new Set(['.raw', '.img', '.iso']);

/**
 * Reads an image without locking it, so also one that is in use.
 * @param image absolute path
 * @param format as it is to be read; `undefined`: as it looks, and raw only where its name ends in .raw, .img or .iso
 * @throws DISK_MISSING, DISK_FORMAT_UNSURE, DISK_BASE_MISSING, DISK_FAILED, PROGRAM_MISSING
 */
export async function readImage(image: string, format?: string): Promise<ImageInfo> {
  const file = await stat(image).catch(() => undefined);
  if (!file?.isFile()) throw fail('DISK_MISSING', { image, why: file ? 'it is no file' : 'it is not there' });
  const said = await readChain(image, format);
  const [info, ...below] = said;
  if (!info) throw fail('DISK_FAILED', { image, said: 'qemu-img told nothing of it' });
  if (format === undefined && info.format === 'raw' && !RAW_ENDINGS.has(extname(image).toLowerCase()))
    throw fail('DISK_FORMAT_UNSURE', { image });
  return {
    image,
    format: info.format,
    virtualBytes: info['virtual-size'],
    allocatedBytes: info['actual-size'],
    fileBytes: file.size,
    clusterBytes: info['cluster-size'],
    compression: info['format-specific']?.data?.['compression-type'],
    isEncrypted: info.encrypted,
    isCorrupt: info['format-specific']?.data?.corrupt ?? false,
    snapshots: info.snapshots.map(({ id, name, ...snapshot }) => ({
      id,
      name,
      at: new Date(snapshot['date-sec'] * 1000).toISOString(),
      vmStateBytes: snapshot['vm-state-size'],
    })),
    chain: below.map((one) => ({ image: one.filename, format: one.format })),
  };
}

/** The image with who has it open. */
export async function inspectImage(
  image: string,
  format?: string,
): Promise<ImageInfo & { readonly users: readonly ImageUser[] }> {
  return { ...(await readImage(image, format)), users: await findImageUsers(image) };
}

async function readChain(image: string, format: string | undefined): Promise<z.output<typeof infoSchema>> {
  const read = async (chain: boolean): Promise<z.output<typeof infoSchema>> => {
    const options = [...(chain ? ['--backing-chain'] : []), ...(format === undefined ? [] : ['-f', format])];
    const json: unknown = JSON.parse(
      await qemuImg(image, ['info', '-U', '--output=json', ...options, image]),
    );
    return infoSchema.parse(Array.isArray(json) ? json : [json]);
  };
  const [alone] = await read(false);
  if (alone?.['full-backing-filename'] === undefined) return alone ? [alone] : [];
  try {
    return await read(true);
  } catch (cause) {
    throw fail('DISK_BASE_MISSING', { image, base: alone['full-backing-filename'] }, { cause });
  }
}
