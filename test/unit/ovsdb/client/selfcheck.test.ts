import { expect } from 'chai';
import { VsbError } from '../../../../src/errors.ts';
import { codecsOf } from '../../../../src/ovsdb/replica/codecs.ts';
import { openVSwitch } from '../../../../src/ovsdb/generated/vswitch.ts';
import { Replica } from '../../../../src/ovsdb/replica/replica.ts';
import { RowCodec } from '../../../../src/ovsdb/replica/row.ts';
import { compareWith, planCheck } from '../../../../src/ovsdb/client/selfcheck.ts';

const HELD = { Port: ['name', 'tag', 'bond_mode'], Bridge: ['name'], Mirror: ['name'] };
const PRESENT = new Map([
  ['Port', new Set(['name', 'tag'])],
  ['Bridge', new Set(['name'])],
]);
const uuid = (n: number) => `00000000-0000-4000-8000-00000000000${String(n)}`;
const row = (n: number, more: object) => ({ _uuid: ['uuid', uuid(n)], ...more });

const tables = codecsOf(openVSwitch);
const rows = new Map(
  Object.entries(HELD).map(([table, held]) => {
    const codec = tables.get(table);
    if (!codec) throw new Error(table);
    return [table, new RowCodec(codec, held)] as const;
  }),
);

describe('ovsdb selfcheck', () => {
  it('reads what is held and present, once for each way to meet a condition', () => {
    const wheres = new Map<string, boolean | readonly (readonly [string, string, unknown])[]>([
      [
        'Port',
        [
          ['name', '==', 'a'],
          ['tag', '==', 7],
          ['bond_mode', '==', 'x'],
        ],
      ],
    ]);
    expect(planCheck(HELD, PRESENT, wheres)).to.deep.equal({
      tables: ['Port', 'Port', 'Bridge'],
      operations: [
        { op: 'select', table: 'Port', where: [['name', '==', 'a']], columns: ['_uuid', 'name', 'tag'] },
        { op: 'select', table: 'Port', where: [['tag', '==', 7]], columns: ['_uuid', 'name', 'tag'] },
        { op: 'select', table: 'Bridge', where: [], columns: ['_uuid', 'name'] },
      ],
    });
    expect(planCheck({ Port: ['name'] }, PRESENT, new Map([['Port', false]])).operations).to.deep.equal([]);
  });

  it('names rows that are missing, too many, or different', () => {
    const replica = new Replica();
    replica.load(
      rows,
      {
        Port: { [uuid(1)]: { initial: { name: 'a', tag: 1 } }, [uuid(2)]: { initial: { name: 'b' } } },
        Bridge: { [uuid(4)]: { initial: { name: 'br' } } },
      },
      2,
    );
    const plan = planCheck(HELD, PRESENT, new Map());
    const found = compareWith(
      [
        { rows: [row(1, { name: 'a', tag: 2 }), row(3, { name: 'c', tag: ['set', []] })] },
        { rows: [row(4, { name: 'br' })] },
      ],
      plan,
      { rows, tables },
      replica.tables,
    );
    expect(found).to.deep.equal([
      { table: 'Port', uuid: uuid(1), kind: 'differs', columns: ['tag'] },
      { table: 'Port', uuid: uuid(3), kind: 'missing', columns: [] },
      { table: 'Port', uuid: uuid(2), kind: 'surplus', columns: [] },
    ]);
    expect(() => compareWith([{ error: 'x' }], plan, { rows, tables }, replica.tables)).to.throw(VsbError);
  });
});
