import { expect } from 'chai';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { VsbError } from '../../src/errors.ts';
import { OvsdbClient } from '../../src/ovsdb/client/client.ts';
import { openVSwitch } from '../../src/ovsdb/generated/vswitch.ts';
import { OvsdbServer } from '../support/ovsdb.ts';
import { addQueue, connectTo, liveAgain, recordChanges, status } from '../support/ovsdbclient.ts';

describe('ovsdb reconnect', () => {
  it('does not know what became of a transaction when the server dies under it', async () => {
    await using server = await OvsdbServer.start();
    await using client = await connectTo(server.remote);
    server.signal('SIGSTOP');
    const outcome = client.transact(addQueue(1));
    await server.kill();
    expect(await outcome).to.have.property('outcome', 'unknown');
    expect(await outcome).to.have.nested.property('reason.code', 'OVSDB_LINK_LOST');
    expect((await client.transact(addQueue(1))).outcome).to.equal('try-again');
  });

  it('does not know it either when patience ends', async () => {
    await using server = await OvsdbServer.start();
    await using client = await connectTo(server.remote);
    server.signal('SIGSTOP');
    const timed = await client.transact(addQueue(1), { timeoutMs: 1 });
    expect(timed).to.have.nested.property('reason.code', 'OVSDB_TIMEOUT');
    const stop = new AbortController();
    const cancelled = client.transact(addQueue(1), { signal: stop.signal });
    stop.abort();
    expect(await cancelled).to.have.nested.property('reason.code', 'CANCELLED');
    const closing = client.transact(addQueue(1));
    await client.close();
    expect(await closing).to.have.nested.property('reason.code', 'CANCELLED');
  });

  it('comes back without a change event where nothing changed, and with one where something did', async () => {
    await using server = await OvsdbServer.start();
    await server.vsctl('add-br', 'br0', '--', 'add-br', 'br1');
    const log: string[] = [];
    await using client = await connectTo(server.remote, {
      log: (level, message) => log.push(`${level}: ${message}`),
    });
    const snapshots: number[] = [];
    const states: string[] = [];
    client.snapshots$.subscribe((snapshot) => snapshots.push(snapshot.table('Bridge').size));
    client.status$.subscribe(({ at }) => states.push(at));
    const before = client.snapshot();

    await server.kill();
    await status(client, 'backoff');
    await server.restart();
    await status(client, 'live');
    expect(client.snapshot()).to.equal(before);
    expect(snapshots).to.deep.equal([2]);
    expect(states[0]).to.equal('live');
    expect(states.slice(-3)).to.deep.equal(['connecting', 'synchronising', 'live']);
    expect(log.join('\n')).to.match(/warn: The link .* is lost: .* Trying again in \d+ ms\./);

    server.signal('SIGSTOP');
    await server.kill();
    await status(client, 'backoff');
    await server.restart();
    await server.vsctl('add-br', 'br2');
    await client.waitFor((snapshot) => (snapshot.table('Bridge').size === 3 ? true : undefined), {
      timeoutMs: 10_000,
    });
    await status(client, 'live');
    for (const [uuid, row] of before.table('Bridge'))
      expect(client.snapshot().row('Bridge', uuid)).to.equal(row);
    expect((await client.transact(addQueue(1))).outcome).to.equal('success');
  });

  it('tells exactly what somebody changed while the link was down', async () => {
    await using server = await OvsdbServer.start();
    await server.vsctl('add-br', 'br0', '--', 'add-br', 'br1');
    await using client = await connectTo(server.remote);
    const changes = recordChanges(client);
    const before = client.snapshot();
    const live = liveAgain(client);
    await server.kill();
    // On the file itself: nobody can be told meanwhile.
    await server.offline(
      { op: 'update', table: 'Port', where: [['name', '==', 'br0']], row: { tag: 7 } },
      { op: 'insert', table: 'Queue', row: { dscp: 5 } },
    );
    await server.restart();
    await live;
    expect(changes).to.deep.equal([['insert Queue 5', 'modify Port br0']]);
    const after = client.snapshot();
    expect(after.table('Bridge')).to.equal(before.table('Bridge'));
    const [first, second] = [...before.table('Port').values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    if (!first || !second) throw new Error('two ports');
    expect(after.row('Port', first._uuid)).to.include({ name: 'br0', tag: 7 });
    expect(after.row('Port', second._uuid)).to.equal(second);

    const { lastResync, ...counted } = client.metrics();
    expect(lastResync).to.include({ rows: 6, changedRows: 2, isDifference: false });
    expect(lastResync?.bytes).to.be.greaterThan(0);
    expect(counted).to.include({ reconnects: 1, updates: 2 });
    expect(await client.selfCheck()).to.deep.equal([]);
  });

  it('leaves a server that falls silent, and comes back to it', async () => {
    await using server = await OvsdbServer.start();
    server.signal('SIGSTOP');
    const heard = new AbortController();
    const connecting = connectTo(server.remote, {
      requestTimeoutMs: 50,
      patienceMs: 10_000,
      log: (_level, message) => {
        if (message.includes('No end after 50 ms')) heard.abort();
      },
    });
    if (!heard.signal.aborted) await once(heard.signal, 'abort');
    server.signal('SIGCONT');
    await using client = await connecting;
    expect(await client.selfCheck({ timeoutMs: 5000 })).to.deep.equal([]);
  });

  it('ends everything with the client', async () => {
    await using server = await OvsdbServer.start();
    const client = await connectTo(server.remote);
    const ends: string[] = [];
    client.snapshots$.subscribe({ complete: () => ends.push('snapshots') });
    client.changes$.subscribe({ complete: () => ends.push('changes') });
    client.status$.subscribe({ complete: () => ends.push('status') });
    const reasons = Promise.all(
      [
        client.waitFor(() => undefined, { timeoutMs: 60_000 }),
        client.setConditions({ Queue: false }, { timeoutMs: 60_000 }),
        client.selfCheck(),
      ].map((promise) =>
        promise.then(
          () => 'none',
          (thrown: unknown) => (thrown as VsbError).code,
        ),
      ),
    );
    server.signal('SIGSTOP');
    await client.close();
    await client.close();
    expect(await reasons).to.deep.equal(['CANCELLED', 'CANCELLED', 'CANCELLED']);
    expect(ends.sort()).to.deep.equal(['changes', 'snapshots', 'status']);
    const outcome = await client.transact(addQueue(1));
    expect(outcome.outcome).to.equal('try-again');
  });

  it('does without tables and columns that an older server lacks, and says so', async () => {
    const path = new URL('../../src/ovsdb/generated/vswitch.ovsschema', import.meta.url);
    const schema = JSON.parse(readFileSync(path, 'utf8')) as {
      tables: Record<string, { columns: Record<string, unknown> }>;
    };
    delete schema.tables['CT_Zone'];
    delete schema.tables['Datapath'];
    delete schema.tables['Open_vSwitch']?.columns['datapaths'];
    delete schema.tables['Interface']?.columns['ingress_policing_kpkts_rate'];
    await using helper = await OvsdbServer.start();
    const older = join(helper.directory, 'older.ovsschema');
    writeFileSync(older, JSON.stringify(schema));
    await using server = await OvsdbServer.start({ schemaPath: older });
    await server.vsctl('add-br', 'br0');
    const warnings: string[] = [];
    await using client = await OvsdbClient.connect({
      remote: server.remote,
      schema: openVSwitch,
      columns: { Interface: ['name', 'ingress_policing_kpkts_rate'], CT_Zone: ['external_ids'] },
      connectTimeoutMs: 5000,
      requestTimeoutMs: 5000,
      log: (level, message) => {
        if (level === 'warn') warnings.push(message);
      },
    });
    const [row] = client.snapshot().table('Interface').values();
    expect(row).to.include({ name: 'br0', ingress_policing_kpkts_rate: 0n });
    expect(client.snapshot().table('CT_Zone').size).to.equal(0);
    expect(warnings.join()).to.match(/Interface\.ingress_policing_kpkts_rate.*CT_Zone/);
  });
});
