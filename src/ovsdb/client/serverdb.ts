/**
 * The `_Server` database (ovsdb-server(5)): what a server says of the databases that it hosts, and whether one of them is
 * good enough to be followed there. Pure; who asks, and who leaves for another server: sharedlink.ts.
 */
import { codecsOf } from '../replica/codecs.ts';
import { RowCodec } from '../replica/row.ts';
import type { DatabaseSchema, Uuid } from '../schema/schema.ts';

/** One database of a server, as it is there at the moment. */
export interface DatabaseRow {
  readonly _uuid: Uuid;
  readonly name: string;
  readonly model: string;
  /** In touch with a majority of its cluster, or a relay with its source. A standalone database always is. */
  readonly connected: boolean;
  /** The leader of its cluster. A standalone database always is, a relay never. */
  readonly leader: boolean;
  /** The schema as JSON text; absent until it has joined its cluster, or reached the source of a relay. */
  readonly schema: string | undefined;
  /** The cluster's id. */
  readonly cid: Uuid | undefined;
  /** This server's id in the cluster. */
  readonly sid: Uuid | undefined;
  /** The entry of the cluster's log that this server shows. */
  readonly index: bigint | undefined;
}

/** The tables of `_Server`. */
export interface ServerTables {
  readonly Database: DatabaseRow;
}

/** The name of the database. */
export const SERVER_DATABASE = '_Server';

/** Version 1.2.0. `model` is read as any text, so that one that comes later does not end the session. */
const serverSchema: DatabaseSchema<ServerTables> = {
  name: SERVER_DATABASE,
  version: '1.2.0',
  tables: {
    Database: {
      isRoot: true,
      indexes: [],
      columns: {
        name: { key: { type: 'string' }, min: 1, max: 1 },
        model: { key: { type: 'string' }, min: 1, max: 1 },
        connected: { key: { type: 'boolean' }, min: 1, max: 1 },
        leader: { key: { type: 'boolean' }, min: 1, max: 1 },
        schema: { key: { type: 'string' }, min: 0, max: 1 },
        cid: { key: { type: 'uuid' }, min: 0, max: 1 },
        sid: { key: { type: 'uuid' }, min: 0, max: 1 },
        index: { key: { type: 'integer', wide: true }, min: 0, max: 1 },
      },
    },
  },
};

const COLUMNS = Object.keys(serverSchema.tables.Database.columns);

/** What `monitor_cond` is asked for: the columns have all been there since `_Server` is (2.9). */
export const SERVER_MONITOR = Object.freeze({ Database: [{ columns: COLUMNS, where: [true] }] });

/** The codec of the followed table, for a replica. */
export function serverCodecs(): ReadonlyMap<string, RowCodec> {
  return new Map(
    [...codecsOf(serverSchema).values()].map((codec) => [codec.name, new RowCodec(codec, COLUMNS)]),
  );
}

/** What is asked of a server before a database is followed there. */
export interface Demands {
  /** Of a clustered database only; a relay is never a leader and taken as it is. */
  readonly leaderOnly: boolean;
  /** The cluster that it must be of; `undefined`: not known yet. */
  readonly clusterId: Uuid | undefined;
  /** The highest entry of the cluster's log that was seen: a server that shows less would take us back in time. */
  readonly leastIndex: bigint;
}

/** Whether a database can be followed on this server: `undefined`, or why not (as lib/ovsdb-cs.c judges). */
export function judge(row: DatabaseRow, demands: Demands): string | undefined {
  if (row.model === 'clustered') {
    if (row.schema === undefined) return 'it has not joined its cluster yet';
    if (demands.clusterId !== undefined && row.cid !== demands.clusterId)
      return `it is of the cluster ${row.cid ?? '(none)'}, and wanted is ${demands.clusterId}`;
    if (!row.connected) return 'it is cut off from its cluster';
    if (demands.leaderOnly && !row.leader) return 'it is not the leader of its cluster';
    if ((row.index ?? 0n) < demands.leastIndex)
      return `its data is stale (index ${String(row.index ?? 0n)}, seen was ${String(demands.leastIndex)})`;
    return undefined;
  }
  if (demands.clusterId !== undefined && row.model === 'standalone')
    return `it is standalone, and wanted is the cluster ${demands.clusterId}`;
  if (row.model === 'relay') {
    if (row.schema === undefined) return 'the relay has not reached its source yet';
    if (!row.connected) return 'the relay is cut off from its source';
  }
  return row.schema === undefined ? 'it has no schema' : undefined;
}

/** What is demanded from now on, after a server that was fit: the cluster is pinned, the index never goes back. */
export function remember(demands: Demands, row: DatabaseRow): Demands {
  if (row.model !== 'clustered') return demands;
  const index = row.index ?? 0n;
  return {
    ...demands,
    clusterId: demands.clusterId ?? row.cid,
    leastIndex: index > demands.leastIndex ? index : demands.leastIndex,
  };
}

/** Whether a database is back, is another one of its name (ovsdb-server(5), `_uuid`), or has another schema. */
export function isOther(row: DatabaseRow | undefined, before: DatabaseRow | undefined): boolean {
  return row !== undefined && (row._uuid !== before?._uuid || row.schema !== before.schema);
}
