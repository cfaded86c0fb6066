/**
 * What is ours: the only file that decides it. A row that we inserted or adopted carries the owner mark; a setting of
 * ours on a row that is not carries a note of its own. Pure.
 */

/** The mark: `external_ids:vswitchboard=<topology name>`. */
export const OWNER_KEY = 'vswitchboard';

/** Whose VM NIC an Interface row is for, in names; written beside the field's own keys, which hold UUIDs. */
export const VM_KEY = 'vswitchboard-vm';
export const NIC_KEY = 'vswitchboard-nic';
export const NETWORK_KEY = 'vswitchboard-network';

type ExternalIds = ReadonlyMap<string, string>;

/** The topology that owns the row, or `undefined` where no topology does. */
export function ownerOf(externalIds: ExternalIds): string | undefined {
  return externalIds.get(OWNER_KEY);
}

/** True where this topology owns the row. */
export function isOwnedBy(topology: string, externalIds: ExternalIds): boolean {
  return externalIds.get(OWNER_KEY) === topology;
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
