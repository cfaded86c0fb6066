/** Makes a new image: raw or qcow2, on a base, spread out or laid out in full, encrypted. Never over another file. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fail, VsbError } from '../errors.ts';
import { readImage } from './image.ts';
import { placeImage, requireSpace } from './placing.ts';
import { qemuImg } from './qemuimg.ts';

export interface CreateOptions {
  /** Absolute path. */
  readonly image: string;
  readonly format: 'raw' | 'qcow2' | 'vmdk' | 'vdi' | 'vhdx';
  /** What the guest sees; `undefined`: as large as the base. */
  readonly sizeBytes: number | undefined;
  /** Backing file; qcow2 only. */
  readonly base?: { readonly image: string; readonly format: string } | undefined;
  /** Takes all of its room now. */
  readonly preallocate?: boolean;
  /** qcow2 only. */
  readonly clusterBytes?: number | undefined;
  /** qcow2 only: how it is compressed where it is. */
  readonly compression?: 'zlib' | 'zstd' | undefined;
  /** LUKS, qcow2 only: the passphrase. */
  readonly secret?: string | undefined;
}

/**
 * @throws DISK_EXISTS, DISK_NEEDS_QCOW2, DISK_SIZE_MISSING, DISK_MISSING and DISK_BASE_MISSING for the base,
 *   DISK_NO_SPACE, DISK_FAILED, FILE_UNWRITABLE, PROGRAM_MISSING
 */
export async function createImage(options: CreateOptions): Promise<void> {
  const { image, format, sizeBytes, base, preallocate = false, clusterBytes, compression, secret } = options;
  const needing = { base, '--cluster-size': clusterBytes, '--compression': compression, '--encrypt': secret };
  for (const [what, value] of Object.entries(needing)) {
    if (value !== undefined && format !== 'qcow2') throw fail('DISK_NEEDS_QCOW2', { image, what, format });
  }
  if (sizeBytes === undefined && base === undefined) throw fail('DISK_SIZE_MISSING', { image });
  // The whole chain is looked at: an image on a broken one starts no guest.
  if (base) await readImage(base.image, base.format);
  if (preallocate) await requireSpace(image, sizeBytes ?? 0);
  const settings = [
    ...(preallocate ? [`preallocation=${format === 'raw' || format === 'qcow2' ? 'falloc' : 'full'}`] : []),
    ...(clusterBytes === undefined ? [] : [`cluster_size=${String(clusterBytes)}`]),
    ...(compression === undefined ? [] : [`compression_type=${compression}`]),
    ...(secret === undefined ? [] : ['encrypt.format=luks', 'encrypt.key-secret=secret']),
  ];
  await placeImage(image, { replace: false }, (draft) =>
    withSecret(secret, (object) =>
      createSteadily(image, [
        'create',
        '-q',
        ...object,
        ...['-f', format],
        ...(base ? ['-b', base.image, '-F', base.format] : []),
        ...(settings.length === 0 ? [] : ['-o', settings.join(',')]),
        draft,
        ...(sizeBytes === undefined ? [] : [String(sizeBytes)]),
      ]),
    ),
  );
}

/**
 * For LUKS, QEMU measures how many rounds of its key derivation take a second, and gives up where the CPU's clock moved
 * too little meanwhile ("Unable to get accurate CPU usage", crypto/pbkdf.c), which happens on a busy virtual machine.
 */
async function createSteadily(image: string, args: readonly string[]): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await qemuImg(image, args);
      return;
    } catch (thrown) {
      const isUnsteady = thrown instanceof VsbError && thrown.message.includes('accurate CPU usage');
      if (!isUnsteady || tries === MOST_TRIES) throw thrown;
    }
  }
}

const MOST_TRIES = 10;

/** The passphrase goes by a file that only we can read, for as long as it takes: command lines are public. */
async function withSecret(
  secret: string | undefined,
  act: (object: readonly string[]) => Promise<unknown>,
): Promise<void> {
  if (secret === undefined) {
    await act([]);
    return;
  }
  const directory = await mkdtemp(join(tmpdir(), 'vsb-secret-'));
  try {
    const file = join(directory, 'secret');
    await writeFile(file, secret, { mode: 0o600 });
    await act(['--object', `secret,id=secret,file=${file}`]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
