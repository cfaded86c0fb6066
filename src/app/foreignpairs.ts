/**
 * Adds the pairs of bridges that have no pipeline of ours, since their flows are not ours to change: lower bounds, out of
 * the datapath's flows.
 */
import { concatMap, defer, withLatestFrom, type MonoTypeOperatorFunction, type Observable } from 'rxjs';
import type { OpenVSwitchTables } from '../ovsdb/generated/vswitch.ts';
import type { Snapshot } from '../ovsdb/replica/snapshot.ts';
import { DatapathPairs } from '../traffic/datapath/datapathpairs.ts';
import { readDatapathFlows } from '../traffic/datapath/datapathreader.ts';
import { toDevices, type Device } from '../traffic/devices.ts';
import type { TrafficReading } from '../traffic/views.ts';

export interface ForeignPairsOptions {
  /** Must emit on subscription, and hold DEVICE_COLUMNS. */
  readonly snapshots$: Observable<Snapshot<OpenVSwitchTables>>;
  readonly ovsRundir: string;
  readonly limitMs: number;
}

/**
 * A reading waits for the dump of flows where one is due. A dump that was refused or failed is the `error` of the bridges'
 * states.
 */
export function withForeignPairs({
  snapshots$,
  ovsRundir,
  limitMs,
}: ForeignPairsOptions): MonoTypeOperatorFunction<TrafficReading> {
  const nowMs = (): number => performance.now();
  const read = () => readDatapathFlows({ ovsRundir, timeoutMs: limitMs, nowMs });
  return (readings$) =>
    defer(() => {
      const datapath = new DatapathPairs({ read, nowMs });
      const devicesOf = rememberLast(toDevices);
      return readings$.pipe(
        withLatestFrom(snapshots$),
        concatMap(async ([reading, snapshot]) => {
          const bridges = foreignBridges(reading);
          if (bridges.size === 0) return reading;
          return join(reading, bridges, await datapath.look(bridges, devicesOf(snapshot)));
        }),
      );
    });
}

function join(
  reading: TrafficReading,
  bridges: ReadonlySet<string>,
  { pairs, error }: Awaited<ReturnType<DatapathPairs['look']>>,
): TrafficReading {
  return {
    ...reading,
    pairs: [...reading.pairs, ...pairs],
    states: reading.states.map((state) => (bridges.has(state.bridge) && error ? { ...state, error } : state)),
  };
}

/** Those that our rules count nothing on: a bridge may just have become foreign. */
function foreignBridges({ states, pairs }: TrafficReading): ReadonlySet<string> {
  const counted = new Set(pairs.map(({ bridge }) => bridge));
  return new Set(
    states.flatMap(({ bridge, mode }) => (mode === 'foreign' && !counted.has(bridge) ? [bridge] : [])),
  );
}

/** Snapshots stay the same as long as nothing changes, which is most of the time. */
function rememberLast(
  make: (snapshot: Snapshot<OpenVSwitchTables>) => readonly Device[],
): (snapshot: Snapshot<OpenVSwitchTables>) => readonly Device[] {
  let last: { readonly snapshot: Snapshot<OpenVSwitchTables>; readonly made: readonly Device[] } | undefined;
  return (snapshot) => {
    if (last?.snapshot !== snapshot) last = { snapshot, made: make(snapshot) };
    return last.made;
  };
}
