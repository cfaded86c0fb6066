import { expect } from 'chai';
import fc from 'fast-check';
import { VsbError } from '../../../../src/errors.ts';
import { decodeMessage } from '../../../../src/jsonrpc/envelope.ts';
import { Framer } from '../../../../src/jsonrpc/framing.ts';
import { codecsOf } from '../../../../src/ovsdb/replica/codecs.ts';
import { openVSwitch } from '../../../../src/ovsdb/generated/vswitch.ts';
import { Replica } from '../../../../src/ovsdb/replica/replica.ts';
import { RowCodec } from '../../../../src/ovsdb/replica/row.ts';
import { toUuid, type Uuid } from '../../../../src/ovsdb/schema/schema.ts';
import { TableView } from '../../../../src/ovsdb/replica/tableview.ts';

const A = toUuid('00000000-0000-4000-8000-00000000000a');
const B = toUuid('00000000-0000-4000-8000-00000000000b');
const C = toUuid('00000000-0000-4000-8000-00000000000c');

function rowCodecs(): ReadonlyMap<string, RowCodec> {
  const port = codecsOf(openVSwitch).get('Port');
  if (!port) throw new Error('no Port');
  return new Map([['Port', new RowCodec(port, ['name', 'tag', 'trunks', 'external_ids'])]]);
}

function loaded(): Replica {
  const replica = new Replica();
  replica.load(rowCodecs(), { Port: { [A]: { initial: { name: 'a', trunks: ['set', [1, 2]] } } } }, 2);
  return replica;
}

const portsOf = (replica: Replica) => replica.tables.get('Port');

describe('replica', () => {
  it('fills in what an initial update leaves out', () => {
    expect(portsOf(loaded())?.get(A)).to.deep.include({
      _uuid: A,
      name: 'a',
      tag: undefined,
      trunks: [1, 2],
    });
  });

  it('takes modify as a diff for sets and maps, as the value for the rest', () => {
    const replica = loaded();
    const modify = { tag: 5, trunks: ['set', [2, 3]], external_ids: ['map', [['k', 'v']]] };
    expect(replica.apply({ Port: { [A]: { modify } } }, 2)?.size).to.equal(1);
    expect(portsOf(replica)?.get(A)).to.deep.include({
      tag: 5,
      trunks: [1, 3],
      external_ids: new Map([['k', 'v']]),
    });
    replica.apply(
      { Port: { [A]: { modify: { tag: ['set', []], external_ids: ['map', [['k', 'v']]] } } } },
      2,
    );
    expect(portsOf(replica)?.get(A)).to.deep.include({ tag: undefined, external_ids: new Map() });
  });

  it('takes old and new rows of the first kind of updates', () => {
    const replica = loaded();
    const full = { name: 'b', tag: 7, trunks: ['set', []], external_ids: ['map', []] };
    expect(replica.apply({ Port: { [B]: { new: full }, [A]: { old: { name: 'a' } } } }, 1)?.size).to.equal(2);
    expect([...(portsOf(replica)?.keys() ?? [])]).to.deep.equal([B]);
    expect(replica.apply({ Port: { [B]: { old: { tag: 6 }, new: full } } }, 1)).to.equal(undefined);
  });

  it('tells no change, and keeps its objects, where a new copy equals the old', () => {
    const replica = loaded();
    const before = replica.tables;
    const same = {
      Port: {
        [A]: { new: { name: 'a', tag: ['set', []], trunks: ['set', [2, 1]], external_ids: ['map', []] } },
      },
    };
    expect(replica.load(rowCodecs(), same, 1)).to.equal(undefined);
    expect(replica.tables).to.equal(before);
    const more = {
      Port: { [A]: { initial: { name: 'a', trunks: ['set', [1, 2]] } }, [B]: { initial: { name: 'b' } } },
    };
    expect(replica.load(rowCodecs(), more, 2)?.size).to.equal(1);
    expect(portsOf(replica)?.get(A)).to.equal(before.get('Port')?.get(A));
    expect(replica.load(rowCodecs(), {}, 2)?.size).to.equal(2);
    expect(portsOf(replica)?.size).to.equal(0);
  });

  it('tells the rows before and after, and none that stayed equal', () => {
    const replica = new Replica();
    const first = replica.load(
      rowCodecs(),
      { Port: { [A]: { initial: { name: 'a' } }, [B]: { initial: {} } } },
      2,
    );
    const before = portsOf(replica);
    const changes = replica.apply(
      { Port: { [A]: { modify: { tag: 5 } }, [B]: { delete: null }, [C]: { insert: { name: 'c' } } } },
      2,
    );
    const after = portsOf(replica);
    expect([...(first ?? [])].map(({ kind, uuid }) => [kind, uuid])).to.deep.equal([
      ['insert', A],
      ['insert', B],
    ]);
    expect(changes?.size).to.equal(3);
    expect(changes?.tables).to.deep.equal(['Port']);
    expect([...(changes?.of('Port') ?? [])]).to.have.deep.members([
      { table: 'Port', uuid: A, kind: 'modify', before: before?.get(A), after: after?.get(A) },
      { table: 'Port', uuid: B, kind: 'delete', before: before?.get(B), after: undefined },
      { table: 'Port', uuid: C, kind: 'insert', before: undefined, after: after?.get(C) },
    ]);
    expect([...(changes?.of('Bridge') ?? [])]).to.deep.equal([]);
    for (const nothing of [
      { [B]: { delete: null } },
      { [A]: { modify: { tag: 5 } } },
      { [A]: { insert: { name: 'a', tag: 5 } } },
      { [C]: { initial: { name: 'c' } } },
    ])
      expect(replica.apply({ Port: nothing }, 2)).to.equal(undefined);
    expect(portsOf(replica)).to.equal(after);
  });

  it('compares a copy of other columns as a whole', () => {
    const replica = loaded();
    const port = codecsOf(openVSwitch).get('Port');
    if (!port) throw new Error('no Port');
    const codecs = new Map([['Port', new RowCodec(port, ['name'])]]);
    const changes = replica.load(codecs, { Port: { [A]: { initial: { name: 'a' } } } }, 2);
    expect([...(changes ?? [])].map(({ kind }) => kind)).to.deep.equal(['modify']);
    expect([...(replica.load(new Map(), {}, 2) ?? [])].map(({ kind }) => kind)).to.deep.equal(['delete']);
    expect(replica.tables.size).to.equal(0);
  });

  it('changes nothing where an update is wrong', () => {
    const good = { insert: { name: 'b' } };
    for (const wrong of [
      { Port: { [B]: good, [A]: { modify: { tag: 'x' } } } },
      { Port: { [B]: { modify: { tag: 1 } } } },
      { Port: { [B]: good }, Bridge: {} },
      { Port: { [B]: good, nobody: good } },
      { Port: { [B]: { insert: 7 } } },
      { Port: [] },
      [],
    ]) {
      const replica = loaded();
      const before = replica.tables;
      expect(() => replica.apply(wrong, 2), JSON.stringify(wrong))
        .to.throw(VsbError)
        .with.property('code', 'OVSDB_PROTOCOL');
      expect(replica.tables).to.equal(before);
    }
  });

  it('takes the last where a row is named twice, also in two batches', () => {
    const row = (name: string) => `{"initial":{"name":"${name}","trunks":["set",[1,2]]}}`;
    const text = `{"id":1,"result":{"Port":{"${A}":${row('b')},"${A}":${row('a')}}}}`;
    const [frame] = new Framer({ maxBytes: 1 << 20, maxDepth: 100, batchBytes: 20 }).push(Buffer.from(text));
    if (!frame) throw new Error('no message');
    for (const take of ['load', 'apply'] as const) {
      const replica = loaded();
      const before = replica.tables;
      const reply = decodeMessage(frame, () => true);
      if (reply.kind !== 'success') throw new Error('no success');
      const changes =
        take === 'load'
          ? replica.load(rowCodecs(), reply.message.result, 2)
          : replica.apply(reply.message.result, 2);
      expect(changes, take).to.equal(undefined);
      expect(replica.tables, take).to.equal(before);
    }
  });

  it('hands out rows that cannot be changed', () => {
    expect(portsOf(loaded())?.get(A)).to.be.frozen;
  });
});

describe('table view', () => {
  it('is what a Map would be after the same changes, and so are its predecessors', () => {
    const uuids = Array.from({ length: 400 }, (_, index) =>
      toUuid(`00000000-0000-4000-8000-${String(index).padStart(12, '0')}`),
    );
    const change = fc.tuple(fc.constantFrom(...uuids), fc.option(fc.nat(), { nil: undefined }));
    fc.assert(
      fc.property(fc.array(fc.array(change, { maxLength: 200 }), { maxLength: 8 }), (steps) => {
        let view = TableView.of<number>(new Map());
        const model = new Map<Uuid, number>();
        const history: [TableView<number>, Map<Uuid, number>][] = [];
        for (const step of steps) {
          view = view.with(new Map(step));
          for (const [uuid, value] of new Map(step))
            if (value === undefined) model.delete(uuid);
            else model.set(uuid, value);
          history.push([view, new Map(model)]);
        }
        for (const [then, expected] of history) {
          expect(then.size).to.equal(expected.size);
          expect(new Map(then)).to.deep.equal(expected);
          expect(new Set(then.keys())).to.deep.equal(new Set(expected.keys()));
          expect([...then.values()].sort()).to.deep.equal([...expected.values()].sort());
          for (const uuid of uuids.slice(0, 20)) expect(then.get(uuid)).to.equal(expected.get(uuid));
        }
      }),
      { numRuns: 30 },
    );
  });
});
