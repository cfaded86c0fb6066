/**
 * A view as flat records with stable names, in a fixed order: what NDJSON and CSV print. docs/watch.md describes every
 * field. Pure.
 */
import type { PortRow } from '../traffic/attribute.ts';
import type { Figures, Measured } from '../traffic/figures.ts';
import type { View, VmRow } from '../traffic/views.ts';

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
] as const;

type WatchField = (typeof WATCH_FIELDS)[number];

/** One line of NDJSON or CSV. A field that is missing is unknown, or does not apply. */
export type WatchRecord = Readonly<Partial<Record<WatchField, FieldValue>>>;

/** The records of one tick: a `port` each in the view of ports; a `vm` with its sum, then its `nic`s in that of VMs. */
export function toWatchRecords(view: View): WatchRecord[] {
  const at = view.at.toISOString();
  switch (view.view) {
    case 'ports':
      return view.ports.map((row) => ({ at, kind: 'port', ...toPortFields(row) }));
    case 'vms':
      return view.vms.flatMap((vm) => [
        { at, kind: 'vm', ...toVmFields(vm) },
        ...vm.nics.map((row) => ({ at, kind: 'nic', ...toPortFields(row) })),
      ]);
  }
}

function toVmFields({ vm, topology, nics, total }: VmRow): WatchRecord {
  return { topology, vm, nics: nics.length, ...toMeasuredFields(total) };
}

function toPortFields(row: PortRow): WatchRecord {
  return {
    topology: row.owner?.topology,
    vm: row.owner?.vm,
    nic: row.owner?.nic,
    network: row.owner?.network,
    bridge: row.bridge,
    port: row.port,
    mac: row.mac,
    ...toMeasuredFields(row),
  };
}

function toMeasuredFields(measured: Measured): WatchRecord {
  const figures: Partial<Record<WatchField, FieldValue>> = {};
  for (const name of FIGURES) {
    const value = measured[name];
    figures[name] = typeof value === 'number' ? Math.round(value * 1000) / 1000 : value;
  }
  const ageMs = measured.ageMs === undefined ? undefined : Math.round(measured.ageMs);
  return { ...figures, quality: measured.quality, ageMs, discontinuity: measured.discontinuity };
}
