/**
 * What a look at conversations holds for its time: exporters on bridges, a socket for each, and what came in. Disposing of
 * it takes all of that away again. When it looks, and for how long, is conversations.ts's.
 */
import { randomUUID } from 'node:crypto';
import { fail, toVsbError } from '../errors.ts';
import type { OvsdbClient } from '../ovsdb/client/client.ts';
import type { OpenVSwitchTables } from '../ovsdb/generated/vswitch.ts';
import type { Snapshot } from '../ovsdb/replica/snapshot.ts';
import type { ColumnChoice } from '../ovsdb/schema/schema.ts';
import { hasEnded, ownIdentity } from '../process/identity.ts';
import type { ExporterKind } from '../switch/exporterrows.ts';
import {
  addExporters,
  EXPORTER_COLUMNS,
  exportersOf,
  hasExporter,
  removeExpiredExporters,
  removeExporters,
  renewExporters,
  type ExporterLease,
} from '../switch/exporters.ts';
import { waitUntilTakenUp } from '../switch/takenup.ts';
import {
  ConversationLedger,
  type Conversation,
  type LeftOut,
} from '../traffic/conversations/conversations.ts';
import { BridgeEnds, type EndDevice } from '../traffic/conversations/conversationsends.ts';
import type { ConversationsSource } from '../traffic/conversations/conversationsview.ts';
import { DEVICE_COLUMNS, toDevices } from '../traffic/devices.ts';
import { renderDuration } from '../units/duration.ts';
import { ExportStream } from './conversationsstream.ts';
import { createLog } from './log.ts';
import type { Settings } from './settings.ts';

/** What the client has to hold. */
export const LOOK_COLUMNS = {
  Open_vSwitch: EXPORTER_COLUMNS.Open_vSwitch,
  Bridge: [...DEVICE_COLUMNS.Bridge, 'netflow', 'ipfix', 'sflow'],
  Port: DEVICE_COLUMNS.Port,
  Interface: [...DEVICE_COLUMNS.Interface, 'ifindex'],
  NetFlow: EXPORTER_COLUMNS.NetFlow,
  IPFIX: EXPORTER_COLUMNS.IPFIX,
  sFlow: EXPORTER_COLUMNS.sFlow,
} as const satisfies ColumnChoice<OpenVSwitchTables>;

/** How conversations are looked at; `auto`: IPv4 by NetFlow and IPv6 by IPFIX, as far as the bridge has room for them. */
export type ConversationsBy = 'auto' | ExporterKind;

/** Which bridges are looked at, how, and what of it is wanted. */
export interface LookPlan {
  readonly bridges: readonly string[];
  readonly by: ConversationsBy;
  /** One packet in so many, for IPFIX and sFlow; `undefined`: the default of each. */
  readonly sampling: number | undefined;
}

/** How long exporters stay when we end without a word, and cannot be seen to have ended. */
const LEASE_MS = 60_000;
/** ovs-vswitchd takes milliseconds; with thousands of ports a second. */
const TAKE_UP_LIMIT_MS = 10_000;

export class ConversationsLook implements AsyncDisposable {
  readonly #client: OvsdbClient<OpenVSwitchTables>;
  readonly #settings: Settings;
  readonly #streams: readonly ExportStream[];
  readonly #ledger: ConversationLedger;
  #lease: ExporterLease;

  private constructor(
    client: OvsdbClient<OpenVSwitchTables>,
    settings: Settings,
    streams: readonly ExportStream[],
    ledger: ConversationLedger,
    lease: ExporterLease,
  ) {
    this.#client = client;
    this.#settings = settings;
    this.#streams = streams;
    this.#ledger = ledger;
    this.#lease = lease;
  }

  /**
   * Begins to look, after it has removed what others of us left behind; when it resolves, the switch exports.
   * @param client holds LOOK_COLUMNS; its owner closes it, after the look
   * @throws EXPORTER_TAKEN, COLLECTOR_UNAVAILABLE, NETNS_MISSING, NOT_PERMITTED, SWITCH_…
   */
  static async start(
    client: OvsdbClient<OpenVSwitchTables>,
    plan: LookPlan,
    settings: Settings,
    signal: AbortSignal,
  ): Promise<ConversationsLook> {
    const { netns, remote } = settings;
    await removeExpiredExporters(client, { now: new Date(), hasEnded, remote });
    const lease = newLease(randomUUID(), await ownIdentity());
    const ledger = new ConversationLedger();
    const streams: ExportStream[] = [];
    const look = new ConversationsLook(client, settings, streams, ledger, lease);
    try {
      for (const bridge of plan.bridges) {
        const ends = new BridgeEnds();
        for (const choice of chooseKinds(client.snapshot(), bridge, plan.by))
          streams.push(await ExportStream.open({ ...choice, bridge, ends }, plan.sampling, netns, ledger));
      }
      look.readNames();
      const nextCfg = await addExporters(client, streams, lease, remote);
      if (!(await waitUntilTakenUp(client, nextCfg, { deadlineMs: TAKE_UP_LIMIT_MS, signal })))
        throw fail('SWITCH_NOT_CURRENT', { waited: renderDuration(TAKE_UP_LIMIT_MS) });
      return look;
    } catch (thrown) {
      await look[Symbol.asyncDispose]();
      throw thrown;
    }
  }

  get sources(): readonly ConversationsSource[] {
    return this.#streams.map(({ bridge, kind, families, quality, counts }) => ({
      bridge,
      kind,
      families,
      quality,
      counts,
    }));
  }

  /** As ConversationLedger's. */
  top(
    nowMs: number,
    most: number,
    wanted: ((conversation: Conversation) => boolean) | undefined,
  ): { readonly conversations: readonly Conversation[]; readonly leftOut: LeftOut } {
    return this.#ledger.top(nowMs, most, wanted);
  }

  /** Takes the names of ports and VMs from the database as it is now. */
  readNames(): void {
    const snapshot = this.#client.snapshot();
    const devices = toEndDevices(snapshot);
    for (const stream of this.#streams)
      stream.ends.setDevices(devices.filter(({ bridge }) => bridge === stream.bridge));
  }

  /** One of the exporters that somebody took away, if there is one. */
  findGone(): Pick<ConversationsSource, 'bridge' | 'kind'> | undefined {
    const snapshot = this.#client.snapshot();
    return this.#streams.find((stream) => !hasExporter(snapshot, stream, this.#lease));
  }

  /** To be called well within the time of a lease. */
  async renew(): Promise<void> {
    this.#lease = newLease(this.#lease.id, this.#lease.owner);
    await renewExporters(this.#client, this.#lease);
  }

  /** Never fails: that exporters are left behind is logged, and what ended the look may have been worse. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { remote, logLevel } = this.#settings;
    try {
      await removeExporters(this.#client, this.#lease, remote);
    } catch (thrown) {
      const why = toVsbError(thrown).message;
      createLog(logLevel)('warn', fail('EXPORTER_LEFT', { remote, why }).message);
    }
    for (const stream of this.#streams) stream[Symbol.dispose]();
  }
}

/** Several renewals may fail before it is over. */
export const RENEW_EVERY_MS = LEASE_MS / 4;

function newLease(id: string, owner: string): ExporterLease {
  return { id, owner, expiresAt: new Date(Date.now() + LEASE_MS) };
}

/** @throws EXPORTER_TAKEN where the bridge has none of the kinds free that would do */
function chooseKinds(
  snapshot: Snapshot<OpenVSwitchTables>,
  bridge: string,
  by: ConversationsBy,
): readonly Pick<ConversationsSource, 'kind' | 'families'>[] {
  const taken = exportersOf(snapshot, bridge);
  if (by !== 'auto') {
    if (taken.has(by)) throw fail('EXPORTER_TAKEN', { bridge, kinds: [by], by: taken.get(by) });
    return [{ kind: by, families: by === 'netflow' ? 'IPv4' : 'IPv4 and IPv6' }];
  }
  const both = !taken.has('netflow') && !taken.has('ipfix');
  if (both)
    return [
      { kind: 'netflow', families: 'IPv4' },
      { kind: 'ipfix', families: 'IPv6' },
    ];
  if (!taken.has('ipfix')) return [{ kind: 'ipfix', families: 'IPv4 and IPv6' }];
  if (!taken.has('netflow')) return [{ kind: 'netflow', families: 'IPv4' }];
  if (!taken.has('sflow')) return [{ kind: 'sflow', families: 'IPv4 and IPv6' }];
  throw fail('EXPORTER_TAKEN', { bridge, kinds: [...taken.keys()], by: taken.get('netflow') });
}

function toEndDevices(
  snapshot: Snapshot<OpenVSwitchTables>,
): readonly (EndDevice & { readonly bridge: string })[] {
  const ifindexes = new Map<string, number>();
  for (const { name, ifindex } of snapshot.table('Interface').values())
    if (ifindex !== undefined) ifindexes.set(name, ifindex);
  return toDevices(snapshot).map((device) => ({ ...device, ifindex: ifindexes.get(device.name) }));
}
