/**
 * The main path of watching: the replica says which ports there are and whose, the bridges say what was counted.
 * How it is shown is output/'s.
 */
import { map, Observable, shareReplay, tap, type MonoTypeOperatorFunction } from 'rxjs';
import { fail } from '../errors.ts';
import type { OvsdbClient } from '../ovsdb/client/client.ts';
import type { OpenVSwitchTables } from '../ovsdb/generated/vswitch.ts';
import { attribute } from '../traffic/attribute.ts';
import { BridgeReader } from '../traffic/bridgereader.ts';
import { portSamples } from '../traffic/portsamples.ts';
import { SWITCH_PORT_COLUMNS, toBridgePorts, type BridgePorts } from '../traffic/switchports.ts';
import { toRates } from '../traffic/torates.ts';
import { toView, type View, type ViewName } from '../traffic/views.ts';
import type { Settings } from './settings.ts';
import { connectSwitch } from './switchclient.ts';

export type { View, ViewName };

export interface WatchOptions {
  readonly settings: Settings;
  /** `ports`: every port of every bridge; `vms`: NICs grouped by VM, with a sum per VM. */
  readonly view: ViewName;
  /** Milliseconds from view to view, above 0. A bridge that takes longer than that to answer delays the next view. */
  readonly everyMs: number;
  /** Only these bridges; `undefined` or empty: all of them, also those that come later. */
  readonly bridges?: readonly string[];
}

/** Counters of 5,000 ports take 0.25 s; longer than this, and the other bridges' figures are old when they are shown. */
const READ_LIMIT_MS = 2_000;

/**
 * What the switch counts, with the names of VMs, as a view each `everyMs`; the first at once, with totals and without
 * rates. Cold: every subscription has connections of its own, and closes them when it ends. It does not end by itself;
 * VMs, ports and bridges come and leave, and a bridge that cannot be read is in the view's `losses`.
 *
 * Fails with what connectSwitch fails with where there is no database; with WATCH_BRIDGE_MISSING where a bridge
 * of `bridges` is not there at the start; with OPENFLOW_… where no bridge at all can be read at the start, and at any
 * time with OPENFLOW_FORBIDDEN, which trying again does not mend.
 */
export function watch(options: WatchOptions): Observable<View> {
  return new Observable<View>((subscriber) => {
    const stop = new AbortController();
    subscriber.add(() => {
      stop.abort();
    });
    connectSwitch(options.settings, { columns: SWITCH_PORT_COLUMNS, signal: stop.signal }).then(
      (client) => {
        // Added first, so that it also closes the client of a subscription that has ended meanwhile.
        subscriber.add(() => void client.close());
        if (!subscriber.closed) subscriber.add(views(client, options).subscribe(subscriber));
      },
      (thrown: unknown) => {
        subscriber.error(thrown);
      },
    );
  });
}

function views(client: OvsdbClient<OpenVSwitchTables>, options: WatchOptions): Observable<View> {
  return new Observable<View>((subscriber) => {
    const nowMs = (): number => performance.now();
    const reader = new BridgeReader({ ovsRundir: options.settings.ovsRundir, limitMs: READ_LIMIT_MS, nowMs });
    subscriber.add(() => {
      reader[Symbol.dispose]();
    });
    const bridges$ = client.snapshots$.pipe(
      map(toBridgePorts),
      onlyBridges(options.bridges ?? []),
      tap((bridges) => {
        reader.keepOnly(new Set(bridges.map(({ bridge }) => bridge)));
      }),
      // Lets go with the last of its two subscribers, both below.
      shareReplay({ bufferSize: 1, refCount: true }),
    );
    portSamples(bridges$, { everyMs: options.everyMs, read: (bridge) => reader.read(bridge), nowMs })
      .pipe(
        toRates(),
        attribute(bridges$),
        map((reading) => toView(options.view, reading)),
        failWhereHopeless(),
      )
      .subscribe(subscriber);
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

/** Passes views on, until one shows that nothing will come of it. */
function failWhereHopeless(): MonoTypeOperatorFunction<View> {
  return map((view, index) => {
    const nothingRead = index === 0 && view.losses.length > 0 && view.losses.length === view.bridges.length;
    const hopeless = view.losses.find(({ error }) => nothingRead || error.code === 'OPENFLOW_FORBIDDEN');
    if (hopeless) throw hopeless.error;
    return view;
  });
}
