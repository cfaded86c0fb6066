/**
 * Compares the images that a topology wants with those that are there. Pure. An image is data: it is made where it is
 * missing and grown where it is too small, and never shrunk, overwritten or removed.
 */
import type { Diff, Finding, Refusal } from '../domain.ts';
import { fail, type VsbError } from '../errors.ts';
import type { DesiredDisk, DesiredState } from '../topology/desired.ts';
import type { DiskChange, ObservedDisks } from './types.ts';

/** Sorted by path. */
export function diffDisks(desired: DesiredState, observed: ObservedDisks): Diff<DiskChange> {
  const disks = disksOf(desired);
  const found = disks.map((disk) => ({ disk, ...compare(disk, observed) }));
  return {
    changes: found.flatMap(({ change }) => change ?? []).sort(byName),
    refusals: found
      .flatMap(({ disk, error }): Refusal[] =>
        error ? [{ domain: 'disk', kind: 'image', name: disk.image, error }] : [],
      )
      .sort(byName),
  };
}

/** Nothing: images stay, and say so. */
export function removalOfDisks(_topologyName: string, { images }: ObservedDisks): Diff<DiskChange> {
  const there = [...images].filter(([, { state }]) => state !== 'missing').map(([path]) => path);
  if (there.length === 0) return { changes: [], refusals: [] };
  return { changes: [], refusals: [], notes: [`disk images are data and stay: ${there.sort().join(', ')}`] };
}

/** What is not as the topology says, although everything was applied. */
export function findingsOnDisks(desired: DesiredState, observed: ObservedDisks): readonly Finding[] {
  const { changes, refusals } = diffDisks(desired, observed);
  const findings = [
    ...changes.map(({ name, reason }) => ({
      name,
      error: fail('DISK_DIFFERS', { image: name, how: reason }),
    })),
    ...refusals,
  ];
  return findings
    .map(({ name, error: { code, message } }): Finding => ({
      domain: 'disk',
      code,
      kind: 'image',
      name,
      message,
    }))
    .sort(byName);
}

/** An image that several VMs read is one. */
export function disksOf(desired: DesiredState): DesiredDisk[] {
  const disks = desired.vms.flatMap((vm) => vm.disks);
  const byImage = new Map<string, DesiredDisk>();
  for (const disk of disks) if (!byImage.has(disk.image) || !disk.readOnly) byImage.set(disk.image, disk);
  return [...byImage.values()];
}

function compare(
  disk: DesiredDisk,
  { images }: ObservedDisks,
): { readonly change?: DiskChange | undefined; readonly error?: VsbError | undefined } {
  const { image, base, format, sizeBytes, vm, readOnly } = disk;
  const there = images.get(image) ?? { state: 'missing' as const };
  switch (there.state) {
    case 'unreadable':
      return { error: there.error };
    case 'missing': {
      if (readOnly) return { error: fail('DISK_MISSING', { image, why: 'it is not there, and read-only' }) };
      if (sizeBytes === undefined && !base) return { error: fail('DISK_SIZE_MISSING', { image }) };
      if (base && format !== 'qcow2')
        return { error: fail('DISK_NEEDS_QCOW2', { image, what: 'a base', format }) };
      const below = base && images.get(base.image);
      if (below?.state === 'unreadable') return { error: below.error };
      if (base && below?.state !== 'there')
        return { error: fail('DISK_BASE_MISSING', { image, base: base.image }) };
      return { change: creation(disk) };
    }
    case 'there': {
      const { info, users } = there;
      if (info.format !== format)
        return { error: fail('DISK_FORMAT_DIFFERS', { image, is: info.format, wanted: format }) };
      const isBase = info.chain[0]?.image;
      if (base !== undefined && isBase !== base.image)
        return { error: fail('DISK_BASE_DIFFERS', { image, is: isBase, wanted: base.image }) };
      if (sizeBytes === undefined || sizeBytes === info.virtualBytes) return {};
      if (sizeBytes < info.virtualBytes)
        return { error: fail('DISK_WOULD_SHRINK', { image, is: info.virtualBytes, wanted: sizeBytes }) };
      if (readOnly) return {};
      if (users.length > 0)
        return { error: fail('DISK_IN_USE', { image, users: users.map(({ words }) => words) }) };
      return {
        change: {
          domain: 'disk',
          verb: 'update',
          kind: 'image',
          name: image,
          reason: `VM ${vm} wants it larger; its partitions and file systems stay as they are`,
          impact: 'none',
          fields: [{ field: 'size', from: String(info.virtualBytes), to: String(sizeBytes) }],
          disk,
          sizeBytes,
        },
      };
    }
  }
}

function creation(disk: DesiredDisk): DiskChange {
  const { image, vm, format, sizeBytes, base } = disk;
  const settings = { format, size: sizeBytes?.toString(), base: base?.image };
  return {
    domain: 'disk',
    verb: 'create',
    kind: 'image',
    name: image,
    reason: `VM ${vm} has no such disk yet`,
    impact: 'none',
    fields: Object.entries(settings).flatMap(([field, to]) =>
      to === undefined ? [] : [{ field, from: undefined, to }],
    ),
    disk,
  };
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
