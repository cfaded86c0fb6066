/** What the disk domain sees, and what it changes. Types only. */
import type { Change } from '../domain.ts';
import type { VsbError } from '../errors.ts';
import type { DesiredDisk } from '../topology/desired.ts';
import type { ImageInfo } from './image.ts';
import type { ImageUser } from './users.ts';

export type ObservedImage =
  | { readonly state: 'missing' }
  | { readonly state: 'there'; readonly info: ImageInfo; readonly users: readonly ImageUser[] }
  /** It is there and cannot be read as what it should be. */
  | { readonly state: 'unreadable'; readonly error: VsbError };

/** By path; those that the topology names, and their bases. */
export interface ObservedDisks {
  readonly images: ReadonlyMap<string, ObservedImage>;
}

interface ImageChange extends Change {
  readonly domain: 'disk';
  readonly kind: 'image';
  readonly disk: DesiredDisk;
}

export interface CreateChange extends ImageChange {
  readonly verb: 'create';
}

export interface GrowChange extends ImageChange {
  readonly verb: 'update';
  readonly sizeBytes: number;
}

export type DiskChange = CreateChange | GrowChange;
