/** Reading a topology as YAML has it, before it is known to be well: what is not there, or of another type, is nothing. */
import type { Found } from './issues.ts';
import type { Path, PointAt } from './yaml.ts';

/** The sections of a file, and where findings go. */
export interface RawFile {
  readonly bridges: ReadonlyMap<string, unknown>;
  readonly networks: ReadonlyMap<string, unknown>;
  readonly profiles: ReadonlyMap<string, unknown>;
  readonly vms: ReadonlyMap<string, unknown>;
  readonly report: (finding: Found) => void;
}

/** Where the file names a device. */
export interface DevicePlace {
  readonly path: Path;
  readonly at: PointAt;
}

/** A NIC, by where it stands. */
export interface NicPlace {
  readonly vm: string;
  /** From 0. */
  readonly index: number;
}

export function pathOf({ vm, index }: NicPlace, ...keys: string[]): Path {
  return ['vms', vm, 'nics', index, ...keys];
}

export function field(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[key];
}

export function entries(value: unknown): ReadonlyMap<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return new Map();
  return new Map(Object.entries(value));
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
