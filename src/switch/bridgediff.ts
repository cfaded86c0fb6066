/** Bridges and their settings: desired against observed. Pure. */
import type { FieldChange, Refusal } from '../domain.ts';
import { fail, type VsbError } from '../errors.ts';
import type { DesiredBridge, DesiredState } from '../topology/desired.ts';
import type { BridgeColumns, MapEdit, SwitchChange } from './change.ts';
import type { ObservedBridge, ObservedSwitch } from './observed.ts';
import { isAdopted, isOwnedBy, noteKey, noteOn, ownerOf, renderNote } from './ownership.ts';
import { ADOPTED_KEY, OWNER_KEY, VISIBILITY_KEY } from '../units/externalids.ts';

/** Changes and refusals for the bridges that a topology names. */
export function bridgeChanges(
  desired: DesiredState,
  observed: ObservedSwitch,
): { changes: SwitchChange[]; refusals: Refusal[] } {
  const changes: SwitchChange[] = [];
  const refusals: Refusal[] = [];
  for (const bridge of desired.bridges) {
    const there = observed.bridges.get(bridge.name);
    if (!there) {
      // A member of a bond has a name too, and is no port of that name.
      const port = observed.ports.get(observed.portOfInterface.get(bridge.name) ?? bridge.name);
      if (port) {
        refusals.push(
          refusal(bridge.name, fail('BRIDGE_NAME_TAKEN', { name: bridge.name, bridge: port.bridge })),
        );
      } else changes.push(creation(desired.name, bridge, observed));
      continue;
    }
    const owner = ownerOf(there.externalIds);
    if (owner !== desired.name && !bridge.adopt && wrongDatapath(bridge, there)) {
      refusals.push(
        refusal(
          bridge.name,
          fail('BRIDGE_NOT_OURS', {
            bridge: bridge.name,
            setting: 'datapath',
            is: there.datapathType || 'system',
            wanted: bridge.datapath,
          }),
        ),
      );
      continue;
    }
    const change = update(desired.name, bridge, there);
    if (change) changes.push(change);
  }
  return { changes, refusals };
}

/** Bridges of ours that nothing wants, and our settings on bridges of others that the topology no longer names. */
export function bridgeRemovals(
  topology: string,
  observed: ObservedSwitch,
  wantedPorts: ReadonlySet<string>,
  wantedBridges: ReadonlySet<string>,
): SwitchChange[] {
  const changes: SwitchChange[] = [];
  for (const bridge of observed.bridges.values()) {
    if (wantedBridges.has(bridge.name)) continue;
    if (!isOwnedBy(topology, bridge.externalIds)) {
      const change = restoration(topology, bridge);
      if (change) changes.push(change);
      continue;
    }
    const staying = bridge.portNames.filter((name) => {
      const port = observed.ports.get(name);
      if (!port || name === bridge.name) return false;
      // A wanted port of this bridge is on its way to another one.
      if (wantedPorts.has(name)) return false;
      return !isOwnedBy(topology, port.externalIds) || isAdopted(port.externalIds);
    });
    if (isAdopted(bridge.externalIds)) {
      changes.push(release(topology, bridge, 'it was adopted, not made by this topology'));
    } else if (staying.length > 0) {
      changes.push(
        release(
          topology,
          bridge,
          `${staying.join(', ')} on it ${staying.length === 1 ? 'belongs' : 'belong'} to others`,
        ),
      );
    } else changes.push(removal(bridge));
  }
  return changes;
}

/** The datapath that a bridge has once the plan is done. */
export function datapathOf(
  { name, datapath }: DesiredBridge,
  { bridges, kernelDatapath }: Pick<ObservedSwitch, 'bridges' | 'kernelDatapath'>,
): string {
  if (datapath !== 'auto') return datapath;
  const there = bridges.get(name);
  if (there) return there.datapathType || 'system';
  return kernelDatapath ? 'system' : 'netdev';
}

function creation(topology: string, bridge: DesiredBridge, observed: ObservedSwitch): SwitchChange {
  const columns: BridgeColumns = {
    datapath_type: datapathOf(bridge, observed),
    ...(bridge.rstp === undefined ? {} : { rstp_enable: bridge.rstp }),
    ...(bridge.mcastSnooping === undefined ? {} : { mcast_snooping_enable: bridge.mcastSnooping }),
  };
  return {
    domain: 'switch',
    verb: 'create',
    kind: 'Bridge',
    name: bridge.name,
    reason: 'it is not there yet',
    impact: 'none',
    fields: Object.entries(columns).map(([field, value]) => ({ field, from: undefined, to: String(value) })),
    edit: {
      edit: 'create-bridge',
      name: bridge.name,
      columns,
      owner: topology,
      visibility: notedVisibility(bridge),
    },
  };
}

function wrongDatapath(bridge: DesiredBridge, there: ObservedBridge): boolean {
  return bridge.datapath !== 'auto' && (there.datapathType || 'system') !== bridge.datapath;
}

function refusal(name: string, error: VsbError): Refusal {
  return { domain: 'switch', kind: 'Bridge', name, error };
}

/**
 * Each setting that we change is noted with what was there before, also on a bridge of ours: an admin may have set it by
 * hand before the file named it. A setting that the file no longer names goes back to what it was.
 */
function update(topology: string, bridge: DesiredBridge, there: ObservedBridge): SwitchChange | undefined {
  const { columns, fields } = settingDifferences(bridge, there);
  const set = new Map<string, string>();
  const remove: string[] = [];
  for (const column of SWITCHES) {
    const value = columns[column];
    if (value === undefined) continue;
    const before = noteOn(column, topology, there.externalIds)?.before ?? String(!value);
    if (before === String(value)) remove.push(noteKey(column));
    else set.set(noteKey(column), renderNote({ topology, value: String(value), before }));
  }
  const dropped = notedSettings(topology, there).filter(({ column }) => wanted(bridge, column) === undefined);
  restore(dropped, columns, fields);
  remove.push(...dropped.map(({ column }) => noteKey(column)));
  const isOurs = isOwnedBy(topology, there.externalIds);
  const isNew = !isOurs && bridge.adopt;
  if (isOurs || isNew) noteVisibility(bridge, there, { set, remove, fields });
  if (isNew) set.set(OWNER_KEY, topology).set(ADOPTED_KEY, 'true');
  if (fields.length === 0 && dropped.length === 0 && !isNew) return undefined;
  const reason = isNew ? 'it was made by something else and `adopt: true` takes it over' : 'settings differ';
  return toUpdate(there, reason, columns, fields, { set, remove });
}

/** What is to be counted stands on the bridge, so that whoever reads the database knows its flows. */
function noteVisibility(
  bridge: DesiredBridge,
  there: ObservedBridge,
  into: { readonly set: Map<string, string>; readonly remove: string[]; readonly fields: FieldChange[] },
): void {
  const is = there.externalIds.get(VISIBILITY_KEY);
  const wanted = notedVisibility(bridge);
  if (is === wanted) return;
  if (wanted === undefined) into.remove.push(VISIBILITY_KEY);
  else into.set.set(VISIBILITY_KEY, wanted);
  into.fields.push({ field: 'visibility', from: is ?? 'ports', to: wanted ?? 'ports' });
}

function notedVisibility({ visibility }: DesiredBridge): 'pairs' | undefined {
  return visibility === 'pairs' ? visibility : undefined;
}

/** Puts our settings on a bridge of somebody else back, where they are still as we set them. */
function restoration(topology: string, there: ObservedBridge): SwitchChange | undefined {
  const noted = notedSettings(topology, there);
  if (noted.length === 0) return undefined;
  const columns: BridgeColumns = {};
  const fields: FieldChange[] = [];
  restore(noted, columns, fields);
  const remove = noted.map(({ column }) => noteKey(column));
  return toUpdate(there, 'our settings on it are put back', columns, fields, { set: new Map(), remove });
}

function restore(noted: readonly NotedSetting[], columns: BridgeColumns, fields: FieldChange[]): void {
  for (const { column, value, before, isStillOurs } of noted) {
    if (!isStillOurs) continue;
    columns[column] = before === 'true';
    fields.push({ field: column, from: value, to: before });
  }
}

const SWITCHES = ['rstp_enable', 'mcast_snooping_enable'] as const;

interface NotedSetting {
  readonly column: (typeof SWITCHES)[number];
  readonly value: string;
  readonly before: string;
  /** False where somebody changed it after us: then it is theirs. */
  readonly isStillOurs: boolean;
}

function notedSettings(topology: string, there: ObservedBridge): NotedSetting[] {
  return SWITCHES.flatMap((column) => {
    const note = noteOn(column, topology, there.externalIds);
    if (!note) return [];
    const { value, before } = note;
    return [{ column, value, before, isStillOurs: String(settingOf(there, column)) === value }];
  });
}

function settingOf(there: ObservedBridge, column: (typeof SWITCHES)[number]): boolean {
  return column === 'rstp_enable' ? there.rstp : there.mcastSnooping;
}

function wanted(bridge: DesiredBridge, column: (typeof SWITCHES)[number]): boolean | undefined {
  return column === 'rstp_enable' ? bridge.rstp : bridge.mcastSnooping;
}

function settingDifferences(
  bridge: DesiredBridge,
  there: ObservedBridge,
): { columns: BridgeColumns; fields: FieldChange[] } {
  const columns: BridgeColumns = {};
  const fields: FieldChange[] = [];
  if (wrongDatapath(bridge, there)) {
    columns.datapath_type = bridge.datapath;
    fields.push({ field: 'datapath_type', from: there.datapathType || 'system', to: bridge.datapath });
  }
  for (const column of SWITCHES) {
    const value = wanted(bridge, column);
    if (value === undefined || value === settingOf(there, column)) continue;
    columns[column] = value;
    fields.push({ field: column, from: String(!value), to: String(value) });
  }
  return { columns, fields };
}

function toUpdate(
  there: ObservedBridge,
  reason: string,
  columns: BridgeColumns,
  fields: readonly FieldChange[],
  externalIds: MapEdit,
): SwitchChange {
  // A new datapath type, and a port's way through RSTP's states, stop every port of the bridge for a while.
  const stops = columns.datapath_type !== undefined || columns.rstp_enable !== undefined;
  const others = there.portNames.filter((name) => name !== there.name);
  return {
    domain: 'switch',
    verb: 'update',
    kind: 'Bridge',
    name: there.name,
    reason,
    impact:
      stops && others.length > 0
        ? 'traffic-gap'
        : columns.mcast_snooping_enable === undefined
          ? 'none'
          : 'flow',
    ...(stops && others.length > 0
      ? { collateral: [`traffic of ${others.join(', ')} stops for a moment`] }
      : {}),
    fields,
    edit: { edit: 'update-bridge', uuid: there.uuid, columns, externalIds },
  };
}

function removal(bridge: ObservedBridge): SwitchChange {
  return {
    domain: 'switch',
    verb: 'remove',
    kind: 'Bridge',
    name: bridge.name,
    reason: 'this topology made it and no longer wants it',
    impact: 'none',
    fields: [],
    edit: { edit: 'remove-bridge', uuid: bridge.uuid },
  };
}

/** The bridge stays, without our settings, and is no longer ours. */
function release(topology: string, bridge: ObservedBridge, why: string): SwitchChange {
  const columns: BridgeColumns = {};
  const fields: FieldChange[] = [{ field: `external_ids:${OWNER_KEY}`, from: topology, to: undefined }];
  const noted = notedSettings(topology, bridge);
  restore(noted, columns, fields);
  const remove = [OWNER_KEY, ADOPTED_KEY, VISIBILITY_KEY, ...noted.map(({ column }) => noteKey(column))];
  return toUpdate(bridge, `it stays, and is no longer ours: ${why}`, columns, fields, {
    set: new Map(),
    remove,
  });
}
