import { expect } from 'chai';
import { VsbError } from '../../../../src/errors.ts';
import { parseSchema } from '../../../../src/ovsdb/schema/schemafile.ts';
import { BAD_SCHEMAS, GOOD_SCHEMA } from '../../../support/schemas.ts';

const tables = (schema: object) => ({
  name: 'T',
  version: '1.0.0',
  tables: schema,
});

describe('a schema at run time', () => {
  it('is read with everything that RFC 7047 has', () => {
    expect(parseSchema(GOOD_SCHEMA)).to.deep.equal({
      name: 'Good',
      version: '1.2.3',
      tables: {
        Root: {
          isRoot: true,
          maxRows: 7,
          indexes: [['name'], ['name', 'small']],
          columns: {
            name: { key: { type: 'string', minLength: 1, maxLength: 9 }, min: 1, max: 1, immutable: true },
            small: { key: { type: 'integer', minInteger: 0, maxInteger: 4095 }, min: 1, max: 1 },
            wide: { key: { type: 'integer', wide: true }, min: 0, max: 1 },
            half: { key: { type: 'integer', wide: true, minInteger: 1 }, min: 1, max: 1 },
            share: { key: { type: 'real', minReal: 0, maxReal: 1.5 }, min: 0, max: 3 },
            flag: { key: { type: 'boolean' }, min: 1, max: 1, ephemeral: true },
            mode: { key: { type: 'string', choices: ['a', 'b'] }, min: 0, max: 1 },
            only: { key: { type: 'string', choices: ['x'] }, min: 0, max: 1 },
            step: { key: { type: 'integer', choices: [1, 2] }, min: 0, max: 1 },
            any: { key: { type: 'uuid' }, min: 0, max: Infinity },
            strong: { key: { type: 'uuid', refTable: 'Leaf' }, min: 1, max: Infinity },
            weak: {
              key: { type: 'string' },
              value: { type: 'uuid', refTable: 'Leaf', weak: true },
              min: 0,
              max: Infinity,
            },
          },
        },
        Leaf: { isRoot: false, indexes: [], columns: { text: { key: { type: 'string' }, min: 1, max: 1 } } },
      },
    });
  });

  it('has only root tables where it names none', () => {
    const columns = { c: { type: 'string' } };
    const schema = parseSchema(tables({ A: { columns }, B: { columns, isRoot: false } }));
    expect(Object.values(schema.tables).map(({ isRoot }) => isRoot)).to.deep.equal([true, true]);
  });

  it('has 64-bit limits exactly where the session gives them exactly, else rounded into 64 bits', () => {
    const limits = (minInteger: unknown, maxInteger: unknown) =>
      parseSchema(
        tables({ A: { columns: { c: { type: { key: { type: 'integer', minInteger, maxInteger } } } } } }),
      ).tables['A']?.columns['c']?.key;
    expect(limits('\0-9223372036854775807', '\x009007199254740993')).to.deep.equal({
      type: 'integer',
      wide: true,
      minInteger: -9223372036854775807n,
      maxInteger: 9007199254740993n,
    });
    expect(limits(0, 2 ** 63)).to.deep.include({ wide: true, maxInteger: 2n ** 63n - 1n });
  });

  for (const [what, schema, place] of BAD_SCHEMAS)
    it(`is refused with the place: ${what}`, () => {
      expect(() => parseSchema(schema))
        .to.throw(VsbError, place)
        .with.property('code', 'OVSDB_SCHEMA_INVALID');
    });

  it('may have members that only newer servers know', () => {
    const schema = { ...tables({ A: { columns: { c: { type: 'string', later: 1 } }, later: 2 } }), later: 3 };
    expect(parseSchema(schema).tables['A']?.columns).to.have.keys('c');
  });
});
