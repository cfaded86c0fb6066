/**
 * Random database schemas (RFC 7047 §3.2): every atomic type, enums, ranges, optional values, sets, maps, references of
 * both kinds, tables that are root or not, unique indexes, columns that are ephemeral or immutable.
 */
import type { Random } from './random.ts';
import { atomToJson, someAtom, someInteger, someReal, type Atom } from './values.ts';

export type AtomType = 'integer' | 'real' | 'boolean' | 'string' | 'uuid';

/** RFC 7047 §3.2 `<base-type>`. */
export interface BaseType {
  readonly type: AtomType;
  readonly minInteger?: bigint;
  readonly maxInteger?: bigint;
  readonly minReal?: number;
  readonly maxReal?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly enum?: readonly Atom[];
  readonly refTable?: string;
  readonly refType?: 'strong' | 'weak';
}

export interface Column {
  readonly key: BaseType;
  readonly value?: BaseType;
  readonly min: 0 | 1;
  readonly max: number | 'unlimited';
  readonly isMutable: boolean;
  readonly isEphemeral: boolean;
}

export interface Table {
  readonly isRoot: boolean;
  readonly maxRows?: number;
  readonly columns: Readonly<Record<string, Column>>;
  readonly indexes: readonly (readonly string[])[];
}

export interface Schema {
  readonly name: string;
  readonly version: string;
  readonly tables: Readonly<Record<string, Table>>;
}

/** The table with one row whose `counter` names the last transaction that was committed. */
export const CONTROL = 'Control';

const CONTROL_TABLE: Table = {
  isRoot: true,
  maxRows: 1,
  columns: {
    counter: { key: { type: 'integer' }, min: 1, max: 1, isMutable: true, isEphemeral: false },
  },
  indexes: [],
};

/** A new schema with the control table in it. */
export function randomSchema(random: Random): Schema {
  const names = random.list(2 + random.below(4), (index) => `T${String(index)}`);
  const tables: Record<string, Table> = { [CONTROL]: CONTROL_TABLE };
  for (const [index, name] of names.entries()) tables[name] = randomTable(random, names, index === 0);
  return { name: random.pick(['Fuzz', 'F', 'Open_Fuzz_2']), version: '1.2.3', tables };
}

/** The schema with columns and a table more: what a newer version of it could be. */
export function extendedSchema(random: Random, schema: Schema): Schema {
  const names = Object.keys(schema.tables).filter((name) => name !== CONTROL);
  const extra = `N${String(names.length)}`;
  const tables = Object.fromEntries(
    Object.entries(schema.tables).map(([name, table]) => {
      if (name === CONTROL || random.percent(40)) return [name, table];
      const more = random.list(
        1 + random.below(2),
        (index) =>
          [
            `x${String(Object.keys(table.columns).length + index)}`,
            optional(randomColumn(random, names)),
          ] as const,
      );
      return [name, { ...table, columns: { ...table.columns, ...Object.fromEntries(more) } }];
    }),
  );
  tables[extra] = randomTable(random, [...names, extra], true);
  return { ...schema, version: '1.3.0', tables };
}

/**
 * The schema as a clustered database can have it: without ephemeral columns, and without columns of at most so many
 * elements, because ovsdb-server 3.1 cannot read the difference of two values back from its log where that has more.
 */
export function clustered(schema: Schema): Schema {
  const tables = mapValues(schema.tables, (table) => ({
    ...table,
    columns: mapValues(table.columns, (column): Column => ({
      ...column,
      isEphemeral: false,
      max: column.max === 1 ? 1 : 'unlimited',
    })),
  }));
  return { ...schema, tables };
}

/** The text of an `.ovsschema` file. */
export function schemaText(schema: Schema): string {
  return atomToJson({
    name: schema.name,
    version: schema.version,
    tables: mapValues(schema.tables, (table) => ({
      columns: mapValues(table.columns, (column) => ({
        type: typeJson(column),
        ...(column.isMutable ? {} : { mutable: false }),
        ...(column.isEphemeral ? { ephemeral: true } : {}),
      })),
      ...(table.isRoot ? { isRoot: true } : {}),
      ...(table.maxRows === undefined ? {} : { maxRows: table.maxRows }),
      ...(table.indexes.length === 0 ? {} : { indexes: table.indexes }),
    })),
  });
}

function typeJson(column: Column): unknown {
  const { key, value, min, max } = column;
  if (value === undefined && min === 1 && max === 1 && Object.keys(key).length === 1) return key.type;
  return {
    key: baseJson(key),
    ...(value === undefined ? {} : { value: baseJson(value) }),
    ...(min === 1 ? {} : { min }),
    ...(max === 1 ? {} : { max }),
  };
}

function baseJson(base: BaseType): unknown {
  if (Object.keys(base).length === 1) return base.type;
  return base.enum === undefined ? base : { ...base, enum: ['set', base.enum.map((atom) => atom.value)] };
}

function randomTable(random: Random, names: readonly string[], isRoot: boolean): Table {
  const columns: Record<string, Column> = {};
  const count = 1 + random.below(7);
  for (let index = 0; index < count; index += 1) columns[`c${String(index)}`] = randomColumn(random, names);
  const indexable = Object.keys(columns).filter((name) => {
    const column = columns[name];
    return column !== undefined && !column.isEphemeral && column.value === undefined && column.max === 1;
  });
  const indexes: string[][] = [];
  if (indexable.length > 0 && random.percent(35)) {
    const first = random.pick(indexable);
    const second = random.pick(indexable);
    indexes.push(first === second || random.percent(50) ? [first] : [first, second]);
  }
  return {
    isRoot: isRoot || random.percent(50),
    ...(random.percent(8) ? { maxRows: 2 + random.below(6) } : {}),
    columns,
    indexes,
  };
}

function optional(column: Column): Column {
  return { ...column, min: 0 };
}

function randomColumn(random: Random, tables: readonly string[]): Column {
  const type = random.pick<AtomType>([
    'integer',
    'real',
    'boolean',
    'string',
    'uuid',
    'string',
    'uuid',
    'integer',
  ]);
  const shape = random.pick(['scalar', 'scalar', 'optional', 'set', 'set', 'map', 'map', 'few', 'one map']);
  const key = randomBase(random, type, tables);
  const isEphemeral = random.percent(10);
  const rest = { isMutable: !random.percent(8), isEphemeral };
  const many = random.percent(70) ? 'unlimited' : 2 + random.below(6);
  switch (shape) {
    case 'scalar':
      return fixed({ key, min: 1, max: 1, ...rest });
    case 'optional':
      return fixed({ key, min: 0, max: 1, ...rest });
    case 'set':
      return fixed({ key, min: 0, max: many, ...rest });
    case 'few':
      // A set that is never empty: its default holds the type's default value.
      return fixed({ key, min: 1, max: many, ...rest });
    default: {
      const value = randomBase(
        random,
        random.pick<AtomType>(['integer', 'real', 'boolean', 'string', 'uuid']),
        tables,
      );
      const min = random.percent(80) ? 0 : 1;
      return fixed({ key, value, min, max: shape === 'map' ? many : 1, ...rest });
    }
  }
}

/** What ovsdb-server does not take is put right: references that nobody could ever satisfy, or that it forbids. */
function fixed(column: Column): Column {
  const bases = [column.key, ...(column.value ? [column.value] : [])];
  const isWeak = bases.some((base) => base.refType === 'weak');
  const refers = bases.some((base) => base.refTable !== undefined);
  return {
    ...column,
    // The default of a reference is the UUID of zeros, which no row has; a weak one must be able to go.
    min: refers ? 0 : column.min,
    isMutable: isWeak || column.isMutable,
  };
}

function randomBase(random: Random, type: AtomType, tables: readonly string[]): BaseType {
  if (type === 'uuid') {
    if (random.percent(15)) return { type };
    const refTable = random.pick(tables);
    return random.percent(20)
      ? { type, refTable }
      : { type, refTable, refType: random.percent(50) ? 'strong' : 'weak' };
  }
  const kind = random.below(10);
  if (kind < 2) {
    const atoms = random.list(1 + random.below(5), () => someAtom(random, { type }));
    const distinct = new Map(atoms.map((atom) => [String(atom.value), atom]));
    return { type, enum: [...distinct.values()] };
  }
  if (kind < 5 && type === 'integer') {
    const [minInteger, maxInteger] = [someInteger(random), someInteger(random)].sort((a, b) =>
      a < b ? -1 : 1,
    );
    return random.pick<BaseType>([
      { type, minInteger: minInteger ?? 0n },
      { type, maxInteger: maxInteger ?? 0n },
      { type, minInteger: minInteger ?? 0n, maxInteger: maxInteger ?? 0n },
      { type, minInteger: 0n, maxInteger: BigInt(1 + random.below(5000)) },
    ]);
  }
  if (kind < 5 && type === 'real') {
    const [minReal, maxReal] = [someReal(random), someReal(random)].sort((a, b) => a - b);
    return random.percent(50)
      ? { type, minReal: minReal ?? 0 }
      : { type, minReal: minReal ?? 0, maxReal: maxReal ?? 0 };
  }
  if (kind < 4 && type === 'string')
    return random.percent(50)
      ? { type, maxLength: 1 + random.below(20) }
      : { type, minLength: 1, maxLength: 300 };
  return { type };
}

function mapValues<V, W>(record: Readonly<Record<string, V>>, change: (value: V) => W): Record<string, W> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
