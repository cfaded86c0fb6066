/** The format that an image has by its name. Pure. */
import { extname } from 'node:path';
import type { DiskFormat } from './desired.ts';
import { DISK_DEFAULTS } from './diskschema.ts';

/** By the endings that images have by custom; `.img` is raw. */
const FORMAT_OF_ENDING: Readonly<Record<string, DiskFormat>> = {
  '.img': 'raw',
  '.raw': 'raw',
  '.qcow2': 'qcow2',
  '.vdi': 'vdi',
  '.vhdx': 'vhdx',
  '.vmdk': 'vmdk',
};

/** By the ending, else qcow2. */
export function formatOfImage(path: string): DiskFormat {
  return FORMAT_OF_ENDING[extname(path).toLowerCase()] ?? DISK_DEFAULTS.format;
}
