import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { VsbError } from '../../src/errors.ts';
import { OvsdbConnection } from '../../src/ovsdb/client/connection.ts';
import { ovnNorthbound } from '../../src/ovsdb/generated/ovn-nb.ts';
import { openVSwitch } from '../../src/ovsdb/generated/vswitch.ts';
import { Transaction } from '../../src/ovsdb/transaction/transaction.ts';
import { newDirectory, OvsdbServer } from '../support/ovsdb.ts';
import {
  addQueue,
  COLUMNS,
  connectTo,
  liveAgain,
  queues,
  recordChanges,
  status,
  TEST_LIMITS,
} from '../support/ovsdbclient.ts';
import { OvsdbCluster } from '../support/ovsdbcluster.ts';

const WAIT = { timeoutMs: 10_000 };

interface SchemaFile {
  version: string;
  readonly tables: Record<string, { readonly columns: Record<string, unknown> }>;
}

const schemaPath = (name: string) =>
  fileURLToPath(new URL(`../../src/ovsdb/generated/${name}.ovsschema`, import.meta.url));

/** A file with Open vSwitch's schema, changed. */
function changedSchema(server: OvsdbServer, name: string, change: (schema: SchemaFile) => void): string {
  const schema = JSON.parse(readFileSync(schemaPath('vswitch'), 'utf8')) as SchemaFile;
  change(schema);
  const path = join(server.directory, name);
  writeFileSync(path, JSON.stringify(schema));
  return path;
}

/** A server of Open_vSwitch and OVN_Northbound. */
async function startTwo(): Promise<OvsdbServer> {
  const directory = newDirectory();
  const paths = ['vswitch', 'ovn-nb'].map((name) => {
    const path = join(directory, `${name}.db`);
    execFileSync('ovsdb-tool', ['create', path, schemaPath(name)]);
    return path;
  });
  return OvsdbServer.serve(directory, paths);
}

describe('ovsdb databases', () => {
  it('takes a column that is named twice for one', async () => {
    await using server = await OvsdbServer.start();
    await using client = await connectTo(server.remote, { columns: { Queue: ['dscp', 'dscp'] } });
    expect((await client.transact(addQueue(1))).outcome).to.equal('success');
    expect(await client.selfCheck()).to.deep.equal([]);
  });

  it('follows no database that is closed by who is told of another', async () => {
    await using server = await startTwo();
    await using connection = OvsdbConnection.open({ remote: server.remote, ...TEST_LIMITS });
    const client = await connection.database({ schema: openVSwitch, columns: COLUMNS });
    const ovn = await connection.database({ schema: ovnNorthbound, columns: { Logical_Switch: ['name'] } });
    await server.kill();
    await status(client, 'backoff');
    const closed = status(client, 'synchronising').then(() => undefined);
    client.status$.subscribe(({ at }) => {
      if (at === 'synchronising') void ovn.close();
    });
    await server.restart();
    await closed;
    await status(client, 'live');
    await client.selfCheck();
    // That of _Server and that of the client.
    expect(await server.ctl('memory/show')).to.match(/\bmonitors:2\b/);
  });

  it('follows two databases on one session, each by itself', async () => {
    await using server = await startTwo();
    await using connection = OvsdbConnection.open({ remote: server.remote, ...TEST_LIMITS });
    const [client, ovn] = await Promise.all([
      connection.database({ schema: openVSwitch, columns: COLUMNS }),
      connection.database({ schema: ovnNorthbound, columns: { Logical_Switch: ['name', 'other_config'] } }),
    ]);
    const changes = recordChanges(client);
    const ovnChanges: number[] = [];
    ovn.changes$.subscribe(({ size }) => ovnChanges.push(size));
    expect((await client.transact(addQueue(1))).outcome).to.equal('success');
    const add = new Transaction(ovnNorthbound);
    add.insert('Logical_Switch', { name: 'ls0' });
    expect((await ovn.transact(add)).outcome).to.equal('success');
    expect([...ovn.snapshot().table('Logical_Switch').values()].map(({ name }) => name)).to.deep.equal([
      'ls0',
    ]);
    expect(changes).to.deep.equal([['insert Queue 1']]);
    expect(ovnChanges).to.deep.equal([1]);
    expect(connection.stats.connects).to.equal(1);

    const both = Promise.all([liveAgain(client), status(ovn, 'backoff').then(() => status(ovn, 'live'))]);
    await server.kill();
    await server.restart();
    await both;
    expect([changes.length, ovnChanges.length]).to.deep.equal([1, 1]);
    expect(await ovn.selfCheck()).to.deep.equal([]);

    await ovn.close();
    expect((await client.transact(addQueue(2))).outcome).to.equal('success');
    await connection.close();
    expect((await client.transact(addQueue(3))).outcome).to.equal('try-again');
  });

  it('lives through a conversion of the schema without losing the link, or telling what did not change', async () => {
    await using server = await OvsdbServer.start();
    await server.vsctl('add-br', 'br0', '--', 'br-set-external-id', 'br0', 'a', 'b');
    await using client = await connectTo(server.remote);
    const changes = recordChanges(client);
    const more = changedSchema(server, 'more.ovsschema', (schema) => {
      schema.version = '8.99.0';
      Object.assign(schema.tables['Bridge']?.columns ?? {}, { colour: { type: 'string' } });
    });
    let live = liveAgain(client);
    await server.client('convert', server.remote, more);
    await live;
    expect(client.missing).to.deep.equal([]);

    const fewer = changedSchema(server, 'fewer.ovsschema', (schema) => {
      schema.version = '8.98.0';
      delete schema.tables['Bridge']?.columns['external_ids'];
    });
    live = liveAgain(client);
    await server.client('convert', server.remote, fewer);
    await live;
    expect(client.missing).to.deep.equal(['Bridge.external_ids']);
    expect((await client.transact(addQueue(1))).outcome).to.equal('success');
    expect(changes).to.deep.equal([['modify Bridge br0'], ['insert Queue 1']]);
    expect(await client.selfCheck()).to.deep.equal([]);
    expect(client.metrics()).to.include({ reconnects: 0 });
  });

  it('lives through it in a cluster too, beside the leader and beside another server', async function () {
    this.timeout(30_000);
    await using cluster = await OvsdbCluster.start();
    const leader = await cluster.leader();
    const [follower] = await cluster.followers();
    if (!follower) throw new Error('no follower');
    await leader.vsctl('add-br', 'br0');
    await using client = await connectTo(leader.remote);
    await using other = await connectTo(follower.remote, { leaderOnly: false });
    const changes = [recordChanges(client), recordChanges(other)];
    const more = changedSchema(leader, 'more.ovsschema', (schema) => {
      schema.version = '8.99.0';
      Object.assign(schema.tables['Bridge']?.columns ?? {}, { colour: { type: 'string' } });
    });
    const live = Promise.all([liveAgain(client), liveAgain(other)]);
    await leader.client('convert', leader.remote, more);
    await live;
    expect((await client.transact(addQueue(1))).outcome).to.equal('success');
    await other.waitFor(() => (queues(other).length === 1 ? true : undefined), WAIT);
    expect(changes).to.deep.equal([[['insert Queue 1']], [['insert Queue 1']]]);
    expect([client.metrics().reconnects, other.metrics().reconnects]).to.deep.equal([0, 0]);
    for (const one of [client, other]) expect(await one.selfCheck()).to.deep.equal([]);
  });

  it('waits for a database that was removed to come back', async () => {
    await using server = await OvsdbServer.start();
    await using client = await connectTo(server.remote);
    const changes = recordChanges(client);
    const waiting = status(client, 'waiting');
    await server.ctl('ovsdb-server/remove-db', 'Open_vSwitch');
    expect((await waiting).reason.code).to.equal('OVSDB_NO_DATABASE');
    const refused = await client.transact(addQueue(1));
    expect(refused.outcome).to.equal('try-again');
    expect(client.snapshot().table('Open_vSwitch').size).to.equal(1);

    const live = status(client, 'live');
    await server.ctl('ovsdb-server/add-db', join(server.directory, 'conf.db'));
    await live;
    expect(changes).to.deep.equal([]);
    expect((await client.transact(addQueue(1))).outcome).to.equal('success');
    expect(queues(client)).to.deep.equal([1]);
    expect(client.metrics()).to.include({ reconnects: 0 });
  });

  it('says at first that there is no such database; or waits for it, where it is told to be patient', async () => {
    await using server = await OvsdbServer.start();
    await using connection = OvsdbConnection.open({ remote: server.remote, ...TEST_LIMITS });
    const wanted = { schema: ovnNorthbound, columns: { Logical_Switch: ['name'] } } as const;
    const refused = await connection.database(wanted).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(refused).to.be.instanceOf(VsbError).with.property('code', 'OVSDB_NO_DATABASE');
    const coming = connection.database({ ...wanted, patienceMs: 10_000 });
    const path = join(server.directory, 'nb.db');
    execFileSync('ovsdb-tool', ['create', path, schemaPath('ovn-nb')]);
    await server.ctl('ovsdb-server/add-db', path);
    const ovn = await coming;
    const add = new Transaction(ovnNorthbound);
    add.insert('Logical_Switch', { name: 'ls0' });
    expect((await ovn.transact(add)).outcome).to.equal('success');
    await ovn.waitFor((snapshot) => snapshot.table('Logical_Switch').size === 1 || undefined, WAIT);
  });

  it('does not disturb the others on the link where the server refuses to have one followed', async () => {
    await using server = await startTwo();
    await using connection = OvsdbConnection.open({ remote: server.remote, ...TEST_LIMITS });
    const client = await connection.database({ schema: openVSwitch, columns: COLUMNS });
    const refused = await connection
      .database({
        schema: ovnNorthbound,
        columns: { Logical_Switch: ['name'] },
        conditions: { Logical_Switch: [['name', '<', 'x']] },
      })
      .then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
    expect(refused).to.be.instanceOf(VsbError).with.property('code', 'OVSDB_REQUEST_REFUSED');
    expect((await client.transact(addQueue(1))).outcome).to.equal('success');
    expect(connection.stats.connects).to.equal(1);
  });

  it('ends the observables of one at once, though the server is silent', async () => {
    await using server = await OvsdbServer.start();
    await using connection = OvsdbConnection.open({ remote: server.remote, ...TEST_LIMITS });
    const client = await connection.database({ schema: openVSwitch, columns: COLUMNS });
    const ends: string[] = [];
    client.status$.subscribe({ complete: () => ends.push('status') });
    client.changes$.subscribe({ complete: () => ends.push('changes') });
    server.signal('SIGSTOP');
    const closing = client.close();
    expect(ends).to.deep.equal(['status', 'changes']);
    server.signal('SIGCONT');
    await closing;
    expect(connection.stats.connects).to.equal(1);
  });

  it('finds what a replica has wrong', async () => {
    await using server = await OvsdbServer.start();
    await server.vsctl('add-br', 'br0', '--', 'add-br', 'br1');
    await using client = await connectTo(server.remote, { follow: false });
    expect(await client.selfCheck()).to.deep.equal([]);
    await server.vsctl('del-br', 'br1', '--', 'set', 'Port', 'br0', 'tag=7', '--', 'add-port', 'br0', 'p0');
    const differences = await client.selfCheck();
    expect(
      differences.map(({ table, kind, columns }) => [kind, table, ...columns].join(' ')).sort(),
    ).to.deep.equal([
      'differs Bridge ports',
      'differs Open_vSwitch bridges',
      'differs Port tag',
      'missing Port',
      'surplus Bridge',
      'surplus Port',
    ]);
  });
});
