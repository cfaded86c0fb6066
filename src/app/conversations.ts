/**
 * A look at conversations (5-tuples) for a limited time, by Open vSwitch's own exporters: when it begins, what it shows, and
 * how it ends. What it holds meanwhile is conversationslook.ts's, how it is shown output/'s.
 */
import { Observable, Subscription } from 'rxjs';
import { fail } from '../errors.ts';
import { compileFilter } from '../filter/compile.ts';
import type { OvsdbClient } from '../ovsdb/client/client.ts';
import type { OpenVSwitchTables } from '../ovsdb/generated/vswitch.ts';
import type { Snapshot } from '../ovsdb/replica/snapshot.ts';
import type { Conversation } from '../traffic/conversations/conversations.ts';
import type { ConversationsView } from '../traffic/conversations/conversationsview.ts';
import { CONVERSATION_SOURCE } from '../traffic/filtersources.ts';
import { findDevices, toDevices } from '../traffic/devices.ts';
import {
  ConversationsLook,
  LOOK_COLUMNS,
  RENEW_EVERY_MS,
  type ConversationsBy,
} from './conversationslook.ts';
import type { Settings } from './settings.ts';
import { connectSwitch } from './switchclient.ts';

export type { Conversation, ConversationsBy, ConversationsView };

export interface ConversationsOptions {
  readonly settings: Settings;
  /** Only these bridges; `undefined` or empty: those of `vm`, else all that there are at the start. */
  readonly bridges?: readonly string[];
  /** Only what this VM (`web1`) or NIC (`web1:0`) sends and receives. */
  readonly vm?: string | undefined;
  /** Default: `auto`. */
  readonly by?: ConversationsBy;
  /** One packet in so many. Only with `ipfix` (default: 1, all) and `sflow` (default: 400). */
  readonly sampling?: number | undefined;
  /**
   * Milliseconds to look. Then, up to 3 s later, when the switch has told of all packets of that time, comes the last view.
   * `undefined`: until nobody is subscribed.
   */
  readonly forMs?: number | undefined;
  /** Milliseconds from view to view. */
  readonly everyMs: number;
  /** How many conversations a view has at most. Default: 1,000. */
  readonly most?: number;
  /** Only conversations that pass this filter, in the language of docs/filter.md; `undefined` or empty: all. */
  readonly where?: string | undefined;
  /** Which conversations are wanted besides. Default: all. */
  readonly wanted?: (conversation: Conversation) => boolean;
}

const DEFAULT_MOST = 1_000;
/** Until Open vSwitch has told of a packet: 0.5 s to count it, 1 s of its flow's timeout, 1 s until it looks at that. */
const LAST_REPORTS_MS = 3_000;

/**
 * Conversations as a view each `everyMs`; the first, without any, when the switch has begun to export. Cold: each
 * subscription makes exporters of its own, and removes them when it ends; where the process is killed, whatever of ours
 * writes to the switch next does. Completes after `forMs`.
 *
 * Fails with what connectSwitch fails with; WATCH_BRIDGE_MISSING, NIC_UNKNOWN; EXPORTER_TAKEN where a bridge has an
 * exporter already, which then stays as it is; EXPORTER_GONE where one of ours is taken away meanwhile;
 * COLLECTOR_UNAVAILABLE; FILTER_INVALID; USAGE where `sampling` does not go with `by`.
 */
export function conversations(options: ConversationsOptions): Observable<ConversationsView> {
  return new Observable<ConversationsView>((subscriber) => {
    const stop = new AbortController();
    subscriber.add(() => {
      stop.abort();
    });
    look(options, stop.signal, (view) => {
      subscriber.next(view);
    }).then(
      () => {
        subscriber.complete();
      },
      (thrown: unknown) => {
        // Nobody listens any more to one that was stopped.
        if (!stop.signal.aborted) subscriber.error(thrown);
      },
    );
  });
}

async function look(
  options: ConversationsOptions,
  signal: AbortSignal,
  show: (view: ConversationsView) => void,
): Promise<void> {
  const { by = 'auto', sampling, where = '' } = options;
  const { matches } = compileFilter(where, CONVERSATION_SOURCE);
  if (sampling !== undefined && by !== 'ipfix' && by !== 'sflow')
    throw fail('USAGE', { what: 'Sampling needs IPFIX or sFlow: --source ipfix or --source sflow.' });
  await using client = await connectSwitch(options.settings, { columns: LOOK_COLUMNS, signal });
  const snapshot = client.snapshot();
  const isOfVm = options.vm === undefined ? undefined : concerns(snapshot, options.vm);
  const bridges = chooseBridges(snapshot, options);
  await using looking = await ConversationsLook.start(
    client,
    { bridges, by, sampling },
    options.settings,
    signal,
  );
  const wanted = allOf([isOfVm, where.trim() === '' ? undefined : matches, options.wanted]);
  let shown = 0;
  await showUntilEnd(client, looking, options, signal, () => {
    const at = new Date();
    // The end may come with a tick: a view is known by its time.
    if (at.getTime() === shown) return;
    shown = at.getTime();
    const top = looking.top(at.getTime(), options.most ?? DEFAULT_MOST, wanted);
    show({ view: 'conversations', at, bridges, ...top, sources: looking.sources });
  });
}

type Wanted = (conversation: Conversation) => boolean;

/** `undefined` where there is nothing to ask. */
function allOf(tests: readonly (Wanted | undefined)[]): Wanted | undefined {
  const given = tests.filter((test) => test !== undefined);
  return given.length === 0 ? undefined : (conversation) => given.every((test) => test(conversation));
}

/** Ends when the time is over or the signal comes. */
function showUntilEnd(
  client: OvsdbClient<OpenVSwitchTables>,
  looking: ConversationsLook,
  { everyMs, forMs }: ConversationsOptions,
  signal: AbortSignal,
  show: () => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const views = setInterval(show, everyMs);
    // A renewal that fails is made up for by the next; that the exporters are gone shows in the database.
    const renewals = setInterval(() => void looking.renew().catch(() => undefined), RENEW_EVERY_MS);
    const last = forMs === undefined ? undefined : setTimeout(complete, forMs + LAST_REPORTS_MS);
    const subscription = new Subscription();
    subscription.add(
      client.snapshots$.subscribe(() => {
        looking.readNames();
        const gone = looking.findGone();
        if (!gone) return;
        end();
        reject(fail('EXPORTER_GONE', gone));
      }),
    );
    signal.addEventListener('abort', complete, { once: true });
    if (signal.aborted) complete();
    else show();

    function complete(): void {
      end();
      if (!signal.aborted) show();
      resolve();
    }
    function end(): void {
      clearInterval(views);
      clearInterval(renewals);
      clearTimeout(last);
      subscription.unsubscribe();
      signal.removeEventListener('abort', complete);
    }
  });
}

/** @throws WATCH_BRIDGE_MISSING */
function chooseBridges(
  snapshot: Snapshot<OpenVSwitchTables>,
  { bridges = [], vm }: ConversationsOptions,
): readonly string[] {
  const known = [...snapshot.table('Bridge').values()].map(({ name }) => name).sort();
  const missing = bridges.find((name) => !known.includes(name));
  if (missing !== undefined) throw fail('WATCH_BRIDGE_MISSING', { bridge: missing, known });
  if (bridges.length > 0) return known.filter((name) => bridges.includes(name));
  if (vm === undefined) return known;
  return [...new Set(findDevices(toDevices(snapshot), vm).map(({ bridge }) => bridge))].sort();
}

/** Whether a conversation is one of a VM's, or of one of its NICs. @throws NIC_UNKNOWN */
function concerns(
  snapshot: Snapshot<OpenVSwitchTables>,
  vm: string,
): (conversation: Conversation) => boolean {
  const ends = new Set(findDevices(toDevices(snapshot), vm).map(({ end }) => keyOf(end)));
  return ({ from, to }) => ends.has(keyOf(from)) || ends.has(keyOf(to));
}

function keyOf(end: Conversation['from']): string {
  return typeof end === 'string' ? end : JSON.stringify([end.topology, end.vm, end.nic]);
}
