/**
 * Open vSwitch's exporters of flows (ovs-vswitchd.conf.db(5), tables NetFlow, IPFIX, sFlow) for a limited time: rows of our
 * own on bridges that have none of that kind. Each row says until when it is wanted and by whom, so that what a process
 * left behind can be told from what is in use. Who listens, and what is made of it, is traffic/'s.
 */
import { fail } from '../errors.ts';
import type { OvsdbClient } from '../ovsdb/client/client.ts';
import { bumpNextCfg, nextCfgOf } from '../ovsdb/client/nextcfg.ts';
import { openVSwitch, type BridgeRow, type OpenVSwitchTables } from '../ovsdb/generated/vswitch.ts';
import type { Snapshot } from '../ovsdb/replica/snapshot.ts';
import { toUuid, type ColumnChoice, type Uuid } from '../ovsdb/schema/schema.ts';
import { Transaction } from '../ovsdb/transaction/transaction.ts';
import { demandSuccess } from './apply.ts';
import {
  EXPORTER_KINDS,
  EXPORTER_TABLES,
  insertExporter,
  unreference,
  type ExporterKind,
  type ExporterRequest,
} from './exporterrows.ts';

/** What the replica has to hold for this file. */
export const EXPORTER_COLUMNS = {
  Open_vSwitch: ['next_cfg', 'cur_cfg'],
  Bridge: ['name', 'netflow', 'ipfix', 'sflow'],
  NetFlow: ['external_ids'],
  IPFIX: ['external_ids'],
  sFlow: ['external_ids'],
} as const satisfies ColumnChoice<OpenVSwitchTables>;

/** Who wants exporters, and until when they are wanted if nobody says more. */
export interface ExporterLease {
  /** Told from others by it. */
  readonly id: string;
  /** As process/identity.ts writes it. */
  readonly owner: string;
  readonly expiresAt: Date;
}

/** Our marks on the rows. */
const ID_KEY = 'vswitchboard-exporter';
const EXPIRES_KEY = 'vswitchboard-expires';
const PROCESS_KEY = 'vswitchboard-process';

/**
 * The kinds of exporter that a bridge has already, each with the vsb that made it: `undefined` where that was something else.
 * None for a bridge that is not there.
 */
export function exportersOf(
  snapshot: Snapshot<OpenVSwitchTables>,
  bridge: string,
): ReadonlyMap<ExporterKind, string | undefined> {
  const row = findBridge(snapshot, bridge);
  const found = new Map<ExporterKind, string | undefined>();
  for (const kind of EXPORTER_KINDS) {
    const uuid = row?.[kind];
    if (uuid !== undefined) found.set(kind, marksOf(snapshot, kind, uuid).get(PROCESS_KEY));
  }
  return found;
}

/** True as long as the bridge has this exporter of ours. */
export function hasExporter(
  snapshot: Snapshot<OpenVSwitchTables>,
  { bridge, kind }: Pick<ExporterRequest, 'bridge' | 'kind'>,
  lease: ExporterLease,
): boolean {
  const uuid = findBridge(snapshot, bridge)?.[kind];
  return uuid !== undefined && marksOf(snapshot, kind, uuid).get(ID_KEY) === lease.id;
}

/**
 * Makes exporters, all of them or none.
 * @returns the `cur_cfg` at which ovs-vswitchd has taken them up
 * @throws EXPORTER_TAKEN where a bridge has one of that kind; SWITCH_CHANGED, also where a bridge is not there;
 *   SWITCH_REJECTED, SWITCH_OUTCOME_UNKNOWN
 */
export async function addExporters(
  client: OvsdbClient<OpenVSwitchTables>,
  requests: readonly ExporterRequest[],
  lease: ExporterLease,
  remote: string,
): Promise<bigint> {
  const snapshot = client.snapshot();
  const [root] = snapshot.table('Open_vSwitch').keys();
  if (root === undefined) throw fail('SWITCH_NOT_INITIALISED', {});
  const transaction = new Transaction(openVSwitch);
  const marks = new Map([
    [ID_KEY, lease.id],
    [PROCESS_KEY, lease.owner],
    [EXPIRES_KEY, lease.expiresAt.toISOString()],
  ]);
  for (const request of requests) insertExporter(transaction, demandFree(snapshot, request), request, marks);
  const nextCfgAt = bumpNextCfg(transaction, root);
  const outcome = await client.transact(transaction);
  // Somebody may have been quicker.
  if (outcome.outcome === 'try-again') for (const request of requests) demandFree(client.snapshot(), request);
  demandSuccess(outcome, remote);
  return nextCfgOf(outcome, nextCfgAt) ?? 0n;
}

/** Makes the exporters of a lease last until its `expiresAt`. Those that are gone stay so. */
export async function renewExporters(
  client: OvsdbClient<OpenVSwitchTables>,
  lease: ExporterLease,
): Promise<void> {
  const transaction = new Transaction(openVSwitch);
  const mark = new Map([[ID_KEY, lease.id]]);
  const expiry = new Map([[EXPIRES_KEY, lease.expiresAt.toISOString()]]);
  for (const kind of EXPORTER_KINDS)
    transaction.setKeys(EXPORTER_TABLES[kind], [['external_ids', 'includes', mark]], 'external_ids', expiry);
  await client.transact(transaction);
}

/**
 * Removes the exporters of a lease.
 * @throws SWITCH_CHANGED, SWITCH_REJECTED, SWITCH_OUTCOME_UNKNOWN; then {@link removeExpiredExporters} does it later
 */
export async function removeExporters(
  client: OvsdbClient<OpenVSwitchTables>,
  lease: ExporterLease,
  remote: string,
): Promise<void> {
  await remove(
    client,
    (await readMarks(client, remote)).filter(({ id }) => id === lease.id),
    remote,
  );
}

/**
 * Removes what is left of ours: exporters that have expired, and those whose process has ended on this host. Those of
 * others are not touched. Needs no columns of the replica. To be called by whoever writes to the switch anyway.
 * @param now wall clock
 * @param hasEnded judges an owner, as process/identity.ts does
 * @returns how many
 * @throws SWITCH_CHANGED, SWITCH_REJECTED, SWITCH_OUTCOME_UNKNOWN
 */
export async function removeExpiredExporters(
  client: OvsdbClient<OpenVSwitchTables>,
  { now, hasEnded, remote }: ExpiryOptions,
): Promise<number> {
  const expired: MarkedRow[] = [];
  for (const row of await readMarks(client, remote)) {
    // A date that cannot be read is none that somebody waits for.
    const isOver = !(Date.parse(row.expires) > now.getTime());
    if (isOver || (await hasEnded(row.owner))) expired.push(row);
  }
  await remove(client, expired, remote);
  return expired.length;
}

export interface ExpiryOptions {
  readonly now: Date;
  readonly hasEnded: (owner: string) => Promise<boolean>;
  /** For messages. */
  readonly remote: string;
}

/** A row with our mark. */
interface MarkedRow {
  readonly kind: ExporterKind;
  readonly uuid: Uuid;
  readonly id: string;
  readonly owner: string;
  readonly expires: string;
}

/** Asks the server, since a client that came for something else does not hold these tables. */
async function readMarks(client: OvsdbClient<OpenVSwitchTables>, remote: string): Promise<MarkedRow[]> {
  const transaction = new Transaction(openVSwitch);
  for (const kind of EXPORTER_KINDS) transaction.select(EXPORTER_TABLES[kind], [], ['_uuid', 'external_ids']);
  const outcome = await client.transact(transaction);
  demandSuccess(outcome, remote);
  if (outcome.outcome !== 'success') return [];
  return EXPORTER_KINDS.flatMap((kind, index) => {
    const result = outcome.results[index];
    return result?.kind === 'select' ? result.rows.flatMap((row) => toMarkedRow(kind, row)) : [];
  });
}

function toMarkedRow(kind: ExporterKind, row: Readonly<Record<string, unknown>>): MarkedRow[] {
  const { _uuid: uuid, external_ids: ids } = row;
  if (typeof uuid !== 'string' || !(ids instanceof Map) || !ids.has(ID_KEY)) return [];
  const text = (key: string): string => String(ids.get(key) ?? '');
  return [
    { kind, uuid: toUuid(uuid), id: text(ID_KEY), owner: text(PROCESS_KEY), expires: text(EXPIRES_KEY) },
  ];
}

async function remove(
  client: OvsdbClient<OpenVSwitchTables>,
  rows: readonly MarkedRow[],
  remote: string,
): Promise<void> {
  if (rows.length === 0) return;
  const transaction = new Transaction(openVSwitch);
  for (const { kind, uuid } of rows) unreference(transaction, kind, uuid);
  transaction.comment(`vswitchboard: ${String(rows.length)} exporters removed`);
  demandSuccess(await client.transact(transaction), remote);
}

/** @returns the bridge's UUID. @throws EXPORTER_TAKEN, SWITCH_CHANGED */
function demandFree(
  snapshot: Snapshot<OpenVSwitchTables>,
  { bridge, kind }: ExporterRequest,
): Uuid<'Bridge'> {
  const row = findBridge(snapshot, bridge);
  if (!row) throw fail('SWITCH_CHANGED', { what: `there is no bridge "${bridge}"` });
  const taken = exportersOf(snapshot, bridge);
  if (taken.has(kind)) throw fail('EXPORTER_TAKEN', { bridge, kinds: [kind], by: taken.get(kind) });
  return row._uuid;
}

function findBridge(snapshot: Snapshot<OpenVSwitchTables>, name: string): BridgeRow | undefined {
  return [...snapshot.table('Bridge').values()].find((bridge) => bridge.name === name);
}

function marksOf(
  snapshot: Snapshot<OpenVSwitchTables>,
  kind: ExporterKind,
  uuid: Uuid,
): ReadonlyMap<string, string> {
  return snapshot.row(EXPORTER_TABLES[kind], uuid)?.external_ids ?? new Map();
}
