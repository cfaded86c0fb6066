import { expect } from 'chai';
import { openVSwitch, type OpenVSwitchTables } from '../../src/ovsdb/generated/vswitch.ts';
import { rowIndex } from '../../src/ovsdb/replica/indexes.ts';
import type { Ref } from '../../src/ovsdb/schema/ref.ts';
import { toUuid, type Uuid } from '../../src/ovsdb/schema/schema.ts';
import { Transaction } from '../../src/ovsdb/transaction/transaction.ts';
import { OvsdbServer } from '../support/ovsdb.ts';
import { connectTo, type Client } from '../support/ovsdbclient.ts';

const COLUMNS = {
  Open_vSwitch: ['bridges', 'external_ids', 'next_cfg', 'ssl'],
  Bridge: ['name', 'ports'],
  Port: ['name', 'interfaces'],
  Interface: ['name'],
  QoS: ['queues'],
  Queue: ['dscp', 'other_config'],
} as const;

describe('ovsdb optimistic transactions', () => {
  let server: OvsdbServer;
  let client: Client;
  let root: Uuid<'Open_vSwitch'>;

  before(async () => {
    server = await OvsdbServer.start();
    client = await connectTo(server.remote, { columns: COLUMNS });
    const [row] = client.snapshot().table('Open_vSwitch').values();
    if (!row) throw new Error('no root');
    root = row._uuid;
  });

  after(async () => {
    await client.close();
    const log = server.log();
    await server[Symbol.asyncDispose]();
    expect(log).to.not.include('bad JSON-RPC message');
  });

  const begin = () => new Transaction<OpenVSwitchTables>(openVSwitch, { over: client.snapshot() });

  it('go on where everything is as it was read, and not where it is not', async () => {
    const first = begin();
    const second = begin();
    for (const [transaction, value] of [
      [first, 'first'],
      [second, 'second'],
    ] as const) {
      transaction.expect('Open_vSwitch', root, ['external_ids', 'bridges', 'next_cfg', 'ssl']);
      transaction.setKeys('Open_vSwitch', root, 'external_ids', new Map([['by', value]]));
    }
    expect(await client.transact(first)).to.have.property('outcome', 'success');
    expect(await client.transact(second)).to.have.property('outcome', 'try-again');
    expect(client.snapshot().row('Open_vSwitch', root)?.external_ids.get('by')).to.equal('first');
    const third = begin();
    third.setKeys(
      'Open_vSwitch',
      root,
      'external_ids',
      new Map([
        ['by', 'third'],
        ['and', 'more'],
      ]),
    );
    expect(await client.transact(third)).to.have.property('outcome', 'success');
    expect(client.snapshot().row('Open_vSwitch', root)?.external_ids).to.include.all.keys('and', 'by');
    expect(client.snapshot().row('Open_vSwitch', root)).to.deep.equal(
      third.preview().row('Open_vSwitch', root),
    );
  });

  it('go on where a row is there, and not where it went', async () => {
    const uuid = toUuid('aaaaaaaa-0000-4000-8000-000000000001');
    const insert = begin();
    insert.insert('Queue', { dscp: 1 }, { uuid });
    await client.transact(insert);
    const there = begin();
    const late = begin();
    for (const transaction of [there, late]) {
      transaction.expect('Queue', uuid, []);
      transaction.delete('Queue', uuid);
    }
    expect(await client.transact(there)).to.have.property('outcome', 'success');
    expect(await client.transact(late)).to.have.property('outcome', 'try-again');
  });

  it('find their own rows by index', () => {
    const transaction = begin();
    const bridge = transaction.insert('Bridge', { name: 'br-own' });
    expect(transaction.snapshot().get('Bridge', { name: 'br-own' })?._uuid).to.equal(
      transaction.uuidOf(bridge),
    );
    transaction.delete('Bridge', bridge);
    expect(transaction.snapshot().get('Bridge', { name: 'br-own' })).to.equal(undefined);
    const queue = transaction.insert('Queue', { dscp: 9 });
    const byDscp = rowIndex(openVSwitch, 'Queue', 'dscp');
    expect(transaction.snapshot().find(byDscp, 9)).to.have.lengthOf(1);
    transaction.update('Queue', queue, { dscp: 10 });
    expect(transaction.snapshot().find(byDscp, 9)).to.have.lengthOf(0);
    expect(transaction.snapshot().find(byDscp, 10)).to.have.lengthOf(1);
    expect(client.snapshot().find(byDscp, 10)).to.have.lengthOf(0);
  });

  it('refer to rows of chosen UUIDs by name and by UUID, and to rows that a snapshot of theirs shows', async () => {
    const transaction = begin();
    const uuid = toUuid('aaaaaaaa-0000-4000-8000-000000000002') as Uuid<'Queue'>;
    const chosen = transaction.insert('Queue', { dscp: 2 }, { uuid });
    transaction.insert('Queue', { dscp: 3 });
    const [shown] = [...transaction.snapshot().table('Queue').values()].filter(({ dscp }) => dscp === 3);
    if (!shown) throw new Error('not shown');
    const queues = new Map<number, Uuid<'Queue'> | Ref<'Queue'>>([
      [0, chosen],
      [1, uuid],
      [2, shown._uuid],
    ]);
    const qos = transaction.insert('QoS', { queues });
    transaction.setKeys('Queue', shown._uuid, 'other_config', new Map([['max-rate', '5']]));
    const outcome = await client.transact(transaction);
    if (outcome.outcome !== 'success') throw new Error(JSON.stringify(outcome));
    const row = client.snapshot().row('QoS', outcome.uuids.get(qos) ?? uuid);
    expect(row?.queues.get(0)).to.equal(uuid);
    expect(row?.queues.get(1)).to.equal(uuid);
    const third = client.snapshot().row('Queue', row?.queues.get(2) ?? uuid);
    expect(third).to.deep.include({ dscp: 3, other_config: new Map([['max-rate', '5']]) });
  });
});
