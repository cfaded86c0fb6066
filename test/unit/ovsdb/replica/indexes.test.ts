import { expect } from 'chai';
import fc from 'fast-check';
import { VsbError } from '../../../../src/errors.ts';
import { codecsOf } from '../../../../src/ovsdb/replica/codecs.ts';
import { openVSwitch, type OpenVSwitchTables } from '../../../../src/ovsdb/generated/vswitch.ts';
import { rowIndex } from '../../../../src/ovsdb/replica/indexes.ts';
import { Replica } from '../../../../src/ovsdb/replica/replica.ts';
import { RowCodec } from '../../../../src/ovsdb/replica/row.ts';
import { toUuid, type Uuid } from '../../../../src/ovsdb/schema/schema.ts';
import { Snapshot } from '../../../../src/ovsdb/replica/snapshot.ts';

const UUIDS = Array.from({ length: 60 }, (_, index) =>
  toUuid(`00000000-0000-4000-8000-${String(index).padStart(12, '0')}`),
);

const byTag = rowIndex(openVSwitch, 'Port', 'tag');
const byTrunk = rowIndex(openVSwitch, 'Port', 'trunks');
const byOwner = rowIndex(openVSwitch, 'Port', ['external_ids', 'owner']);
const byOwnerAndTrunk = rowIndex(openVSwitch, 'Port', ['external_ids', 'owner'], 'trunks');
const byDelay = rowIndex(openVSwitch, 'Port', 'bond_updelay');

function portCodecs(
  held: readonly string[] = ['name', 'tag', 'trunks', 'external_ids', 'bond_updelay'],
): ReadonlyMap<string, RowCodec> {
  const port = codecsOf(openVSwitch).get('Port');
  if (!port) throw new Error('no Port');
  return new Map([['Port', new RowCodec(port, held)]]);
}

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (thrown) {
    return thrown instanceof VsbError ? thrown.code : String(thrown);
  }
}

describe('index', () => {
  const replica = new Replica<OpenVSwitchTables>();
  const [a, b] = UUIDS as [Uuid, Uuid];
  const port = (name: string, more: Readonly<Record<string, unknown>>) => ({ initial: { name, ...more } });
  replica.load(
    portCodecs(),
    {
      Port: {
        [a]: port('a', { tag: 5, trunks: ['set', [1, 2]], external_ids: ['map', [['owner', 'x']]] }),
        [b]: port('b', { trunks: 2, bond_updelay: 7 }),
      },
    },
    2,
  );
  const snapshot = new Snapshot<OpenVSwitchTables>(replica.tables);
  const names = (rows: readonly { readonly name: string }[]) => rows.map(({ name }) => name).sort();

  it('finds by column, member, key of a map, and several of them', () => {
    expect(names(snapshot.find(byTag, 5))).to.deep.equal(['a']);
    expect(names(snapshot.find(byTag, undefined))).to.deep.equal(['b']);
    expect(names(snapshot.find(byTrunk, 2))).to.deep.equal(['a', 'b']);
    expect(names(snapshot.find(byTrunk, 3))).to.deep.equal([]);
    expect(names(snapshot.find(byOwner, 'x'))).to.deep.equal(['a']);
    expect(names(snapshot.find(byOwner, undefined))).to.deep.equal(['b']);
    expect(names(snapshot.find(byOwnerAndTrunk, 'x', 1))).to.deep.equal(['a']);
    expect(names(snapshot.find(byOwnerAndTrunk, undefined, 2))).to.deep.equal(['b']);
    expect(names(snapshot.find(byDelay, 7n))).to.deep.equal(['b']);
  });

  it("finds the one row by the schema's own index", () => {
    expect(snapshot.get('Port', { name: 'a' })).to.equal(snapshot.row('Port', a));
    expect(snapshot.get('Port', { name: 'c' })).to.equal(undefined);
    expect(codeOf(() => snapshot.get('Bridge', { name: 'br0' }))).to.equal('OVSDB_TABLE_NOT_HELD');
    expect(codeOf(() => snapshot.table('Bridge'))).to.equal('OVSDB_TABLE_NOT_HELD');
    expect(codeOf(() => snapshot.get('Port', { tag: 5 }))).to.equal('OVSDB_NO_INDEX');
  });

  it('is the same for the same declaration', () => {
    expect(rowIndex(openVSwitch, 'Port', 'tag')).to.equal(byTag);
    expect(rowIndex(openVSwitch, 'Port', ['external_ids', 'iface-id'])).not.to.equal(byOwner);
  });

  it('refuses what there is no such column of, and a map without a key', () => {
    // @ts-expect-error there is no such column
    expect(codeOf(() => rowIndex(openVSwitch, 'Port', 'nonsense'))).to.equal('OVSDB_UNKNOWN_COLUMN');
    // @ts-expect-error only a map has keys
    expect(codeOf(() => rowIndex(openVSwitch, 'Port', ['tag', 'x']))).to.equal('OVSDB_UNKNOWN_COLUMN');
    // @ts-expect-error a map needs one
    expect(codeOf(() => rowIndex(openVSwitch, 'Port', 'external_ids'))).to.equal('OVSDB_NO_INDEX');
    // @ts-expect-error a tag is a number
    expect(snapshot.find(byTag, '5')).to.deep.equal([]);
  });

  it('tells of a column that is not held, also where the first row comes later', () => {
    const small = new Replica<OpenVSwitchTables>();
    const of = () => new Snapshot<OpenVSwitchTables>(small.tables);
    small.load(portCodecs(['name']), {}, 2);
    expect(of().find(byTag, 5)).to.deep.equal([]);
    small.apply({ Port: { [a]: { insert: { name: 'a' } } } }, 2);
    expect(codeOf(() => of().find(byTag, 5))).to.equal('OVSDB_COLUMN_NOT_HELD');
  });

  it('finds in rows that are a plain Map', () => {
    const rows = new Map<Uuid, unknown>(replica.tables.get('Port'));
    const plain = new Snapshot<OpenVSwitchTables>(new Map([['Port', rows]]));
    expect(names(plain.find(byTrunk, 2))).to.deep.equal(['a', 'b']);
  });

  it('finds what a look at every row finds, always, in every snapshot', () => {
    const wireRow = fc.record(
      {
        tag: fc.oneof(fc.constantFrom(1, 2), fc.constant(['set', []])),
        trunks: fc.uniqueArray(fc.constantFrom(1, 2, 3)).map((members) => ['set', members]),
        external_ids: fc
          .uniqueArray(fc.tuple(fc.constantFrom('owner', 'other'), fc.constantFrom('x', 'y')), {
            selector: ([key]) => key,
          })
          .map((pairs) => ['map', pairs]),
        bond_updelay: fc.constantFrom(0, 9),
      },
      { requiredKeys: [] },
    );
    const step = fc.dictionary(
      fc.constantFrom(...UUIDS),
      fc.oneof(
        fc.constant({ delete: null }),
        wireRow.map((insert) => ({ insert })),
        wireRow.map((modify) => ({ modify })),
      ),
      { maxKeys: 30 },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), fc.nat(3), (steps, askFrom) => {
        const replica = new Replica<OpenVSwitchTables>();
        replica.load(portCodecs(), {}, 2);
        const history: Snapshot<OpenVSwitchTables>[] = [];
        for (const [at, wanted] of steps.entries()) {
          const known = replica.tables.get('Port');
          const rows = Object.entries(wanted).filter(
            ([uuid, change]) => !('modify' in change) || known?.has(uuid as Uuid),
          );
          replica.apply({ Port: Object.fromEntries(rows) }, 2);
          const snapshot = new Snapshot<OpenVSwitchTables>(replica.tables);
          if (at >= askFrom) expectSameAsScan(snapshot);
          history.push(snapshot);
        }
        history.forEach(expectSameAsScan);
      }),
      { numRuns: 100 },
    );
  });

  function expectSameAsScan(snapshot: Snapshot<OpenVSwitchTables>): void {
    const all = [...snapshot.table('Port').values()];
    const same = (found: readonly unknown[], expected: readonly unknown[]) => {
      expect(found).to.have.members(expected);
    };
    for (const tag of [undefined, 1, 2])
      same(
        snapshot.find(byTag, tag),
        all.filter((row) => row.tag === tag),
      );
    for (const delay of [0n, 9n])
      same(
        snapshot.find(byDelay, delay),
        all.filter((row) => row.bond_updelay === delay),
      );
    for (const trunk of [1, 2, 3]) {
      same(
        snapshot.find(byTrunk, trunk),
        all.filter((row) => row.trunks.includes(trunk)),
      );
      for (const owner of [undefined, 'x', 'y'])
        same(
          snapshot.find(byOwnerAndTrunk, owner, trunk),
          all.filter((row) => row.external_ids.get('owner') === owner && row.trunks.includes(trunk)),
        );
    }
    for (const owner of [undefined, 'x', 'y'])
      same(
        snapshot.find(byOwner, owner),
        all.filter((row) => row.external_ids.get('owner') === owner),
      );
  }
});
