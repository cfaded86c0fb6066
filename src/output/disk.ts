/** A disk image, for people. Pure. */
import { renderLeftColumns } from './leftcolumns.ts';
import { toPrintable } from '../units/printable.ts';

/** As disk/image.ts has it. */
export interface DiskView {
  readonly image: string;
  readonly format: string;
  readonly virtualBytes: number;
  readonly allocatedBytes: number;
  readonly fileBytes: number;
  readonly clusterBytes: number | undefined;
  readonly compression: string | undefined;
  readonly isEncrypted: boolean;
  readonly isCorrupt: boolean;
  readonly snapshots: readonly SnapshotView[];
  readonly chain: readonly { readonly image: string; readonly format: string }[];
  readonly users: readonly { readonly words: string }[];
}

export interface SnapshotView {
  readonly id: string;
  readonly name: string;
  readonly at: string;
  readonly vmStateBytes: number;
}

/** One line for each property; snapshots and chain as lists. */
export function renderDisk(disk: DiskView): string {
  const [below, ...deeper] = disk.chain;
  const properties: [string, string | undefined][] = [
    ['image', disk.image],
    ['format', `${disk.format}${disk.isEncrypted ? ', encrypted' : ''}${disk.isCorrupt ? ', DAMAGED' : ''}`],
    ['virtual size', renderSize(disk.virtualBytes)],
    ['allocated', renderSize(disk.allocatedBytes)],
    ['file', renderSize(disk.fileBytes)],
    ['clusters', disk.clusterBytes === undefined ? undefined : renderSize(disk.clusterBytes)],
    ['compression', disk.compression],
    ['base', below && `${below.image} (${below.format})`],
    ...deeper.map(({ image, format }): [string, string] => ['  on', `${image} (${format})`]),
    ['used by', disk.users.length === 0 ? 'nobody' : disk.users.map(({ words }) => words).join(', ')],
  ];
  const lines = properties.flatMap(([name, value]) =>
    value === undefined ? [] : [`${name.padEnd(13)} ${value}`],
  );
  const snapshots = disk.snapshots.length === 0 ? '' : `\n${renderSnapshots(disk.snapshots)}`;
  return `${lines.map(toPrintable).join('\n')}\n${snapshots}`;
}

/** A table; a line where there are none. */
export function renderSnapshots(snapshots: readonly SnapshotView[]): string {
  if (snapshots.length === 0) return 'no snapshots\n';
  const rows = [
    ['ID', 'SNAPSHOT', 'AT', 'VM STATE'],
    ...snapshots.map(({ id, name, at, vmStateBytes }) => [
      id,
      name,
      at,
      vmStateBytes === 0 ? '-' : renderSize(vmStateBytes),
    ]),
  ].map((row) => row.map(toPrintable));
  return renderLeftColumns(rows);
}

const PREFIXES = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** Binary, as disks are made: `2 GiB (2147483648 bytes)`. */
export function renderSize(bytes: number): string {
  let [value, step] = [bytes, 0];
  while (value >= 1024 && step < PREFIXES.length - 1) [value, step] = [value / 1024, step + 1];
  const rounded = Number.isInteger(value) ? String(value) : value.toFixed(value < 10 ? 2 : 1);
  return step === 0 ? `${rounded} B` : `${rounded} ${PREFIXES[step] ?? ''} (${String(bytes)} bytes)`;
}
