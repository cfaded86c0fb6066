/**
 * What is counted on the switch, reading by reading: the one source of everything that is watched. The replica says which
 * ports there are and whose, the bridges say what was counted. What is shown of it is watch.ts's, streams.ts's and others'.
 */
import {
  connect,
  defer,
  finalize,
  identity,
  map,
  Observable,
  shareReplay,
  tap,
  withLatestFrom,
  zip,
  type MonoTypeOperatorFunction,
  type OperatorFunction,
} from 'rxjs';
import { fail } from '../errors.ts';
import type { OvsdbClient } from '../ovsdb/client/client.ts';
import type { OpenVSwitchTables } from '../ovsdb/generated/vswitch.ts';
import type { ColumnChoice } from '../ovsdb/schema/schema.ts';
import { PIPELINE_COLUMNS, toPipelineBridges } from '../switch/pipeline/pipelinebridge.ts';
import { attribute, type AttributedReading } from '../traffic/attribute.ts';
import { BridgeReader, type Asked } from '../traffic/bridgereader.ts';
import { toPairs } from '../traffic/pairs/pairs.ts';
import { portSamples, type Reading } from '../traffic/portsamples.ts';
import { SWITCH_PORT_COLUMNS, toBridgePorts, type BridgePorts } from '../traffic/switchports.ts';
import { toRates } from '../traffic/torates.ts';
import type { PairsState, TrafficReading } from '../traffic/views.ts';
import { withForeignPairs } from './foreignpairs.ts';
import { PipelineKeeper } from './pipelinekeeper.ts';
import { hasEnded } from '../process/identity.ts';
import { removeExpiredExporters } from '../switch/exporters.ts';
import type { Settings } from './settings.ts';
import { connectSwitch } from './switchclient.ts';

export interface TrafficOptions {
  readonly settings: Settings;
  /** Milliseconds from reading to reading, above 0. A bridge that takes longer than that to answer delays the next one. */
  readonly everyMs: number;
  /** Only these bridges; `undefined` or empty: all of them, also those that come later. */
  readonly bridges?: readonly string[];
  readonly asked: Asked;
  /** Put back the rules that count pairs, where a topology wants them and they are missing. */
  readonly restores: boolean;
}

/** Counters of 5,000 ports take 0.25 s; longer than this, and the other bridges' figures are old when they are shown. */
const READ_LIMIT_MS = 2_000;

/** What the replica has to hold. */
export const TRAFFIC_COLUMNS = {
  Bridge: [...SWITCH_PORT_COLUMNS.Bridge, 'controller', 'fail_mode'],
  Port: PIPELINE_COLUMNS.Port,
  Interface: [...PIPELINE_COLUMNS.Interface, 'link_state'],
  Controller: PIPELINE_COLUMNS.Controller,
} as const satisfies ColumnChoice<OpenVSwitchTables>;

/**
 * A reading each `everyMs`, the first at once. Cold: every subscription has connections and totals of its own, and closes
 * them when it ends. It does not end by itself; VMs, ports and bridges come and leave, and a bridge that cannot be read is
 * in the reading's `losses`.
 *
 * Fails with what connectSwitch fails with where there is no database; with WATCH_BRIDGE_MISSING where a bridge
 * of `bridges` is not there at the start; with OPENFLOW_… where no bridge at all can be read at the start, and at any
 * time with OPENFLOW_FORBIDDEN, which trying again does not mend.
 */
export function traffic(options: TrafficOptions): Observable<TrafficReading> {
  return withSwitch(options, (client, bridges$) => {
    const { ovsRundir, remote } = options.settings;
    // What writes at all clears away what a killed deep look has left; that it cannot is no reason to show nothing.
    if (options.restores)
      void removeExpiredExporters(client, { now: new Date(), hasEnded, remote }).catch(() => undefined);
    const keeper = new PipelineKeeper({ ovsRundir, restores: options.restores });
    const isOfPairs = options.asked !== 'ports';
    return readings(options, bridges$).pipe(
      toTraffic({ client, bridges$, keeper, isOfPairs }),
      // Who shows pairs keeps them counted as well.
      options.restores
        ? withForeignPairs({ snapshots$: client.snapshots$, ovsRundir, limitMs: READ_LIMIT_MS })
        : identity,
      failWhereHopeless(),
      finalize(() => {
        keeper[Symbol.dispose]();
      }),
    );
  });
}

/** What gives readings their names, and their pairs. */
export interface TrafficContext {
  readonly client: OvsdbClient<OpenVSwitchTables>;
  /** Must emit on subscription. */
  readonly bridges$: Observable<readonly BridgePorts[]>;
  readonly keeper: Pick<PipelineKeeper, 'look' | 'states'>;
  /** False where readings are of ports alone. */
  readonly isOfPairs: boolean;
}

/** From readings to figures of ports and pairs, with names; reading by reading, at once. */
export function toTraffic({
  client,
  bridges$,
  keeper,
  isOfPairs,
}: TrafficContext): OperatorFunction<Reading, TrafficReading> {
  const countsAll = (bridge: string): boolean => countsEveryPacket(keeper.states.get(bridge));
  const isPassedBy = (bridge: string): boolean => (keeper.states.get(bridge)?.foreignFlows ?? 0) > 0;
  return (readings$) =>
    readings$.pipe(
      withLatestFrom(client.snapshots$.pipe(map(toPipelineBridges))),
      map(([reading, pipelines]) => {
        if (isOfPairs) keeper.look(pipelines, sessionsOf(reading), reading.atMs);
        return reading;
      }),
      connect((shared$) =>
        zip(shared$.pipe(toRates()), shared$.pipe(toPairs(bridges$, { countsAll, isPassedBy }))),
      ),
      map(([rated, counted]) => ({ ...rated, ...counted })),
      attribute(bridges$),
      map((reading) => ({ ...reading, states: statesOf(reading, keeper) })),
    );
}

/** Readings as they come, without names and rates. Cold, and fails, as `traffic` does. */
export function samples(
  options: Pick<TrafficOptions, 'settings' | 'everyMs' | 'bridges'>,
): Observable<Reading> {
  return withSwitch(options, (_, bridges$) => readings({ ...options, asked: 'ports' }, bridges$));
}

/** Connects, and goes on with what comes of it; closes the connection at the end. */
function withSwitch<T>(
  { settings, bridges = [] }: Pick<TrafficOptions, 'settings' | 'bridges'>,
  goOn: (
    client: OvsdbClient<OpenVSwitchTables>,
    bridges$: Observable<readonly BridgePorts[]>,
  ) => Observable<T>,
): Observable<T> {
  return new Observable<T>((subscriber) => {
    const stop = new AbortController();
    subscriber.add(() => {
      stop.abort();
    });
    connectSwitch(settings, { columns: TRAFFIC_COLUMNS, signal: stop.signal }).then(
      (client) => {
        // Added first, so that it also closes the client of a subscription that has ended meanwhile.
        subscriber.add(() => void client.close());
        if (subscriber.closed) return;
        const bridges$ = client.snapshots$.pipe(
          map(toBridgePorts),
          onlyBridges(bridges),
          // Lets go with the last of its subscribers, all in one stream.
          shareReplay({ bufferSize: 1, refCount: true }),
        );
        subscriber.add(goOn(client, bridges$).subscribe(subscriber));
      },
      (thrown: unknown) => {
        subscriber.error(thrown);
      },
    );
  });
}

function readings(
  { settings, everyMs, asked }: Pick<TrafficOptions, 'settings' | 'everyMs' | 'asked'>,
  bridges$: Observable<readonly BridgePorts[]>,
): Observable<Reading> {
  return defer(() => {
    const nowMs = (): number => performance.now();
    const reader = new BridgeReader({ ovsRundir: settings.ovsRundir, limitMs: READ_LIMIT_MS, nowMs, asked });
    const there$ = bridges$.pipe(
      tap((bridges) => {
        reader.keepOnly(new Set(bridges.map(({ bridge }) => bridge)));
      }),
    );
    return portSamples(there$, { everyMs, read: (bridge) => reader.read(bridge), nowMs }).pipe(
      finalize(() => {
        reader[Symbol.dispose]();
      }),
    );
  });
}

/** Only the bridges of these names; each must be there the first time. */
function onlyBridges(names: readonly string[]): MonoTypeOperatorFunction<readonly BridgePorts[]> {
  return map((bridges, index) => {
    if (names.length === 0) return bridges;
    const known = bridges.map(({ bridge }) => bridge);
    const missing = names.find((name) => !known.includes(name));
    if (index === 0 && missing !== undefined) throw fail('WATCH_BRIDGE_MISSING', { bridge: missing, known });
    return bridges.filter(({ bridge }) => names.includes(bridge));
  });
}

/** The connection that each bridge of the reading was read on. */
function sessionsOf({ bridges }: Reading): (bridge: string) => number | undefined {
  const sessions = new Map(
    bridges.flatMap((reading) => (reading.outcome === 'read' ? [[reading.bridge, reading.session]] : [])),
  );
  return (bridge) => sessions.get(bridge);
}

function countsEveryPacket(state: PairsState | undefined): boolean {
  return state?.mode === 'pairs' && state.foreignFlows === 0 && state.error === undefined;
}

function statesOf({ bridges }: AttributedReading, keeper: TrafficContext['keeper']): PairsState[] {
  return bridges.flatMap((bridge) => keeper.states.get(bridge) ?? []);
}

/** Passes readings on, until one shows that nothing will come of it. */
function failWhereHopeless<R extends AttributedReading>(): MonoTypeOperatorFunction<R> {
  return map((reading, index) => {
    const { losses, bridges } = reading;
    const nothingRead = index === 0 && losses.length > 0 && losses.length === bridges.length;
    const hopeless = losses.find(({ error }) => nothingRead || error.code === 'OPENFLOW_FORBIDDEN');
    if (hopeless) throw hopeless.error;
    return reading;
  });
}
