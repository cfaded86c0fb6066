import { expect } from 'chai';
import { VsbError } from '../../../../src/errors.ts';
import { openVSwitch, type OpenVSwitchTables } from '../../../../src/ovsdb/generated/vswitch.ts';
import { parseSchema } from '../../../../src/ovsdb/schema/schemafile.ts';
import { Transaction, type Condition } from '../../../../src/ovsdb/transaction/transaction.ts';
import { snapshotOf, uuidOf } from '../../../support/snapshots.ts';

const ROOT = uuidOf(1);
const BR0 = uuidOf(2);
const P0 = uuidOf(3);
const I0 = uuidOf(4);
const QOS = uuidOf(5);
const MIRROR = uuidOf(6);
const STRANGER = uuidOf(99);
const ref = (uuid: string) => ['uuid', uuid];

/** One bridge with one port, its interface, and a mirror that selects the port. */
const below = () =>
  snapshotOf(openVSwitch, {
    Open_vSwitch: {
      columns: ['bridges', 'next_cfg', 'external_ids'],
      rows: {
        [ROOT]: {
          bridges: ref(BR0),
          next_cfg: 5,
          external_ids: [
            'map',
            [
              ['a', '1'],
              ['b', '2'],
            ],
          ],
        },
      },
    },
    Bridge: {
      columns: ['name', 'ports', 'mirrors', 'flood_vlans', 'fail_mode', 'controller', 'auto_attach'],
      rows: {
        [BR0]: { name: 'br0', ports: ref(P0), mirrors: ref(MIRROR), flood_vlans: ['set', [1, 5]] },
      },
    },
    Port: {
      columns: ['name', 'interfaces', 'tag', 'qos'],
      rows: { [P0]: { name: 'p0', interfaces: ref(I0), tag: 7 } },
    },
    Interface: { columns: ['name'], rows: { [I0]: { name: 'i0' } } },
    Mirror: {
      columns: ['name', 'select_src_port', 'output_port'],
      rows: { [MIRROR]: { name: 'm', select_src_port: ref(P0), output_port: ref(P0) } },
    },
    Flow_Sample_Collector_Set: { columns: ['bridge'] },
    QoS: { columns: ['type'], rows: { [QOS]: { type: 'x' } } },
  });

const begin = () => new Transaction(openVSwitch, { over: below() });

function codeOf(act: () => unknown): string {
  try {
    act();
    return 'done';
  } catch (thrown) {
    return thrown instanceof VsbError ? thrown.code : String(thrown);
  }
}

describe('a transaction over a snapshot', () => {
  it('shows its own inserts, which can be named by what it shows', () => {
    const transaction = begin();
    const port = transaction.insert('Port', { name: 'p1', interfaces: [], tag: 3 });
    const [shown] = [...transaction.snapshot().table('Port').values()].filter(({ name }) => name === 'p1');
    expect(shown).to.include({ _uuid: transaction.uuidOf(port), tag: 3, bond_fake_iface: false });
    if (!shown) throw new Error('not shown');
    transaction.mutate('Bridge', BR0, [['ports', 'insert', [shown._uuid]]]);
    expect(transaction.operations[1]).to.deep.include({
      mutations: [['ports', 'insert', ['set', [['named-uuid', port.name]]]]],
    });
    transaction.update('Port', shown._uuid, { tag: 4 });
    expect(transaction.operations[2]).to.deep.include({
      where: [['_uuid', '==', ['named-uuid', port.name]]],
    });
    expect(transaction.snapshot().row('Port', shown._uuid)?.tag).to.equal(4);
    expect(transaction.snapshot().row('Bridge', BR0)?.ports).to.have.members([P0, shown._uuid]);
  });

  it('shows a row under the UUID that was chosen for it', () => {
    const transaction = begin();
    const chosen = uuidOf(50);
    const queue = transaction.insert('Queue', { dscp: 1 }, { uuid: chosen });
    expect(transaction.uuidOf(queue)).to.equal(chosen);
    expect(transaction.snapshot().row('Queue', chosen)?.dscp).to.equal(1);
    const other = begin();
    expect(codeOf(() => other.uuidOf(queue))).to.equal('OVSDB_UNKNOWN_REF');
  });

  it('keeps the snapshots that it gave, and the objects of rows that do not change', () => {
    const transaction = begin();
    const first = transaction.snapshot();
    transaction.update('Port', P0, { tag: 8 });
    transaction.update('Interface', I0, { name: 'i0' });
    const second = transaction.snapshot();
    expect(first.row('Port', P0)?.tag).to.equal(7);
    expect(second.row('Port', P0)?.tag).to.equal(8);
    expect(second.row('Interface', I0)).to.equal(first.row('Interface', I0));
    expect(transaction.snapshot()).to.equal(second);
    expect(() => second.row('Port', P0)?.mac).to.throw('does not hold "Port.mac"');
  });

  it('calculates, and puts in and takes out members and keys', () => {
    const transaction = begin();
    transaction.mutate('Open_vSwitch', ROOT, [
      ['next_cfg', '+=', 10],
      ['next_cfg', '*=', -3n],
      ['next_cfg', '%=', 7],
      [
        'external_ids',
        'insert',
        new Map([
          ['a', 'kept'],
          ['c', '3'],
        ]),
      ],
      ['external_ids', 'delete', ['b']],
      ['external_ids', 'delete', new Map([['c', 'another']])],
    ]);
    transaction.mutate('Bridge', BR0, [
      ['flood_vlans', 'insert', [3, 5]],
      ['flood_vlans', '+=', 1],
      ['flood_vlans', 'delete', [2, 99]],
    ]);
    transaction.mutate('Port', P0, [['tag', '/=', 2]]);
    const snapshot = transaction.snapshot();
    expect(snapshot.row('Open_vSwitch', ROOT)).to.deep.include({
      next_cfg: -3n,
      external_ids: new Map([
        ['a', '1'],
        ['c', '3'],
      ]),
    });
    expect(snapshot.row('Bridge', BR0)?.flood_vlans).to.deep.equal([4, 6]);
    expect(snapshot.row('Port', P0)?.tag).to.equal(3);
  });

  it('sets keys of a map, whether they are there or not', () => {
    const transaction = begin();
    transaction.setKeys(
      'Open_vSwitch',
      ROOT,
      'external_ids',
      new Map([
        ['a', 'new'],
        ['z', '26'],
      ]),
    );
    expect(transaction.snapshot().row('Open_vSwitch', ROOT)?.external_ids).to.deep.equal(
      new Map([
        ['a', 'new'],
        ['b', '2'],
        ['z', '26'],
      ]),
    );
    expect(transaction.operations).to.have.lengthOf(1);
  });

  it('says where a calculation gives what the column cannot have', () => {
    for (const [mutator, operand] of [
      ['+=', 4090],
      ['/=', 0],
      ['%=', 0],
      ['-=', 8],
    ] as const) {
      const transaction = begin();
      transaction.mutate('Port', P0, [['tag', mutator, operand]]);
      expect(
        codeOf(() => transaction.snapshot()),
        mutator,
      ).to.equal('OVSDB_VALUE');
    }
    const wide = begin();
    wide.mutate('Open_vSwitch', ROOT, [['next_cfg', '*=', 2n ** 62n]]);
    expect(codeOf(() => wide.snapshot())).to.equal('OVSDB_VALUE');
    // It would end the server.
    expect(codeOf(() => begin().mutate('Port', P0, [['tag', '*=', 0]]))).to.equal('OVSDB_VALUE');
    const second = begin();
    second.mutate('Port', P0, [['tag', 'insert', 8]]);
    expect(codeOf(() => second.snapshot())).to.equal('OVSDB_VALUE');
    // As the server: two that become the same, and one too few, also where the next mutation would mend it.
    const same = begin();
    same.mutate('Bridge', BR0, [['flood_vlans', '%=', 4]]);
    expect(codeOf(() => same.snapshot())).to.equal('OVSDB_VALUE');
    const none = begin();
    none.mutate('Port', P0, [
      ['interfaces', 'delete', [uuidOf(4)]],
      ['interfaces', 'insert', [uuidOf(98)]],
    ]);
    expect(codeOf(() => none.snapshot())).to.equal('OVSDB_VALUE');
  });

  it('finds the rows that meet every condition', () => {
    const isFound = (condition: Condition<OpenVSwitchTables['Bridge']>) => {
      const transaction = begin();
      transaction.update('Bridge', [condition], { name: 'found' });
      return transaction.snapshot().row('Bridge', BR0)?.name === 'found';
    };
    const met: readonly Condition<OpenVSwitchTables['Bridge']>[] = [
      ['name', '==', 'br0'],
      ['name', '!=', 'br1'],
      ['name', 'includes', 'br0'],
      ['name', 'excludes', 'br1'],
      ['flood_vlans', '==', [5, 1]],
      ['flood_vlans', '!=', [1]],
      ['flood_vlans', 'includes', []],
      ['flood_vlans', 'includes', [5]],
      ['flood_vlans', 'excludes', [2]],
      ['ports', 'includes', [P0]],
      ['fail_mode', '==', undefined],
      ['fail_mode', 'excludes', 'secure'],
    ];
    const unmet: readonly Condition<OpenVSwitchTables['Bridge']>[] = [
      ['name', '==', 'br1'],
      ['name', '!=', 'br0'],
      ['name', 'excludes', 'br0'],
      ['flood_vlans', '==', [1]],
      ['flood_vlans', 'includes', [1, 2]],
      ['flood_vlans', 'excludes', [2, 5]],
      ['ports', 'excludes', [P0]],
      ['fail_mode', '!=', undefined],
      ['fail_mode', 'includes', 'secure'],
    ];
    for (const condition of met) expect(isFound(condition), JSON.stringify(condition)).to.equal(true);
    for (const condition of unmet) expect(isFound(condition), JSON.stringify(condition)).to.equal(false);
    const numbers = begin();
    numbers.delete('Port', [
      ['tag', '<', 8],
      ['tag', '<=', 7],
      ['tag', '>', 6],
      ['tag', '>=', 7],
    ]);
    expect(numbers.snapshot().table('Port').size).to.equal(0);
    const maps = begin();
    maps.delete('Open_vSwitch', [
      ['external_ids', 'includes', new Map([['a', '1']])],
      ['external_ids', 'excludes', new Map([['a', '2']])],
    ]);
    expect(maps.snapshot().table('Open_vSwitch').size).to.equal(0);
  });

  it('says which column it would need', () => {
    const condition = begin();
    condition.delete('Port', [['mac', '==', undefined]]);
    expect(codeOf(() => condition.snapshot())).to.equal('OVSDB_COLUMN_NOT_HELD');
    const mutation = begin();
    mutation.mutate('Port', P0, [['trunks', 'insert', [1]]]);
    expect(codeOf(() => mutation.snapshot())).to.equal('OVSDB_COLUMN_NOT_HELD');
    const none = new Transaction(openVSwitch);
    for (const act of [() => none.snapshot(), () => none.preview(), () => none.expect('Port', P0, ['tag'])])
      expect(codeOf(act)).to.equal('OVSDB_NO_SNAPSHOT');
  });

  it('previews that rows which nothing refers to go, and weak references to them', () => {
    const transaction = begin();
    transaction.mutate('Bridge', BR0, [['ports', 'delete', [P0]]]);
    transaction.insert('Port', { name: 'loose' });
    expect(transaction.snapshot().table('Port').size).to.equal(2);
    const preview = transaction.preview();
    expect(preview.table('Port').size).to.equal(0);
    expect(preview.table('Interface').size).to.equal(0);
    expect(preview.row('Mirror', MIRROR)).to.deep.include({ select_src_port: [], output_port: undefined });
    // It is root.
    expect(preview.row('QoS', QOS)).to.not.equal(undefined);
  });

  it('previews that a weak reference to a row which never was is dropped, of what the transaction wrote', () => {
    const transaction = begin();
    transaction.update('Mirror', MIRROR, { select_src_port: [P0, uuidOf(99)] });
    expect(transaction.snapshot().row('Mirror', MIRROR)?.select_src_port).to.have.length(2);
    expect(transaction.preview().row('Mirror', MIRROR)?.select_src_port).to.deep.equal([P0]);
  });

  it('previews a bridge that goes with all that hangs on it', () => {
    const transaction = begin();
    transaction.mutate('Open_vSwitch', ROOT, [['bridges', 'delete', [BR0]]]);
    const preview = transaction.preview();
    for (const table of ['Bridge', 'Port', 'Interface', 'Mirror'] as const)
      expect(preview.table(table).size, table).to.equal(0);
    const moved = begin();
    const bridge = moved.insert('Bridge', { name: 'br1', ports: [P0] });
    moved.update('Open_vSwitch', ROOT, { bridges: [bridge] });
    expect([...moved.preview().table('Bridge').keys()]).to.deep.equal([moved.uuidOf(bridge)]);
    expect([...moved.preview().table('Interface').keys()]).to.deep.equal([I0]);
  });

  it('previews rows as they are where it does not hold what may refer to them', () => {
    const transaction = begin();
    // Flow tables are referred to by Bridge.flow_tables, which is not held.
    transaction.insert('Flow_Table', { name: 'x' });
    expect(transaction.preview().table('Flow_Table').size).to.equal(1);
  });

  it('expects a row as it was in the snapshot, but no reals', () => {
    const transaction = begin();
    transaction.expect('Port', P0, ['tag', 'interfaces']);
    transaction.expect('Port', P0, []);
    expect(transaction.operations).to.deep.equal([
      {
        op: 'wait',
        table: 'Port',
        where: [['_uuid', '==', ['uuid', P0]]],
        columns: ['tag', 'interfaces'],
        until: '==',
        rows: [{ tag: 7, interfaces: ['set', [['uuid', I0]]] }],
        timeout: 0,
      },
      {
        op: 'wait',
        table: 'Port',
        where: [['_uuid', '==', ['uuid', P0]]],
        columns: [],
        until: '==',
        rows: [{}],
        timeout: 0,
      },
    ]);
    expect(codeOf(() => transaction.expect('Port', STRANGER, []))).to.equal('OVSDB_NOT_EXPECTABLE');
    expect(codeOf(() => transaction.expect('Port', P0, ['mac']))).to.equal('OVSDB_COLUMN_NOT_HELD');
    const schema = parseSchema({ name: 'R', tables: { T: { columns: { real: { type: 'real' } } } } });
    const over = snapshotOf(schema, { T: { columns: ['real'], rows: { [P0]: { real: 0.5 } } } });
    const real = new Transaction(schema, { over });
    expect(codeOf(() => real.expect('T', P0, ['real']))).to.equal('OVSDB_NOT_EXPECTABLE');
    real.mutate('T', P0, [['real', '+=', 1]]);
    expect(real.snapshot().row('T', P0)).to.include({ real: 1.5 });
  });

  it('is typed by the tables that references name', () => {
    const transaction = begin();
    const iface = transaction.insert('Interface', { name: 'i1' });
    const bridge = transaction.snapshot().row('Bridge', BR0);
    if (!bridge) throw new Error('no bridge');
    // @ts-expect-error an interface is no port
    transaction.update('Bridge', BR0, { ports: [iface] });
    // @ts-expect-error nor is a bridge
    transaction.update('Bridge', BR0, { ports: [bridge._uuid] });
    // @ts-expect-error a row of another table
    transaction.delete('Port', bridge._uuid);
    // @ts-expect-error no arithmetic with texts
    expect(() => transaction.mutate('Bridge', BR0, [['name', '+=', 1]])).to.throw();
    // @ts-expect-error a set has no keys
    expect(() => transaction.setKeys('Bridge', BR0, 'ports', new Map())).to.throw();
    transaction.update('Port', P0, { interfaces: [iface, I0] });
  });
});
