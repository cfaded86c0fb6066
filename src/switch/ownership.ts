/**
 * What is ours: the only file that decides it. A row that we inserted or adopted carries the owner mark; a setting of
 * ours on a row that is not carries a note of its own. Pure.
 */
import { ADOPTED_KEY, OWNER_KEY } from '../units/externalids.ts';

type ExternalIds = ReadonlyMap<string, string>;

/** The topology that owns the row, or `undefined` where no topology does. */
export function ownerOf(externalIds: ExternalIds): string | undefined {
  return externalIds.get(OWNER_KEY);
}

/** True where this topology owns the row. */
export function isOwnedBy(topology: string, externalIds: ExternalIds): boolean {
  return externalIds.get(OWNER_KEY) === topology;
}

/** True for a row that was there before us: it is let go, not removed. */
export function isAdopted(externalIds: ExternalIds): boolean {
  return externalIds.has(ADOPTED_KEY);
}

/** A setting of ours on a row of somebody else. Values are as ovs-vsctl prints them. */
export interface SettingNote {
  readonly topology: string;
  /** What we set. */
  readonly value: string;
  /** What was there before us, to be put back. */
  readonly before: string;
}

/** The key of the note on a column: `vswitchboard/rstp_enable`. */
export function noteKey(column: string): string {
  return `${OWNER_KEY}/${column}`;
}

/** The note as text: topology, our value, the value before us, with single spaces (no value has one). */
export function renderNote(note: SettingNote): string {
  return `${note.topology} ${note.value} ${note.before}`;
}

/** The note on a column, or `undefined` where there is none of this topology. */
export function noteOn(column: string, topology: string, externalIds: ExternalIds): SettingNote | undefined {
  const [owner, value, before] = (externalIds.get(noteKey(column)) ?? '').split(' ');
  if (owner !== topology || value === undefined || before === undefined) return undefined;
  return { topology, value, before };
}
