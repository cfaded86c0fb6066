/** From ports to names: which VM, which NIC. Names come from the database at the time of the reading. */
import { map, withLatestFrom, type Observable, type OperatorFunction } from 'rxjs';
import type { Uuid } from '../ovsdb/schema/schema.ts';
import { NOT_MEASURED, toMeasured, type Measured } from './figures.ts';
import type { Pair } from './pairs/pair.ts';
import type { SwitchPort, BridgePorts } from './switchports.ts';
import type { BridgeLoss, RatedReading } from './torates.ts';

/** A port, whose it is, and what was measured at it. */
export interface PortRow extends SwitchPort, Measured {}

/** Rates of ports, and what else was counted in the same reading. */
export interface MeasuredReading extends RatedReading {
  readonly pairs?: readonly Pair[];
  readonly hostLoss?: ReadonlyMap<Uuid, bigint>;
}

/** A reading with names: every port of every bridge, also those that have no figures. */
export interface AttributedReading {
  /** Wall clock. */
  readonly at: Date;
  /** Names of the bridges, sorted. */
  readonly bridges: readonly string[];
  /** Sorted by bridge and port. */
  readonly rows: readonly PortRow[];
  /** In no order. */
  readonly pairs: readonly Pair[];
  readonly losses: readonly BridgeLoss[];
}

/**
 * Joins rates and ports by Interface row. A port that the switch did not speak of is there with nothing known; what
 * was measured at a port that has left the database meanwhile is dropped, and so is the loss of a bridge that has.
 */
export function attribute(
  bridges$: Observable<readonly BridgePorts[]>,
): OperatorFunction<MeasuredReading, AttributedReading> {
  return (readings$) =>
    readings$.pipe(
      withLatestFrom(bridges$),
      map(([reading, bridges]) => join(reading, bridges)),
    );
}

function join(
  { at, atMs, ports, losses, pairs = [], hostLoss }: MeasuredReading,
  bridges: readonly BridgePorts[],
): AttributedReading {
  const measured = new Map(
    ports.map((rated) => {
      const { interfaceUuid } = rated.sample;
      return [interfaceUuid, toMeasured(rated, atMs, hostLoss?.get(interfaceUuid))];
    }),
  );
  const rows = bridges.flatMap((bridge) =>
    bridge.ports.map((port) => toRow(port, measured.get(port.interfaceUuid) ?? NOT_MEASURED)),
  );
  const names = bridges.map(({ bridge }) => bridge);
  return { at, bridges: names, rows, pairs, losses: losses.filter(({ bridge }) => names.includes(bridge)) };
}

/** Written out, since spreading two objects takes several times as long, for thousands of ports at every tick. */
function toRow(
  { bridge, port, interfaceUuid, ofport, isLinkUp, mac, owner }: SwitchPort,
  measured: Measured,
): PortRow {
  return { ...measured, bridge, port, interfaceUuid, ofport, isLinkUp, mac, owner };
}
