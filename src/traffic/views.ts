/** What `watch` shows: every port, or NICs grouped by VM. Pure. */
import type { AttributedReading, PortRow } from './attribute.ts';
import { sumMeasured, type Measured } from './figures.ts';
import { compareText, type NicIdentity } from './switchports.ts';
import type { BridgeLoss } from './torates.ts';

/** Which view is wanted. */
export type ViewName = 'ports' | 'vms';

/** A port that is a VM's NIC. */
export type NicRow = PortRow & { readonly owner: NicIdentity };

/** A VM: its NICs, in order, and their sum. */
export interface VmRow {
  readonly vm: string;
  readonly topology: string | undefined;
  readonly total: Measured;
  readonly nics: readonly NicRow[];
}

interface ViewHead {
  /** Wall clock of the reading. */
  readonly at: Date;
  readonly bridges: readonly string[];
  /** Bridges that could not be read this time; their ports are there, with nothing known. */
  readonly losses: readonly BridgeLoss[];
}

/** One tick of a watch. */
export type View =
  | (ViewHead & { readonly view: 'ports'; readonly ports: readonly PortRow[] })
  | (ViewHead & { readonly view: 'vms'; readonly vms: readonly VmRow[] });

/** A reading as the view of that name. */
export function toView(name: ViewName, { at, bridges, losses, rows }: AttributedReading): View {
  const head = { at, bridges, losses };
  switch (name) {
    case 'ports':
      return { ...head, view: 'ports', ports: rows };
    case 'vms':
      return { ...head, view: 'vms', vms: groupByVm(rows) };
  }
}

/** VMs in order of their names; VMs of the same name in two topologies stay two. */
function groupByVm(rows: readonly PortRow[]): VmRow[] {
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
