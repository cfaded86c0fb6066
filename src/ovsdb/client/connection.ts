/** A link to a server that several databases, and locks, share. What one database is: client.ts. */
import type { LinkStats } from '../../jsonrpc/link.ts';
import { OvsdbClient } from './client.ts';
import type { Lock } from './lock.ts';
import { openLink, type ConnectionOptions, type DatabaseOptions } from './options.ts';
import type { SharedLink } from './sharedlink.ts';
import { waitForEnd, type WaitForOptions } from './waitfor.ts';

/** The owner ends it with `close` or `await using`; its databases and locks end with it. */
export class OvsdbConnection implements AsyncDisposable {
  readonly #link: SharedLink;

  /**
   * Connects in the background, and again after each loss. Whether it succeeds, `database` says.
   * @throws REMOTE_INVALID, REMOTE_UNSUPPORTED, REMOTES_MIXED, TLS_FILES_MISSING, TLS_FILE_INVALID, TLS_KEY_MISMATCH
   */
  static open(options: ConnectionOptions): OvsdbConnection {
    return new OvsdbConnection(openLink(options));
  }

  private constructor(link: SharedLink) {
    this.#link = link;
  }

  /**
   * Follows a database over this link; resolves when its replica is complete. Closing it leaves the link up. A server must
   * be good enough for every database on the link, or is left: do not mix databases that different servers lead.
   * @throws as OvsdbClient.connect
   */
  database<Tables>(options: DatabaseOptions<Tables>): Promise<OvsdbClient<Tables>> {
    return OvsdbClient.over(this.#link, options, false);
  }

  /**
   * Asks for a lock of the server (RFC 7047 §4.1.8), now and after each reconnect, until it is released. Locks are the
   * server's, not a cluster's: have only the leader followed.
   * @param options.steal takes it from whom has it, the first time; after a reconnect it is asked for like any other
   * @throws OVSDB_LOCK_TWICE; OVSDB_VALUE where the name is no `<id>`; CANCELLED after `close`
   */
  lock(name: string, options: { readonly steal?: boolean } = {}): Lock {
    return this.#link.lock(name, options.steal ?? false);
  }

  /** What has gone over the link. */
  get stats(): LinkStats {
    return this.#link.stats;
  }

  /**
   * Ends the link, and what was made from it. What is in flight is `unknown`.
   * @param options limits of the wait; it ends whatever becomes of that
   * @throws OVSDB_TIMEOUT, CANCELLED, by these limits
   */
  close(options: Partial<WaitForOptions> = {}): Promise<void> {
    return waitForEnd(this.#link.close(), { ...options, what: 'closing the connection' });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
