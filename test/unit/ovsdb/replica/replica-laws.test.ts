import { expect } from 'chai';
import fc from 'fast-check';
import { codecsOf } from '../../../../src/ovsdb/replica/codecs.ts';
import { openVSwitch } from '../../../../src/ovsdb/generated/vswitch.ts';
import { Replica } from '../../../../src/ovsdb/replica/replica.ts';
import { RowCodec, type DecodedRow } from '../../../../src/ovsdb/replica/row.ts';
import { toUuid, type Uuid } from '../../../../src/ovsdb/schema/schema.ts';

const UUIDS = Array.from({ length: 40 }, (_, index) =>
  toUuid(`00000000-0000-4000-8000-${String(index).padStart(12, '0')}`),
);
const HELD = {
  Port: ['name', 'tag', 'trunks', 'external_ids', 'bond_updelay'],
  Interface: ['ofport', 'statistics', 'admin_state'],
};

function rowCodecs(): ReadonlyMap<string, RowCodec> {
  return new Map(
    Object.entries(HELD).map(([table, columns]) => {
      const codec = codecsOf(openVSwitch).get(table);
      if (!codec) throw new Error(`no ${table}`);
      return [table, new RowCodec(codec, columns)];
    }),
  );
}

/** A row as the server would have it: every column complete, in plain values. */
type Row = Readonly<
  Record<string, string | number | undefined | readonly number[] | ReadonlyMap<string, string | number>>
>;
type Database = ReadonlyMap<string, ReadonlyMap<Uuid, Row>>;

const INITIAL: Readonly<Record<string, Row>> = {
  Port: { name: '', tag: undefined, trunks: [], external_ids: new Map(), bond_updelay: 0 },
  Interface: { ofport: undefined, statistics: new Map(), admin_state: undefined },
};

const mapOf = <V>(values: fc.Arbitrary<V>) =>
  fc.dictionary(fc.constantFrom('a', 'b', 'c'), values).map((object) => new Map(Object.entries(object)));
const rowsOf = {
  Port: fc.record({
    name: fc.constantFrom('', 'p', 'q'),
    tag: fc.option(fc.constantFrom(1, 2), { nil: undefined }),
    trunks: fc.uniqueArray(fc.constantFrom(1, 2, 3, 4)).map((members) => members.sort()),
    external_ids: mapOf(fc.constantFrom('x', 'y')),
    bond_updelay: fc.constantFrom(0, 1, 2),
  }),
  Interface: fc.record({
    ofport: fc.option(fc.constantFrom(1, 2), { nil: undefined }),
    statistics: mapOf(fc.constantFrom(1, 2, 2 ** 50)),
    admin_state: fc.option(fc.constantFrom('up', 'down'), { nil: undefined }),
  }),
} satisfies Readonly<Record<string, fc.Arbitrary<Row>>>;

const tableOf = (rows: fc.Arbitrary<Row>) =>
  fc
    .dictionary(fc.constantFrom(...UUIDS), rows, { maxKeys: 30 })
    .map((object) => new Map(Object.entries(object) as [Uuid, Row][]));
const databases: fc.Arbitrary<Database> = fc.tuple(tableOf(rowsOf.Port), tableOf(rowsOf.Interface)).map(
  ([ports, interfaces]) =>
    new Map([
      ['Port', ports],
      ['Interface', interfaces],
    ]),
);

type Value = Row[string];

function toWire(value: Value): unknown {
  if (value === undefined) return ['set', []];
  if (Array.isArray(value)) return value.length === 1 ? value[0] : ['set', value];
  return value instanceof Map ? ['map', [...(value as ReadonlyMap<string, unknown>)]] : value;
}

/** What update2 says of a change (ovsdb-server(7)): differences of sets and maps, the value of the rest. */
function toDiff(before: Value, after: Value): unknown {
  if (Array.isArray(before) && Array.isArray(after)) {
    const [a, b] = [before as readonly number[], after as readonly number[]];
    return toWire([...a.filter((one) => !b.includes(one)), ...b.filter((one) => !a.includes(one))]);
  }
  if (before instanceof Map && after instanceof Map) {
    const [a, b] = [before as ReadonlyMap<string, number>, after as ReadonlyMap<string, number>];
    const keys = new Set([...a.keys(), ...b.keys()]);
    return [
      'map',
      [...keys].filter((key) => a.get(key) !== b.get(key)).map((key) => [key, b.get(key) ?? a.get(key)]),
    ];
  }
  return toWire(after);
}

const isSame = (a: Value, b: Value) => JSON.stringify(toWire(a)) === JSON.stringify(toWire(b));
const wireRow = (row: Row) =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, toWire(value)]));

/** One transaction from one state to another, in either form. */
function toUpdates(
  before: Database,
  after: Database,
  form: 1 | 2,
): Readonly<Record<string, Readonly<Record<string, unknown>>>> {
  return Object.fromEntries(
    [...after].map(([table, rows]) => {
      const known = before.get(table) ?? new Map<Uuid, Row>();
      const changes: Record<string, unknown> = {};
      for (const uuid of new Set([...known.keys(), ...rows.keys()])) {
        const change = toChange(table, known.get(uuid), rows.get(uuid), form);
        if (change) changes[uuid] = change;
      }
      return [table, changes];
    }),
  );
}

function toChange(table: string, before: Row | undefined, after: Row | undefined, form: 1 | 2): unknown {
  const changed = before && after && Object.keys(after).filter((name) => !isSame(before[name], after[name]));
  if (changed?.length === 0) return undefined;
  if (form === 1)
    return { ...(before ? { old: wireRow(before) } : {}), ...(after ? { new: wireRow(after) } : {}) };
  if (!after) return { delete: null };
  if (!before) {
    const initial = INITIAL[table] ?? {};
    const other = Object.entries(after).filter(([name, value]) => !isSame(value, initial[name]));
    return { insert: wireRow(Object.fromEntries(other)) };
  }
  return {
    modify: Object.fromEntries((changed ?? []).map((name) => [name, toDiff(before[name], after[name])])),
  };
}

/** A complete copy. */
function copyOf(database: Database, form: 1 | 2): unknown {
  return toUpdates(
    new Map([...database.keys()].map((table) => [table, new Map<Uuid, Row>()])),
    database,
    form,
  );
}

type Content = Readonly<Record<string, Readonly<Record<string, DecodedRow>>>>;

function contentOf(replica: Replica): Content {
  return Object.fromEntries(
    [...replica.tables].map(([table, rows]) => [table, Object.fromEntries([...rows].sort(byUuid))]),
  );
}

const byUuid = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) => (a < b ? -1 : 1);

function fresh(database: Database): Replica {
  const replica = new Replica();
  replica.load(rowCodecs(), copyOf(database, 1), 1);
  return replica;
}

const forms = fc.constantFrom(1 as const, 2 as const);

describe('replica, by law', () => {
  const history = fc.tuple(databases, fc.array(fc.tuple(databases, forms, fc.boolean()), { maxLength: 8 }));

  it('is after any sequence of updates and copies what one copy of the end gives', () => {
    fc.assert(
      fc.property(history, ([first, steps]) => {
        const replica = new Replica();
        replica.load(rowCodecs(), copyOf(first, 2), 2);
        let before = first;
        for (const [after, form, isCopy] of steps) {
          if (isCopy) replica.load(rowCodecs(), copyOf(after, form), form);
          else replica.apply(toUpdates(before, after, form), form);
          before = after;
          expect(contentOf(replica)).to.deep.equal(contentOf(fresh(after)));
        }
      }),
    );
  });

  it('tells changes that, replayed on the rows before, give the rows after; none that is none', () => {
    fc.assert(
      fc.property(history, ([first, steps]) => {
        const replica = new Replica();
        replica.load(rowCodecs(), copyOf(first, 2), 2);
        let before = first;
        for (const [after, form, isCopy] of steps) {
          const rows = new Map([...replica.tables].map(([table, view]) => [table, new Map(view)]));
          const changes = isCopy
            ? replica.load(rowCodecs(), copyOf(after, form), form)
            : replica.apply(toUpdates(before, after, form), form);
          before = after;
          let count = 0;
          for (const { table, uuid, kind, before: old, after: now } of changes ?? []) {
            const there = rows.get(table);
            expect(there?.get(uuid)).to.equal(old);
            expect(kind).to.equal(!old ? 'insert' : now ? 'modify' : 'delete');
            if (now) {
              expect({ ...now }).not.to.deep.equal({ ...old });
              there?.set(uuid, now);
            } else there?.delete(uuid);
            count += 1;
          }
          expect(changes?.size ?? 0).to.equal(count);
          // The very objects, not only equal ones.
          for (const [table, view] of replica.tables) {
            expect(rows.get(table)?.size).to.equal(view.size);
            for (const [uuid, row] of view) expect(rows.get(table)?.get(uuid)).to.equal(row);
          }
        }
      }),
    );
  });

  it('tells nothing, and stays the same object, when a copy of what it has comes', () => {
    fc.assert(
      fc.property(databases, forms, (database, form) => {
        const replica = fresh(database);
        const { tables } = replica;
        expect(replica.load(rowCodecs(), copyOf(database, form), form)).to.equal(undefined);
        expect(replica.apply(toUpdates(database, database, form), form)).to.equal(undefined);
        expect(replica.tables).to.equal(tables);
      }),
    );
  });
});
