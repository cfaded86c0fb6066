import { expect } from 'chai';
import { VsbError } from '../../src/errors.ts';
import { OvsdbClient } from '../../src/ovsdb/client/client.ts';
import { openVSwitch, type OpenVSwitchTables } from '../../src/ovsdb/generated/vswitch.ts';
import { bumpNextCfg, nextCfgOf, waitForCurCfg } from '../../src/ovsdb/client/nextcfg.ts';
import type { TransactionOutcome } from '../../src/ovsdb/transaction/outcome.ts';
import { toUuid, type Uuid } from '../../src/ovsdb/schema/schema.ts';
import { Transaction } from '../../src/ovsdb/transaction/transaction.ts';
import { OvsdbServer } from '../support/ovsdb.ts';

const COLUMNS = {
  Open_vSwitch: ['bridges', 'next_cfg', 'cur_cfg', 'external_ids', 'other_config', 'ovs_version'],
  Bridge: ['name', 'ports', 'external_ids', 'fail_mode', 'protocols', 'flood_vlans'],
  Port: ['name', 'interfaces', 'tag'],
  Interface: ['name', 'ofport', 'options', 'type'],
  QoS: ['type', 'queues'],
  Queue: ['dscp'],
} as const;

describe('ovsdb transact', () => {
  let server: OvsdbServer;
  let client: OvsdbClient<OpenVSwitchTables>;
  let root: Uuid;

  before(async () => {
    server = await OvsdbServer.start();
    client = await OvsdbClient.connect({
      remote: server.remote,
      schema: openVSwitch,
      columns: COLUMNS,
      connectTimeoutMs: 5000,
      requestTimeoutMs: 10_000,
    });
    const [first] = client.snapshot().table('Open_vSwitch').keys();
    if (first === undefined) throw new Error('no Open_vSwitch row');
    root = first;
  });

  after(async () => {
    await client.close();
    const log = server.log();
    await server[Symbol.asyncDispose]();
    expect(log).to.not.include('bad JSON-RPC message');
    expect(log).to.not.match(/\|(WARN|ERR|EMER)\|(?!.*(constraint violation|referential integrity))/);
  });

  const begin = () => new Transaction(openVSwitch);

  /** A bridge with one port, as a transaction. */
  function bridge(name: string, into = begin()): Transaction<OpenVSwitchTables> {
    const link = into.insert('Interface', { name, type: 'internal' });
    const port = into.insert('Port', { name, interfaces: [link] });
    const row = into.insert('Bridge', { name, ports: [port] });
    into.mutate('Open_vSwitch', root, [['bridges', 'insert', [row]]]);
    return into;
  }

  function failure(outcome: TransactionOutcome) {
    if (outcome.outcome !== 'error') throw new Error(`outcome is ${outcome.outcome}`);
    return outcome;
  }

  it('shows in the replica what it committed, under the UUIDs that it tells', async () => {
    const transaction = bridge('br0');
    const outcome = await client.transact(transaction);
    if (outcome.outcome !== 'success') throw new Error(JSON.stringify(outcome));
    const [, , ref] = transaction.refs;
    const uuid = ref && outcome.uuids.get(ref);
    if (uuid === undefined) throw new Error('no UUID');
    const row = client.snapshot().row('Bridge', uuid);
    expect(row).to.include({ _uuid: uuid, name: 'br0', fail_mode: undefined });
    expect(row?.protocols).to.deep.equal([]);
    expect(row?.external_ids.size).to.equal(0);
    expect(outcome.results.map(({ kind }) => kind)).to.deep.equal(['insert', 'insert', 'insert', 'count']);
    expect((await server.vsctl('get', 'Bridge', 'br0', '_uuid')).trim()).to.equal(uuid);
  });

  it('is unchanged where there is nothing to send', async () => {
    const empty = begin();
    empty.comment('nothing');
    expect(await client.transact(empty)).to.deep.equal({ outcome: 'unchanged' });
  });

  it('gives an inserted row the UUID that was asked for, and refuses it a second time', async () => {
    const uuid = toUuid('3c9a6a3e-7d45-4f0e-8f2b-0d7d0f0a1b2c');
    for (const expected of ['success', 'error']) {
      const transaction = begin();
      transaction.insert('Queue', { dscp: 3 }, { uuid });
      expect((await client.transact(transaction)).outcome).to.equal(expected);
      expect(client.snapshot().row('Queue', uuid)?.dscp).to.equal(3);
    }
  });

  it('names the operation that breaks a constraint', async () => {
    const transaction = begin();
    transaction.comment('first');
    transaction.update('Open_vSwitch', root, { ovs_version: 'x' });
    transaction.insert('Open_vSwitch', {});
    const outcome = failure(await client.transact(transaction));
    expect(outcome).to.include({ at: 'commit', error: 'constraint violation' });
    const immutable = begin();
    immutable.update('Bridge', [['name', '==', 'br0']], { name: 'br1' });
    const second = failure(await client.transact(immutable));
    expect(second).to.include({ at: 0, error: 'constraint violation' });
    expect(second.message).to.match(/^operation 0 \(update on Bridge\) failed with constraint violation: /);
    expect([...client.snapshot().table('Open_vSwitch').values()][0]?.ovs_version).to.equal(undefined);
  });

  it('finds broken references at commit', async () => {
    const transaction = begin();
    transaction.mutate('Open_vSwitch', root, [
      ['bridges', 'insert', [toUuid('00000000-0000-4000-8000-000000000001')]],
    ]);
    expect(failure(await client.transact(transaction))).to.include({
      at: 'commit',
      error: 'referential integrity violation',
    });
  });

  it('is to be tried again where a wait does not come true', async () => {
    const transaction = begin();
    transaction.wait('Bridge', [['name', '==', 'br0']], '==', ['fail_mode'], [{ fail_mode: 'secure' }], {
      timeoutMs: 0,
    });
    transaction.update('Bridge', [['name', '==', 'br0']], { fail_mode: 'standalone' });
    expect((await client.transact(transaction)).outcome).to.equal('try-again');
    const met = begin();
    met.wait('Bridge', [['name', '==', 'br0']], '==', ['fail_mode'], [{ fail_mode: undefined }], {
      timeoutMs: 0,
    });
    expect((await client.transact(met)).outcome).to.equal('success');
  });

  it('is undone by abort, and by a lock that is not ours', async () => {
    const aborted = bridge('br9');
    aborted.abort();
    expect((await client.transact(aborted)).outcome).to.equal('aborted');
    const unlocked = bridge('br9');
    unlocked.assert('somebody');
    expect((await client.transact(unlocked)).outcome).to.equal('not-locked');
    expect([...client.snapshot().table('Bridge').values()].map(({ name }) => name)).to.not.include('br9');
  });

  it('tells a syntax error as one of the request', async () => {
    class Broken extends Transaction<OpenVSwitchTables> {
      override get isEmpty() {
        return false;
      }
      override get operations() {
        return [{ op: 'update', table: 'Bridge', where: 7, row: {} }];
      }
    }
    const outcome = failure(await client.transact(new Broken(openVSwitch)));
    expect(outcome.error).to.equal('syntax error');
    expect(outcome.details).to.be.a('string');
  });

  it('refuses rows of other transactions, foreign columns and wrong values before sending', () => {
    const stranger = begin().insert('Port', { name: 'p' });
    expect(() => begin().insert('Bridge', { name: 'b', ports: [stranger] }))
      .to.throw(VsbError, 'Bridge.ports')
      .with.property('code', 'OVSDB_UNKNOWN_REF');
    expect(() => begin().delete('Port', stranger))
      .to.throw(VsbError)
      .with.property('code', 'OVSDB_UNKNOWN_REF');
    expect(() => begin().update('Port', root, { tag: 5000 }))
      .to.throw(VsbError)
      .with.property('code', 'OVSDB_VALUE');
    const wrong: object = { colour: 'red' };
    expect(() => begin().update('Port', root, wrong))
      .to.throw(VsbError)
      .with.property('code', 'OVSDB_UNKNOWN_COLUMN');
  });

  it('carries integers beyond 2^53, both ways', async () => {
    for (const value of [9007199254740993n, 2n ** 63n - 1n, -(2n ** 63n)]) {
      const transaction = begin();
      transaction.update('Open_vSwitch', root, { next_cfg: value });
      const at = transaction.select('Open_vSwitch', root, ['next_cfg', '_uuid']);
      const outcome = await client.transact(transaction);
      if (outcome.outcome !== 'success') throw new Error(JSON.stringify(outcome));
      expect(outcome.results[at]).to.deep.equal({ kind: 'select', rows: [{ next_cfg: value, _uuid: root }] });
      expect(client.snapshot().row('Open_vSwitch', root)?.next_cfg).to.equal(value);
      expect((await server.vsctl('get', 'Open_vSwitch', '.', 'next_cfg')).trim()).to.equal(value.toString());
    }
  });

  it('carries any text, and empties sets and maps', async () => {
    const texts = new Map([
      ['ключ', '值 😀 "quoted" \\ \n\t\u0001'],
      ['', ''],
      ['\\u0000', '12345678901234567890'],
    ]);
    const full = begin();
    full.update('Open_vSwitch', root, { external_ids: texts, ovs_version: 'ü' });
    full.update('Bridge', [['name', '==', 'br0']], {
      protocols: ['OpenFlow13', 'OpenFlow10', 'OpenFlow13'],
      flood_vlans: [10, 9],
    });
    expect((await client.transact(full)).outcome).to.equal('success');
    expect(client.snapshot().row('Open_vSwitch', root)).to.deep.include({
      external_ids: texts,
      ovs_version: 'ü',
    });
    const [br0] = client.snapshot().table('Bridge').values();
    expect(br0).to.deep.include({ protocols: ['OpenFlow10', 'OpenFlow13'], flood_vlans: [9, 10] });
    const empty = begin();
    empty.mutate('Open_vSwitch', root, [['external_ids', 'delete', ['ключ']]]);
    empty.update('Open_vSwitch', root, { ovs_version: undefined });
    empty.update('Bridge', [['name', '==', 'br0']], { protocols: [], flood_vlans: [] });
    expect((await client.transact(empty)).outcome).to.equal('success');
    texts.delete('ключ');
    expect(client.snapshot().row('Open_vSwitch', root)).to.deep.include({
      external_ids: texts,
      ovs_version: undefined,
    });
    expect(() => begin().update('Open_vSwitch', root, { ovs_version: '\0' }))
      .to.throw()
      .with.property('code', 'OVSDB_VALUE');
  });

  it('counts next_cfg up and waits for cur_cfg', async () => {
    await server.vsctl('set', 'Open_vSwitch', '.', 'next_cfg=41');
    const transaction = begin();
    const at = bumpNextCfg(transaction, root);
    const nextCfg = nextCfgOf(await client.transact(transaction), at);
    expect(nextCfg).to.equal(42n);
    const waiting = waitForCurCfg(client, 42n, { timeoutMs: 5000 });
    await server.vsctl('set', 'Open_vSwitch', '.', 'cur_cfg=42');
    await waiting;
    expect(client.snapshot().row('Open_vSwitch', root)?.cur_cfg).to.equal(42n);
  });

  it('gives up waiting at its limit, or when it is told to', async () => {
    const never = () => undefined;
    const codeOf = (promise: Promise<unknown>) =>
      promise.then(
        () => 'resolved',
        (thrown: unknown) => (thrown instanceof VsbError ? thrown.code : String(thrown)),
      );
    expect(await codeOf(client.waitFor(never, { timeoutMs: 1 }))).to.equal('OVSDB_TIMEOUT');
    const stop = new AbortController();
    const waiting = codeOf(client.waitFor(never, { timeoutMs: 5000, signal: stop.signal }));
    stop.abort();
    expect(await waiting).to.equal('CANCELLED');
    expect(await codeOf(client.transact(bridge('br8'), { signal: stop.signal }))).to.equal('CANCELLED');
  });

  it('says which column the replica does not hold', () => {
    const [row] = client.snapshot().table('Interface').values();
    expect(() => row?.statistics)
      .to.throw(VsbError, 'Interface.statistics')
      .with.property('code', 'OVSDB_COLUMN_NOT_HELD');
  });
});
