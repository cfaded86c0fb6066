/** Disks on QEMU's command line (qemu(1), `-blockdev` and `-device`). Pure. */
import type { DesiredDisk } from '../topology/desired.ts';
import { value } from './option-value.ts';

/** QEMU's name of a disk on each bus. */
const DEVICES: Readonly<Record<DesiredDisk['bus'], string>> = { virtio: 'virtio-blk-pci', ide: 'ide-hd' };

/**
 * The arguments of the disks. The format is said outright: QEMU would guess it from what the guest has written. QEMU locks
 * the image, so no other writes to it meanwhile.
 * @param boots whether the guest starts from them, the first of them first
 */
export function diskArgs(disks: readonly DesiredDisk[], boots: boolean): string[] {
  return disks.flatMap(({ index, image, format, bus, readOnly }) => {
    const node = `disk${String(index)}`;
    const isReadOnly = `read-only=${readOnly ? 'on' : 'off'}`;
    const file = `file.driver=file,file.filename=${value(image)}`;
    const boot = boots ? `,bootindex=${String(index + 1)}` : '';
    return [
      ...['-blockdev', `driver=${format},node-name=${node},${isReadOnly},${file}`],
      ...['-device', `${DEVICES[bus]},drive=${node},id=${node}-device${boot}`],
    ];
  });
}
