/** What a topology file may say about a disk. */
import { z } from 'zod';
import { size } from './values.ts';

/** Those that qemu-img(1) makes and converts. */
const DISK_FORMATS = ['raw', 'qcow2', 'vmdk', 'vdi', 'vhdx'] as const;

/** Where the file does not say. */
export const DISK_DEFAULTS = Object.freeze({ bus: 'virtio', format: 'qcow2' } as const);

const path = z.string().min(1);

export const disk = z
  .strictObject({
    image: path.describe('The image file, from the directory of this file. Made where it is missing.'),
    size: size
      .optional()
      .describe(
        'What the guest sees, bytes with binary prefixes: 2G. Default: that of the base or the image.',
      ),
    base: path
      .optional()
      .describe('An image that this one begins as and that stays as it is (backing file). Default: none.'),
    format: z
      .enum(DISK_FORMATS)
      .optional()
      .meta({ description: 'Format of the image. Default: by its ending, else qcow2.' }),
    baseFormat: z
      .enum(DISK_FORMATS)
      .optional()
      .meta({ description: 'Format of the base. Default: by its ending, else qcow2.' }),
    bus: z
      .enum(['virtio', 'ide'])
      .default(DISK_DEFAULTS.bus)
      .describe('virtio: fast, needs a driver in the guest; ide: any guest has one.'),
    readOnly: z.boolean().default(false).describe('true: the guest cannot write to it.'),
  })
  .describe('A disk of a VM.');
