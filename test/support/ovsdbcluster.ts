/** Private ovsdb-servers that make up one clustered database (ovsdb(7), "Clustered Database Service Model"). */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newDirectory, OvsdbServer } from './ovsdb.ts';

const SCHEMA = fileURLToPath(new URL('../../src/ovsdb/generated/vswitch.ovsschema', import.meta.url));
const DATABASE = 'Open_vSwitch';

/** A schema other than Open vSwitch's, whose database starts empty. */
export interface ClusterSchema {
  readonly path: string;
  readonly database: string;
}

export class OvsdbCluster implements AsyncDisposable {
  readonly servers: readonly OvsdbServer[];
  readonly #database: string;

  private constructor(servers: readonly OvsdbServer[], database: string) {
    this.servers = servers;
    this.#database = database;
  }

  /** As many servers, all joined; without a schema of its own with a database that has its one Open_vSwitch row. */
  static async start(count = 3, schema?: ClusterSchema): Promise<OvsdbCluster> {
    const { path: schemaPath, database } = schema ?? { path: SCHEMA, database: DATABASE };
    const servers: OvsdbServer[] = [];
    try {
      let first: string | undefined;
      for (let index = 0; index < count; index += 1) {
        const directory = newDirectory();
        const path = join(directory, 'conf.db');
        const raft = `unix:${join(directory, 'raft.sock')}`;
        const how =
          first === undefined
            ? ['create-cluster', path, schemaPath, raft]
            : ['join-cluster', path, database, raft, first];
        execFileSync('ovsdb-tool', how);
        first ??= raft;
        const server = await OvsdbServer.serve(directory, [path]);
        servers.push(server);
        await server.client('wait', server.remote, database, 'connected');
      }
      const cluster = new OvsdbCluster(servers, database);
      const leader = await cluster.leader();
      if (!schema) await leader.vsctl('init');
      return cluster;
    } catch (thrown) {
      await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
      throw thrown;
    }
  }

  /** Every server's remote. */
  get remotes(): readonly string[] {
    return this.servers.map(({ remote }) => remote);
  }

  /** The server that leads; waits for the end of an election. */
  async leader(): Promise<OvsdbServer> {
    for (;;) {
      for (const server of this.servers)
        if (server.runs && /^Role: leader$/m.test(await server.ctl('cluster/status', this.#database)))
          return server;
      await this.#somethingLogged();
    }
  }

  /** The servers that do not lead. */
  async followers(): Promise<readonly OvsdbServer[]> {
    const leader = await this.leader();
    return this.servers.filter((server) => server !== leader);
  }

  /** Makes the leader hand over, and waits until another one leads. */
  async transferLeadership(): Promise<OvsdbServer> {
    const before = await this.leader();
    await before.ctl('cluster/failure-test', 'transfer-leadership');
    for (;;) {
      const now = await this.leader();
      if (now !== before) return now;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ends = await Promise.allSettled(this.servers.map((server) => server[Symbol.asyncDispose]()));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  async #somethingLogged(): Promise<void> {
    const stop = new AbortController();
    const watchers = this.servers.map(({ directory }) => watch(directory));
    try {
      const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(200)]);
      await Promise.race(
        watchers.map((watcher) => once(watcher, 'change', { signal }).catch(() => undefined)),
      );
    } finally {
      stop.abort();
      for (const watcher of watchers) watcher.close();
    }
  }
}
