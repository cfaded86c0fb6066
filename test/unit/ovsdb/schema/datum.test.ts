import { expect } from 'chai';
import fc from 'fast-check';
import { VsbError } from '../../../../src/errors.ts';
import type { EncodeContext } from '../../../../src/ovsdb/schema/atom.ts';
import { compileColumn } from '../../../../src/ovsdb/schema/datum.ts';
import type { AtomSchema, ColumnSchema } from '../../../../src/ovsdb/schema/schema.ts';

const noRefs: EncodeContext = {
  encodeRef: () => {
    throw new Error('no refs here');
  },
};

const WIDE: AtomSchema = { type: 'integer', wide: true };
const NARROW: AtomSchema = { type: 'integer', minInteger: 0, maxInteger: 4095 };

const atoms: readonly (readonly [AtomSchema, fc.Arbitrary<string | number | bigint | boolean>])[] = [
  [WIDE, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
  [NARROW, fc.integer({ min: 0, max: 4095 })],
  [
    { type: 'real' },
    fc
      .double({ noNaN: true, min: -1.79769313486231e308, max: 1.79769313486231e308 })
      .map((real) => (Math.abs(real) < 2.2250738585073e-308 ? 0 : real)),
  ],
  [{ type: 'boolean' }, fc.boolean()],
  [{ type: 'string' }, fc.string({ unit: 'grapheme' })],
  [{ type: 'uuid' }, fc.uuid()],
];

function sorted<T extends string | number | bigint | boolean>(values: readonly T[]): T[] {
  return [...values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

describe('datum', () => {
  for (const [atom, values] of atoms) {
    const name = JSON.stringify(atom);
    const codec = (rest: Omit<ColumnSchema, 'key'>) => compileColumn('T', 'c', { key: atom, ...rest });
    const roundTrip = (rest: Omit<ColumnSchema, 'key'>, value: unknown) => {
      const column = codec(rest);
      return column.decode(JSON.parse(JSON.stringify(column.encode(value, noRefs))));
    };

    it(`decodes what it encodes: ${name}`, () => {
      fc.assert(
        fc.property(
          values,
          fc.uniqueArray(values),
          fc.option(values, { nil: undefined }),
          (one, many, optional) => {
            expect(roundTrip({ min: 1, max: 1 }, one)).to.equal(one);
            expect(roundTrip({ min: 0, max: 1 }, optional)).to.equal(optional);
            expect(roundTrip({ min: 0, max: Infinity }, many)).to.deep.equal(sorted(many));
            const map = new Map(many.map((key) => [key, String(key)]));
            expect(roundTrip({ min: 0, max: Infinity, value: { type: 'string' } }, map)).to.deep.equal(map);
          },
        ),
      );
    });

    it(`applies a set's diff: ${name}`, () => {
      const column = codec({ min: 0, max: Infinity });
      fc.assert(
        fc.property(fc.uniqueArray(values), fc.uniqueArray(values), (before, after) => {
          const diff = [
            ...before.filter((one) => !after.includes(one)),
            ...after.filter((one) => !before.includes(one)),
          ];
          expect(column.applyDiff(sorted(before), column.encode(diff, noRefs))).to.deep.equal(sorted(after));
        }),
      );
    });
  }

  it("applies a map's diff", () => {
    const text: AtomSchema = { type: 'string' };
    const column = compileColumn('T', 'c', { key: text, value: text, min: 0, max: Infinity });
    const maps = fc
      .dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom('1', '2'))
      .map((object) => new Map(Object.entries(object)));
    fc.assert(
      fc.property(maps, maps, (before, after) => {
        const diff = new Map([...before, ...after].filter(([key]) => before.get(key) !== after.get(key)));
        for (const key of diff.keys()) diff.set(key, after.get(key) ?? before.get(key) ?? '1');
        expect(column.applyDiff(before, column.encode(diff, noRefs))).to.deep.equal(after);
      }),
    );
  });

  it('takes the diff of what holds at most one as its new value', () => {
    expect(compileColumn('T', 'c', { key: WIDE, min: 0, max: 1 }).applyDiff(5n, ['set', []])).to.equal(
      undefined,
    );
    expect(compileColumn('T', 'c', { key: WIDE, min: 1, max: 1 }).applyDiff(5n, 5)).to.equal(5n);
    const one = compileColumn('T', 'c', { key: WIDE, value: WIDE, min: 0, max: 1 });
    expect(one.applyDiff(new Map([[1n, 2n]]), ['map', [[1, 2]]])).to.deep.equal(new Map([[1n, 2n]]));
  });

  it("starts a column that is never empty with its type's default, as the server does", () => {
    const TEXT: AtomSchema = { type: 'string' };
    expect(compileColumn('T', 'c', { key: TEXT, min: 0, max: 5 }).initial).to.deep.equal([]);
    expect(compileColumn('T', 'c', { key: TEXT, min: 1, max: 5 }).initial).to.deep.equal(['']);
    const map = compileColumn('T', 'c', { key: TEXT, value: WIDE, min: 1, max: Infinity });
    expect(map.initial).to.deep.equal(new Map([['', 0n]]));
  });

  it('decodes by schema: a uuid pair is no set, a bare atom is a set of one', () => {
    const uuid = '3c9a6a3e-7d45-4f0e-8f2b-0d7d0f0a1b2c';
    const set = compileColumn('T', 'c', { key: { type: 'uuid' }, min: 0, max: Infinity });
    expect(set.decode(['uuid', uuid])).to.deep.equal([uuid]);
    expect(set.decode(['set', []])).to.deep.equal([]);
    expect(set.decode(['set', [['uuid', uuid]]])).to.deep.equal([uuid]);
  });

  it('refuses to encode what the schema does not allow', () => {
    const cases: readonly (readonly [AtomSchema, unknown])[] = [
      [NARROW, 4096],
      [NARROW, -1],
      [NARROW, 1.5],
      [NARROW, '1'],
      [WIDE, 2n ** 63n],
      [WIDE, 2 ** 60],
      [{ type: 'real' }, NaN],
      [{ type: 'real' }, Number.MAX_VALUE],
      [{ type: 'real' }, -5e-324],
      [{ type: 'string' }, 7],
      [{ type: 'string' }, '\u0000123'],
      [{ type: 'string', choices: ['up', 'down'] }, 'left'],
      [{ type: 'uuid' }, 'br0'],
      [{ type: 'boolean' }, 'true'],
    ];
    for (const [atom, value] of cases)
      expect(
        () => compileColumn('T', 'c', { key: atom, min: 1, max: 1 }).encode(value, noRefs),
        String(value),
      )
        .to.throw(VsbError, 'T.c')
        .with.property('code', 'OVSDB_VALUE');
  });

  it('hands out an empty map that JavaScript cannot change either, since all rows share it', () => {
    const codec = compileColumn('T', 'c', {
      key: { type: 'string' },
      value: WIDE,
      min: 0,
      max: Infinity,
    });
    const map = codec.decode(['map', []]) as Map<unknown, unknown>;
    expect(() => map.set('a', 1n)).to.throw(TypeError, 'Transaction');
    expect(codec.initial).to.equal(map);
    expect(new Map(map)).to.deep.equal(new Map());
  });

  it('answers any JSON with a value or OVSDB_PROTOCOL', () => {
    const shapes: readonly Omit<ColumnSchema, 'key'>[] = [
      { min: 1, max: 1 },
      { min: 0, max: 1 },
      { min: 0, max: Infinity },
      { min: 0, max: Infinity, value: WIDE },
    ];
    const wires = fc.oneof(
      fc.jsonValue(),
      fc.jsonValue().map((value) => ['set', [value]]),
      fc.jsonValue().map((value) => ['map', [[value, value]]]),
    );
    for (const [atom] of atoms)
      for (const shape of shapes) {
        const column = compileColumn('T', 'c', { key: atom, ...shape });
        fc.assert(
          fc.property(wires, (wire) => {
            try {
              column.decode(wire);
            } catch (thrown) {
              expect(thrown).to.be.instanceOf(VsbError).with.property('code', 'OVSDB_PROTOCOL');
            }
          }),
          { numRuns: 50 },
        );
      }
  });
});
