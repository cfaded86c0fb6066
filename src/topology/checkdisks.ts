/** Disks that do not fit together: an image that two would write, or that is its own base. */
import { normalize } from 'node:path/posix';
import { found } from './issues.ts';
import { field, list, text, type RawFile } from './rawvalue.ts';
import type { Path } from './yaml.ts';

export function checkDisks(file: RawFile): void {
  /** Images that a VM writes, or that others are made from. */
  const written = new Map<string, { readonly vm: string; readonly path: Path }>();
  const disks = [...file.vms].flatMap(([vm, entry]) =>
    list(field(entry, 'disks')).map((disk, index) => ({
      vm,
      disk,
      path: ['vms', vm, 'disks', index] as Path,
    })),
  );
  for (const { vm, disk, path } of disks) {
    if (field(disk, 'readOnly') === true && field(disk, 'bus') === 'ide')
      file.report(found('DISK_IDE_READ_ONLY', [...path, 'readOnly'], { vm }));
    const image = text(field(disk, 'image'));
    if (image === undefined || field(disk, 'readOnly') === true) continue;
    const other = written.get(normalize(image));
    if (!other) written.set(normalize(image), { vm, path: [...path, 'image'] });
    else {
      file.report(
        found('DISK_DUPLICATE', [...path, 'image'], (lineOf) => ({
          image,
          vm,
          other: other.vm,
          line: lineOf(other.path, 'value'),
        })),
      );
    }
  }
  for (const { disk, path } of disks) {
    const base = text(field(disk, 'base'));
    const writer = base === undefined ? undefined : written.get(normalize(base));
    if (base === undefined || !writer) continue;
    file.report(
      found('DISK_BASE_WRITTEN', [...path, 'base'], (lineOf) => ({
        base,
        vm: writer.vm,
        line: lineOf(writer.path, 'value'),
      })),
    );
  }
}
