/** What `watch` shows: every port, NICs grouped by VM, or who sends to whom. Pure. */
import type { VsbError } from '../errors.ts';
import type { AttributedReading, PortRow } from './attribute.ts';
import { sumMeasured, type Measured } from './figures.ts';
import type { Pair } from './pairs/pair.ts';
import { comparePairs } from './pairs/pairorder.ts';
import { compareText, type NicIdentity } from './switchports.ts';
import type { BridgeLoss } from './torates.ts';

/** Which view is wanted. */
export type ViewName = 'ports' | 'vms' | 'pairs';

/** A port that is a VM's NIC. */
export type NicRow = PortRow & { readonly owner: NicIdentity };

/** A VM: its NICs, in order, and their sum. */
export interface VmRow {
  readonly vm: string;
  readonly topology: string | undefined;
  readonly total: Measured;
  readonly nics: readonly NicRow[];
}

/** Whether pairs of a bridge are counted, and why not. */
export interface PairsState {
  readonly bridge: string;
  /** `pairs`: they are. `ports`: nobody wants it. `foreign`: the bridge's flows are not ours to change. */
  readonly mode: 'pairs' | 'ports' | 'foreign';
  /** Why, for people; no full stop. */
  readonly reason: string;
  /** How many flows of others a packet meets before ours: what they forward is in no pair. `undefined`: not known. */
  readonly foreignFlows: number | undefined;
  /** How many rules were put back so far. */
  readonly restored: number;
  /** Why the rules could not be read or written. */
  readonly error: VsbError | undefined;
}

/** What a view is made of. */
export interface TrafficReading extends AttributedReading {
  /** Of the bridges that were looked at by now, sorted by name. */
  readonly states: readonly PairsState[];
}

interface ViewHead {
  /** Wall clock of the reading. */
  readonly at: Date;
  readonly bridges: readonly string[];
  /** Bridges that could not be read this time; their ports are there, with nothing known. */
  readonly losses: readonly BridgeLoss[];
}

/** Every port. */
export interface PortsView extends ViewHead {
  readonly view: 'ports';
  readonly ports: readonly PortRow[];
}

/** VMs with their NICs. */
export interface VmsView extends ViewHead {
  readonly view: 'vms';
  readonly vms: readonly VmRow[];
}

/** Who sends to whom. */
export interface PairsView extends ViewHead {
  readonly view: 'pairs';
  /** The busiest first. */
  readonly pairs: readonly Pair[];
  /** Of the bridges that were looked at by now, sorted by name. */
  readonly states: readonly PairsState[];
}

/** One tick of a watch. */
export type View = PortsView | VmsView | PairsView;

/** A reading as the view of that name. */
export function toView<Name extends ViewName>(
  name: Name,
  reading: TrafficReading,
): Extract<View, { readonly view: Name }>;
export function toView(name: ViewName, { at, bridges, losses, rows, pairs, states }: TrafficReading): View {
  const head = { at, bridges, losses };
  switch (name) {
    case 'ports':
      return { ...head, view: 'ports', ports: rows };
    case 'vms':
      return { ...head, view: 'vms', vms: groupByVm(rows) };
    case 'pairs':
      return { ...head, view: 'pairs', pairs: pairs.toSorted(comparePairs), states };
  }
}

/** VMs in order of their names; VMs of the same name in two topologies stay two. */
export function groupByVm(rows: readonly PortRow[]): VmRow[] {
  const groups = new Map<string, NicRow[]>();
  for (const row of rows) {
    if (!isNic(row)) continue;
    const key = JSON.stringify([row.owner.vm, row.owner.topology]);
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return [...groups.values()].map(toVmRow).sort(compareVms);
}

function isNic(row: PortRow): row is NicRow {
  return row.owner !== undefined;
}

function toVmRow(nics: readonly NicRow[]): VmRow {
  const owner = nics[0]?.owner;
  return {
    vm: owner?.vm ?? '',
    topology: owner?.topology,
    total: sumMeasured(nics),
    nics: nics.toSorted((a, b) => compareText(a.owner.nic, b.owner.nic)),
  };
}

function compareVms(a: VmRow, b: VmRow): number {
  return compareText(a.vm, b.vm) || compareText(a.topology ?? '', b.topology ?? '');
}
