import { expect } from 'chai';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { filter, firstValueFrom } from 'rxjs';
import { OvsdbClient, type LinkStatus } from '../../src/ovsdb/client.ts';
import { openVSwitch, type OpenVSwitchTables } from '../../src/ovsdb/generated/vswitch.ts';
import { Transaction } from '../../src/ovsdb/transaction.ts';
import { OvsdbServer } from '../support/ovsdb.ts';

const COLUMNS = {
  Open_vSwitch: ['bridges', 'external_ids'],
  Bridge: ['name', 'ports'],
  Port: ['name'],
} as const;

function connect(server: OvsdbServer, log: (level: string, message: string) => void = () => undefined) {
  return OvsdbClient.connect({
    remote: server.remote,
    schema: openVSwitch,
    columns: COLUMNS,
    connectTimeoutMs: 5000,
    requestTimeoutMs: 10_000,
    log,
  });
}

const status = (client: OvsdbClient<OpenVSwitchTables>, at: LinkStatus['at']) =>
  firstValueFrom(client.status$.pipe(filter((now) => now.at === at)));

function addQueue(): Transaction<OpenVSwitchTables> {
  const transaction = new Transaction(openVSwitch);
  transaction.insert('Queue', { dscp: 1 });
  return transaction;
}

describe('ovsdb reconnect', () => {
  it('does not know what became of a transaction when the server dies under it', async () => {
    await using server = await OvsdbServer.start();
    await using client = await connect(server);
    server.signal('SIGSTOP');
    const outcome = client.transact(addQueue());
    await server.kill();
    expect(await outcome).to.have.property('outcome', 'unknown');
    expect(await outcome).to.have.nested.property('reason.code', 'OVSDB_LINK_LOST');
    expect((await client.transact(addQueue())).outcome).to.equal('try-again');
  });

  it('does not know it either when patience ends', async () => {
    await using server = await OvsdbServer.start();
    await using client = await connect(server);
    server.signal('SIGSTOP');
    const timed = await client.transact(addQueue(), { timeoutMs: 1 });
    expect(timed).to.have.nested.property('reason.code', 'OVSDB_TIMEOUT');
    const stop = new AbortController();
    const cancelled = client.transact(addQueue(), { signal: stop.signal });
    stop.abort();
    expect(await cancelled).to.have.nested.property('reason.code', 'CANCELLED');
    const closing = client.transact(addQueue());
    await client.close();
    expect(await closing).to.have.nested.property('reason.code', 'CANCELLED');
  });

  it('comes back without a change event where nothing changed, and with one where something did', async () => {
    await using server = await OvsdbServer.start();
    await server.vsctl('add-br', 'br0', '--', 'add-br', 'br1');
    const log: string[] = [];
    await using client = await connect(server, (level, message) => log.push(`${level}: ${message}`));
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
    expect((await client.transact(addQueue())).outcome).to.equal('success');
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
