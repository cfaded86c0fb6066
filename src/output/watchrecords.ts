/**
 * A view as flat records with stable names, in a fixed order: what NDJSON and CSV print. docs/watch.md describes every
 * field. Pure.
 */
import type { PortRow } from '../traffic/attribute.ts';
import type { Figures, Measured } from '../traffic/figures.ts';
import type { PortsView, VmRow, VmsView } from '../traffic/views.ts';

/** The views whose lines have {@link WATCH_FIELDS}. */
export type FiguresView = PortsView | VmsView;

/** A value to print; a bigint keeps all its digits. `undefined` is unknown, or does not apply. */
export type FieldValue = string | number | bigint | undefined;

const FIGURES = [
  'sentBytes',
  'receivedBytes',
  'sentPackets',
  'receivedPackets',
  'sentDropped',
  'receivedDropped',
  'sentErrors',
  'receivedErrors',
  'sentBitsPerSecond',
  'receivedBitsPerSecond',
  'sentPacketsPerSecond',
  'receivedPacketsPerSecond',
] as const satisfies readonly (keyof Figures)[];

/** Every field, in order of printing. New ones are only ever added at the end. */
export const WATCH_FIELDS = [
  'at',
  'kind',
  'topology',
  'vm',
  'nic',
  'nics',
  'network',
  'bridge',
  'port',
  'mac',
  ...FIGURES,
  'quality',
  'ageMs',
  'discontinuity',
  'hostLossPackets',
] as const;

/** One line of NDJSON or CSV: the values of {@link WATCH_FIELDS}, in that order. */
export type WatchRecord = readonly FieldValue[];

/** The records of one tick: a `port` each in the view of ports; a `vm` with its sum, then its `nic`s in that of VMs. */
export function toWatchRecords(view: FiguresView): WatchRecord[] {
  const at = view.at.toISOString();
  switch (view.view) {
    case 'ports':
      return view.ports.map((row) => toPortRecord(at, 'port', row));
    case 'vms':
      return view.vms.flatMap((vm) => [
        toVmRecord(at, vm),
        ...vm.nics.map((row) => toPortRecord(at, 'nic', row)),
      ]);
  }
}

function toVmRecord(at: string, { vm, topology, nics, total }: VmRow): WatchRecord {
  const none = undefined;
  return [at, 'vm', topology, vm, none, nics.length, none, none, none, none, ...toMeasuredValues(total)];
}

function toPortRecord(at: string, kind: 'port' | 'nic', row: PortRow): WatchRecord {
  const { owner, bridge, port, mac } = row;
  const names = [owner?.topology, owner?.vm, owner?.nic, undefined, owner?.network, bridge, port, mac];
  return [at, kind, ...names, ...toMeasuredValues(row)];
}

function toMeasuredValues(measured: Measured): FieldValue[] {
  const ageMs = measured.ageMs === undefined ? undefined : Math.round(measured.ageMs);
  const figures = FIGURES.map((name) => rounded(measured[name]));
  return [
    ...figures,
    // Of nothing nobody can say how good it is.
    figures.some((figure) => figure !== undefined) ? measured.quality : undefined,
    ageMs,
    measured.discontinuity,
    measured.hostLossPackets,
  ];
}

/** Rates in thousandths; counters as they are. */
export function rounded(value: number | bigint | undefined): FieldValue {
  return typeof value === 'number' ? Math.round(value * 1000) / 1000 : value;
}
