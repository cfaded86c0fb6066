/**
 * What a client and a connection are told at the start, with the defaults, and how they say that they are. What they do
 * with it: client.ts and connection.ts.
 */
import type { VsbError } from '../../errors.ts';
import type { Conditions } from './conditions.ts';
import type { Lock } from './lock.ts';
import type { ColumnChoice, DatabaseSchema } from '../schema/schema.ts';
import { SharedLink, type SharedLinkOptions } from './sharedlink.ts';

/** How a database is. Only in `live` is the replica known to be current. */
export type LinkStatus =
  | { readonly at: 'connecting'; readonly remote: string }
  /** Waiting to be called by a server, at a passive remote. */
  | { readonly at: 'listening'; readonly remote: string }
  | { readonly at: 'synchronising'; readonly remote: string }
  | { readonly at: 'live'; readonly remote: string }
  /**
   * The server is there and the database is not, or not any more, or it refuses to have it followed: for the database to come
   * back, or to be another one.
   */
  | { readonly at: 'waiting'; readonly reason: VsbError }
  | { readonly at: 'backoff'; readonly retryInMs: number; readonly reason: VsbError }
  | { readonly at: 'closed' };

/** Which database, and what of it. */
export interface DatabaseOptions<Tables> {
  readonly schema: DatabaseSchema<Tables>;
  /** What the replica holds. Reading a column of a row that is not named here throws OVSDB_COLUMN_NOT_HELD. */
  readonly columns: ColumnChoice<Tables>;
  /** Which rows of them. Default: all. Changed with `setConditions`. */
  readonly conditions?: Conditions<Tables> | undefined;
  /**
   * False: the replica stays as it was at the time of connecting. For who reads once and writes once: the server need not
   * tell it what it wrote, which for thousands of rows takes as long as writing them. Default: true.
   */
  readonly follow?: boolean | undefined;
  /**
   * Of a clustered database, only the server that leads is good enough: the others show what it did a little later.
   * Relays are taken as they are. Default: true, as Open vSwitch.
   */
  readonly leaderOnly?: boolean | undefined;
  /** The id of the cluster that it must be of. Default: that of the first server met. */
  readonly clusterId?: string | undefined;
  /**
   * The name of a lock of the server (RFC 7047 §4.1.8), asked for at once, now and after each reconnect, and released at
   * `close`: every transaction is made only while it is ours. See `client.lock`.
   */
  readonly lock?: string | undefined;
  /**
   * How long to go on trying until the replica is complete the first time. Default: until each remote has failed once, or
   * the server says that it has no such database; a passive remote is waited at for ever.
   */
  readonly patienceMs?: number | undefined;
  /** Ends connecting, not the client. */
  readonly signal?: AbortSignal | undefined;
}

/** Which server, with which patience. */
export interface ConnectionOptions extends Omit<
  SharedLinkOptions,
  'remotes' | 'downloadTimeoutMs' | 'connectTimeoutMs' | 'requestTimeoutMs'
> {
  /** For one socket to connect, TLS handshake included. Default: 5 s. */
  readonly connectTimeoutMs?: number | undefined;
  /** For an answer, and for the first copy; while one is being received the time starts anew. Default: 30 s. */
  readonly requestTimeoutMs?: number | undefined;
  /**
   * `unix:PATH`, `tcp:HOST:PORT`, `ssl:HOST:PORT`, several of them (also in one text, with commas) for the servers of a
   * cluster; or `punix:`, `ptcp:`, `pssl:` to be called.
   */
  readonly remote: string | readonly string[];
}

/** Of a client with a connection of its own. */
export type ConnectOptions<Tables> = DatabaseOptions<Tables> & ConnectionOptions;

/** Limits of one transaction. */
export interface TransactOptions {
  /** Default: `requestTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Made only while this lock is ours; else the outcome is `not-locked`. Default: the database's, if it has one. */
  readonly lock?: Pick<Lock, 'name' | 'state'> | undefined;
}

const DEFAULTS = Object.freeze({
  // A socket on this host connects at once; a remote one may need a resend or two of its first packet.
  connectTimeoutMs: 5_000,
  // A transaction of 20,000 ports takes ovsdb-server under 3 s; the rest is for a busy host.
  requestTimeoutMs: 30_000,
});

/** The link that a connection's options ask for. @throws as OvsdbConnection.open */
export function openLink({ remote, ...options }: ConnectionOptions): SharedLink {
  const {
    connectTimeoutMs = DEFAULTS.connectTimeoutMs,
    requestTimeoutMs = DEFAULTS.requestTimeoutMs,
    ...more
  } = options;
  return new SharedLink({
    ...more,
    remotes: toList(remote),
    connectTimeoutMs,
    requestTimeoutMs,
    downloadTimeoutMs: requestTimeoutMs,
  });
}

/** Of a remote that is missing, as from JavaScript it can be, the link says so. */
function toList(remote: string | readonly string[] | undefined): readonly string[] {
  return typeof remote === 'string' ? [remote] : (remote ?? []);
}
