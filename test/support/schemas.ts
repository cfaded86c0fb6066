/** Schemas for the reader of schemas and for ovsdb-tool, which must agree about them. */

/** Everything that RFC 7047 §3.2 has. */
export const GOOD_SCHEMA = {
  name: 'Good',
  version: '1.2.3',
  cksum: '1 2',
  tables: {
    Root: {
      isRoot: true,
      maxRows: 7,
      indexes: [['name'], ['name', 'small']],
      columns: {
        name: { type: { key: { type: 'string', minLength: 1, maxLength: 9 } }, mutable: false },
        small: { type: { key: { type: 'integer', minInteger: 0, maxInteger: 4095 } } },
        wide: { type: { key: 'integer', min: 0 } },
        half: { type: { key: { type: 'integer', minInteger: 1 } } },
        share: { type: { key: { type: 'real', minReal: 0, maxReal: 1.5 }, min: 0, max: 3 } },
        flag: { type: 'boolean', ephemeral: true },
        mode: { type: { key: { type: 'string', enum: ['set', ['a', 'b']] }, min: 0 } },
        only: { type: { key: { type: 'string', enum: 'x' }, min: 0 } },
        step: { type: { key: { type: 'integer', enum: ['set', [1, 2]] }, min: 0 } },
        any: { type: { key: 'uuid', min: 0, max: 'unlimited' } },
        strong: { type: { key: { type: 'uuid', refTable: 'Leaf' }, max: 'unlimited' } },
        weak: {
          type: {
            key: 'string',
            value: { type: 'uuid', refTable: 'Leaf', refType: 'weak' },
            min: 0,
            max: 'unlimited',
          },
        },
      },
    },
    Leaf: { columns: { text: { type: 'string' } } },
  },
} as const;

const withTable = (table: unknown) => ({ name: 'Bad', version: '1.0.0', tables: { T: table } });
const withColumn = (column: unknown, more: object = {}) => withTable({ columns: { c: column }, ...more });
const withType = (type: unknown) => withColumn({ type });

/** What is wrong, the schema, and the place that the error names. */
export const BAD_SCHEMAS: readonly (readonly [what: string, schema: unknown, place: string])[] = [
  ['no object', [], 'it is no object'],
  ['no name', { version: '1.0.0', tables: {} }, '"name" is missing'],
  ['a name that is no identifier', { name: 'a b', version: '1.0.0', tables: {} }, '"name" is "a b"'],
  ['no tables', { name: 'Bad', version: '1.0.0' }, '"tables" is missing'],
  ['a table without columns', withTable({}), '"columns" of table "T" is missing'],
  ['a table with no column', withTable({ columns: {} }), '"columns" of table "T" is empty'],
  [
    'a table named by no identifier',
    { name: 'B', version: '1.0.0', tables: { '1T': { columns: { c: { type: 'string' } } } } },
    '"1T"',
  ],
  [
    'a table name of the server',
    { name: 'B', version: '1.0.0', tables: { _T: { columns: { c: { type: 'string' } } } } },
    '"_T"',
  ],
  ['a column name of the server', withTable({ columns: { _c: { type: 'string' } } }), '"_c"'],
  ['maxRows below 1', withColumn({ type: 'string' }, { maxRows: 0 }), '"maxRows" of table "T"'],
  ['isRoot that is no boolean', withColumn({ type: 'string' }, { isRoot: 1 }), '"isRoot" of table "T"'],
  ['a column without a type', withColumn({}), '"type" of column "c" of table "T" is missing'],
  ['an unknown type', withType('text'), '"type" of column "c" of table "T" is none of integer'],
  ['an unknown key type', withType({ key: { type: 'text' } }), '"key" of column "c"'],
  ['a type without a key', withType({ min: 0 }), '"key" of column "c"'],
  ['min above 1', withType({ key: 'string', min: 2, max: 3 }), '"min" of column "c"'],
  ['max below 1', withType({ key: 'string', min: 0, max: 0 }), '"max" of column "c"'],
  ['max that is another word', withType({ key: 'string', min: 0, max: 'many' }), '"max" of column "c"'],
  [
    'an integer range upside down',
    withType({ key: { type: 'integer', minInteger: 2, maxInteger: 1 } }),
    '"key"',
  ],
  ['a real range upside down', withType({ key: { type: 'real', minReal: 2, maxReal: 1 } }), '"minReal"'],
  [
    'a length range upside down',
    withType({ key: { type: 'string', minLength: 2, maxLength: 1 } }),
    '"minLength"',
  ],
  ['a length below 0', withType({ key: { type: 'string', minLength: -1 } }), '"minLength" of "key"'],
  ['a limit of another type', withType({ key: { type: 'string', minInteger: 2 } }), 'has "minInteger"'],
  ['an empty enum', withType({ key: { type: 'string', enum: ['set', []] } }), '"enum" of "key"'],
  ['an enum of another type', withType({ key: { type: 'string', enum: ['set', [1]] } }), '"enum" of "key"'],
  ['an enum of real texts', withType({ key: { type: 'real', enum: ['set', ['x']] } }), 'is no number'],
  ['an enum of fractions', withType({ key: { type: 'integer', enum: ['set', [1.5]] } }), 'is no integer'],
  ['a reference to no table', withType({ key: { type: 'uuid', refTable: 'U' } }), 'refers to "U"'],
  [
    'a reference of an unknown kind',
    withType({ key: { type: 'uuid', refTable: 'T', refType: 'soft' } }),
    '"refType"',
  ],
  ['an index over no column', withColumn({ type: 'string' }, { indexes: [[]] }), '"indexes" of table "T"'],
  ['an index over an unknown column', withColumn({ type: 'string' }, { indexes: [['d']] }), 'names "d"'],
  ['an index with a column twice', withColumn({ type: 'string' }, { indexes: [['c', 'c']] }), 'twice'],
  [
    'an index over what is not kept',
    withColumn({ type: 'string', ephemeral: true }, { indexes: [['c']] }),
    'is ephemeral',
  ],
  ['mutable that is no boolean', withColumn({ type: 'string', mutable: 'no' }), '"mutable" of column "c"'],
];
