/** One of our clients behind a proxy of its own, which makes the server as old as its kind of monitor. */
import { expect } from 'chai';
import { OvsdbClient } from '../../src/ovsdb/client/client.ts';
import { MONITOR_METHODS, type MonitorMethod } from '../../src/ovsdb/client/monitor.ts';
import type { DatabaseSchema, GenericTables } from '../../src/ovsdb/schema/schema.ts';
import { TEST_LIMITS } from '../support/ovsdbclient.ts';
import type { Held } from '../support/peers/content.ts';
import { OvsdbProxy } from '../support/peers/proxy.ts';
import type { Schema } from './schemas.ts';
import { LIMIT_MS, Watched } from './watched.ts';

export class Follower extends Watched {
  readonly proxy: OvsdbProxy;

  /** Connects; the proxy gets a socket at this path. */
  static async open(
    path: string,
    upstream: string,
    method: MonitorMethod,
    schema: Schema,
    held: Held,
    ours: DatabaseSchema<GenericTables>,
  ): Promise<Follower> {
    const refused = MONITOR_METHODS.slice(0, MONITOR_METHODS.indexOf(method));
    const proxy = await OvsdbProxy.start(path, upstream, refused);
    const client = await OvsdbClient.connect({
      remote: proxy.remote,
      schema: ours,
      columns: held,
      connectTimeoutMs: LIMIT_MS,
      requestTimeoutMs: LIMIT_MS,
      backoff: TEST_LIMITS.backoff,
    });
    expect(proxy.methods.filter((name) => name.startsWith('monitor')).at(-1)).to.equal(method);
    return new Follower(proxy, method, client, schema, held);
  }

  private constructor(
    proxy: OvsdbProxy,
    method: MonitorMethod,
    client: OvsdbClient<GenericTables>,
    schema: Schema,
    held: Held,
  ) {
    super(`with ${method}`, client, schema, held);
    this.proxy = proxy;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    await this.proxy[Symbol.asyncDispose]();
  }
}
