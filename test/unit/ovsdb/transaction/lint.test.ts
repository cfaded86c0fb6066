import { expect } from 'chai';
import { openVSwitch } from '../../../../src/ovsdb/generated/vswitch.ts';
import { lint } from '../../../../src/ovsdb/transaction/lint.ts';
import { parseSchema } from '../../../../src/ovsdb/schema/schemafile.ts';
import { Transaction } from '../../../../src/ovsdb/transaction/transaction.ts';
import { snapshotOf, uuidOf } from '../../../support/snapshots.ts';

const ROOT = uuidOf(1);
const BR0 = uuidOf(2);
const P0 = uuidOf(3);
const GONE = uuidOf(99);

const over = snapshotOf(openVSwitch, {
  Open_vSwitch: { columns: ['bridges'], rows: { [ROOT]: { bridges: ['uuid', BR0] } } },
  Bridge: { columns: ['name', 'ports'], rows: { [BR0]: { name: 'br0', ports: ['uuid', P0] } } },
  Port: { columns: ['name'], rows: { [P0]: { name: 'p0' } } },
});

const found = <Tables>(transaction: Transaction<Tables>) =>
  lint(transaction).map(({ kind, at, table }) => [kind, at, table]);

describe('the lint of a transaction', () => {
  it('finds nothing in a whole bridge', () => {
    const transaction = new Transaction(openVSwitch, { over });
    const iface = transaction.insert('Interface', { name: 'i' });
    const port = transaction.insert('Port', { name: 'p', interfaces: [iface] }, { uuid: uuidOf(5) });
    const queue = transaction.insert('Queue', { dscp: 1 });
    const qos = transaction.insert('QoS', { queues: new Map([[0, queue]]) });
    transaction.update('Port', port, { qos });
    const bridge = transaction.insert('Bridge', { name: 'b', ports: [uuidOf(5)] });
    transaction.mutate('Open_vSwitch', ROOT, [['bridges', 'insert', [bridge]]]);
    transaction.update('Port', uuidOf(5), { tag: 1 });
    expect(lint(transaction)).to.deep.equal([]);
  });

  it('finds rows that vanish, with those that hang on them, and rows that nothing uses', () => {
    const transaction = new Transaction(openVSwitch);
    const iface = transaction.insert('Interface', { name: 'i' });
    const port = transaction.insert('Port', { name: 'p', interfaces: [iface] });
    transaction.insert('Queue', { dscp: 1 });
    // Weakly, which keeps nothing.
    transaction.insert('Mirror', { name: 'm', output_port: port });
    expect(found(transaction)).to.deep.equal([
      ['vanishes', 0, 'Interface'],
      ['vanishes', 1, 'Port'],
      ['unused', 2, 'Queue'],
      ['vanishes', 3, 'Mirror'],
    ]);
    expect(lint(transaction)[1]?.message).to.equal(
      'The new row of Port (operation 1) goes at commit: nothing that stays refers to it. Name it in Bridge.ports.',
    );
  });

  it('finds rows that are not there, and rows that cannot go', () => {
    const transaction = new Transaction(openVSwitch, { over });
    transaction.update('Port', GONE, { tag: 1 });
    transaction.delete('Port', P0);
    transaction.delete('QoS', GONE);
    expect(found(transaction)).to.deep.equal([
      ['no-such-row', 0, 'Port'],
      ['still-referenced', 1, 'Port'],
    ]);
    const [, second] = lint(transaction);
    expect(second).to.deep.include({ uuid: P0, by: ['Bridge', BR0] });
    transaction.mutate('Bridge', BR0, [['ports', 'delete', [P0]]]);
    expect(found(transaction)).to.deep.equal([['no-such-row', 0, 'Port']]);
  });

  it('finds a wait for a real', () => {
    const schema = parseSchema({ name: 'R', tables: { T: { columns: { real: { type: 'real' } } } } });
    const transaction = new Transaction(schema);
    transaction.wait('T', P0, '==', ['real'], [{ real: 1 }], { timeoutMs: 0 });
    expect(lint(transaction)).to.have.nested.property('[0].kind', 'compares-real');
  });
});
