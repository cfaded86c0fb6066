/**
 * A schema at run time, from the JSON of an `.ovsschema` file or of a `get_schema` reply (RFC 7047 §3.2): for databases
 * whose row types were not generated, and what the generator itself reads. Strict about what it uses, in the way
 * ovsdb-server is; members it does not know are passed over, since newer servers may have more.
 */
import { fail, type VsbError } from '../../errors.ts';
import { fromMarkedInteger } from '../../jsonrpc/integers.ts';
import {
  isUuid,
  type AtomSchema,
  type AtomType,
  type ColumnSchema,
  type DatabaseSchema,
  type GenericTables,
  type TableSchema,
} from './schema.ts';

/**
 * The schema that a JSON value describes, with everything that decoding, indexes and lint ask for.
 * @param json what `JSON.parse` made of an `.ovsschema` file, or the result of `get_schema`
 * @throws OVSDB_SCHEMA_INVALID with the place
 */
export function parseSchema(json: unknown): DatabaseSchema<GenericTables> {
  if (typeof json === 'string') throw invalid('it', 'is a text: give what JSON.parse makes of it');
  const schema = object(json, 'it');
  const name = identifier(schema['name'], 'its "name"');
  // Optional to ovsdb-server, though not in the RFC.
  const version = optional(schema['version'], (value) => string(value, 'its "version"')) ?? '';
  const wireTables = object(schema['tables'], 'its "tables"');
  const isRootNamed = Object.values(wireTables).some((table) => isObject(table) && table['isRoot'] === true);
  const tables: Record<string, TableSchema<Record<string, unknown>>> = {};
  for (const [table, value] of Object.entries(wireTables)) {
    ownIdentifier(table, 'the name of a table');
    const place = `table "${table}"`;
    // Schemas from before there was `isRoot` name no root; then every table is one (RFC 7047 §3.2).
    tables[table] = readTable(object(value, place), place, !isRootNamed, wireTables);
  }
  return { name, version, tables };
}

type Json = Readonly<Record<string, unknown>>;

function readTable(
  table: Json,
  place: string,
  isRootByRule: boolean,
  tables: Json,
): TableSchema<Record<string, unknown>> {
  const columns: Record<string, ColumnSchema> = {};
  for (const [column, value] of Object.entries(object(table['columns'], `"columns" of ${place}`))) {
    const at = `column "${column}" of ${place}`;
    ownIdentifier(column, `the name of ${at}`);
    columns[column] = readColumn(object(value, at), at, tables);
  }
  if (Object.keys(columns).length === 0) throw invalid(`"columns" of ${place}`, 'is empty');
  const isRoot = optional(table['isRoot'], (value) => boolean(value, `"isRoot" of ${place}`)) ?? false;
  const maxRows = optional(table['maxRows'], (value) => integerFrom(value, 1, `"maxRows" of ${place}`));
  return {
    isRoot: isRoot || isRootByRule,
    ...(maxRows === undefined ? {} : { maxRows }),
    indexes: readIndexes(table['indexes'] ?? [], columns, `"indexes" of ${place}`),
    columns,
  };
}

function readIndexes(
  value: unknown,
  columns: Readonly<Record<string, ColumnSchema>>,
  place: string,
): readonly (readonly string[])[] {
  return list(value, place).map((index) => {
    const names = list(index, place).map((name) => string(name, place));
    if (names.length === 0) throw invalid(place, 'has one without columns');
    if (new Set(names).size < names.length) throw invalid(place, 'names a column twice');
    for (const name of names) {
      if (!Object.hasOwn(columns, name)) throw invalid(place, `names "${name}", which is no column of it`);
      if (columns[name]?.ephemeral) throw invalid(place, `names "${name}", which is ephemeral`);
    }
    return names;
  });
}

function readColumn(column: Json, place: string, tables: Json): ColumnSchema {
  const isMutable = optional(column['mutable'], (value) => boolean(value, `"mutable" of ${place}`)) ?? true;
  const isEphemeral = optional(column['ephemeral'], (value) => boolean(value, `"ephemeral" of ${place}`));
  return {
    ...readType(column['type'], place, tables),
    ...(isMutable ? {} : { immutable: true }),
    ...(isEphemeral === true ? { ephemeral: true } : {}),
  };
}

/** RFC 7047 §3.2 `<type>`. */
function readType(
  type: unknown,
  place: string,
  tables: Json,
): Pick<ColumnSchema, 'key' | 'value' | 'min' | 'max'> {
  if (typeof type === 'string') return { key: readAtom(type, `"type" of ${place}`, tables), min: 1, max: 1 };
  const { key, value, min = 1, max = 1 } = object(type, `"type" of ${place}`);
  if (min !== 0 && min !== 1) throw invalid(`"min" of ${place}`, 'is neither 0 nor 1');
  return {
    key: readAtom(key, `"key" of ${place}`, tables),
    ...(value === undefined ? {} : { value: readAtom(value, `"value" of ${place}`, tables) }),
    min,
    max: max === 'unlimited' ? Infinity : integerFrom(max, 1, `"max" of ${place}`),
  };
}

const ATOM_TYPES: readonly AtomType[] = ['integer', 'real', 'boolean', 'string', 'uuid'];

/** RFC 7047 §3.2 `<base-type>`. */
function readAtom(base: unknown, place: string, tables: Json): AtomSchema {
  const members: Json = typeof base === 'string' ? { type: base } : object(base, place);
  const type = ATOM_TYPES.find((known) => known === members['type']);
  if (type === undefined) throw invalid(place, `is none of ${ATOM_TYPES.join(', ')}`);
  const limits = readLimits(type, members, place, tables);
  if (members['enum'] === undefined)
    return { type, ...limits, ...(type === 'integer' && isWide(limits) ? { wide: true } : {}) };
  const wire = members['enum'];
  const at = `"enum" of ${place}`;
  const wireChoices = Array.isArray(wire) && wire[0] === 'set' ? list(wire[1], at) : [wire];
  if (wireChoices.length === 0) throw invalid(at, 'is empty');
  const choices = wireChoices.map((choice) => readChoice(type, choice, at));
  const isBig = choices.some((choice) => typeof choice === 'bigint');
  // Integers of one column are all bigint, or all number.
  return isBig
    ? { type, ...limits, wide: true, choices: choices.map((choice) => BigInt(choice)) }
    : { type, ...limits, choices };
}

type Limits = Omit<AtomSchema, 'type' | 'wide' | 'choices'>;

/** The constraints that go with a type; those of other types are refused, as ovsdb-server does. */
function readLimits(type: AtomType, members: Json, place: string, tables: Json): Limits {
  for (const [name, owner] of LIMIT_OWNERS)
    if (name in members && owner !== type) throw invalid(place, `has "${name}", which is for ${owner} only`);
  switch (type) {
    case 'integer':
      return readRange(members, 'minInteger', 'maxInteger', place, integer);
    case 'real':
      return readRange(members, 'minReal', 'maxReal', place, real);
    case 'string':
      return readRange(members, 'minLength', 'maxLength', place, (value, at) => integerFrom(value, 0, at));
    case 'boolean':
      return {};
    case 'uuid': {
      const { refTable, refType = 'strong' } = members;
      if (refTable === undefined && 'refType' in members)
        throw invalid(place, 'has "refType" without "refTable"');
      if (refTable === undefined) return {};
      const table = string(refTable, `"refTable" of ${place}`);
      if (!Object.hasOwn(tables, table)) throw invalid(place, `refers to "${table}", which is no table`);
      if (refType !== 'strong' && refType !== 'weak')
        throw invalid(`"refType" of ${place}`, 'is neither strong nor weak');
      return { refTable: table, ...(refType === 'weak' ? { weak: true } : {}) };
    }
  }
}

const LIMIT_OWNERS: ReadonlyMap<string, AtomType> = new Map([
  ['minInteger', 'integer'],
  ['maxInteger', 'integer'],
  ['minReal', 'real'],
  ['maxReal', 'real'],
  ['minLength', 'string'],
  ['maxLength', 'string'],
  ['refTable', 'uuid'],
  ['refType', 'uuid'],
]);

function readRange<Min extends string, Max extends string, N extends number | bigint>(
  members: Json,
  min: Min,
  max: Max,
  place: string,
  read: (value: unknown, place: string) => N,
): { readonly [M in Min | Max]?: N } {
  const least = optional(members[min], (value) => read(value, `"${min}" of ${place}`));
  const most = optional(members[max], (value) => read(value, `"${max}" of ${place}`));
  if (least !== undefined && most !== undefined && least > most)
    throw invalid(place, `has a "${min}" above its "${max}"`);
  const range: { [M in Min | Max]?: N } = {};
  if (least !== undefined) range[min] = least;
  if (most !== undefined) range[max] = most;
  return range;
}

/** Whether values can lie beyond what a number holds exactly. */
function isWide({ minInteger, maxInteger }: Limits): boolean {
  return typeof minInteger !== 'number' || typeof maxInteger !== 'number';
}

function readChoice(type: AtomType, choice: unknown, place: string): string | number | bigint | boolean {
  switch (type) {
    case 'integer':
      return integer(choice, place);
    case 'real':
      return real(choice, place);
    case 'boolean':
      return boolean(choice, place);
    case 'string':
      return string(choice, place);
    case 'uuid': {
      const [tag, text] = list(choice, place);
      if (tag !== 'uuid' || typeof text !== 'string' || !isUuid(text)) throw invalid(place, 'is no UUID');
      return text;
    }
  }
}

const INT64_MAX = 2n ** 63n - 1n;

/** A signed 64-bit integer: a number where that is exact. `JSON.parse` rounds the greatest one up, beyond 64 bits. */
function integer(value: unknown, place: string): number | bigint {
  const exact =
    typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : fromMarkedInteger(value);
  if (exact === undefined) throw invalid(place, 'is no integer');
  if (exact > INT64_MAX) return INT64_MAX;
  if (exact < -INT64_MAX - 1n) return -INT64_MAX - 1n;
  return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact;
}

function integerFrom(value: unknown, least: number, place: string): number {
  const number = typeof value === 'number' ? value : Number(fromMarkedInteger(value));
  if (!Number.isInteger(number) || number < least)
    throw invalid(place, `is no integer from ${String(least)} up`);
  return number;
}

function real(value: unknown, place: string): number {
  const number = typeof value === 'number' ? value : Number(fromMarkedInteger(value));
  if (!Number.isFinite(number)) throw invalid(place, 'is no number');
  return number;
}

function boolean(value: unknown, place: string): boolean {
  if (typeof value !== 'boolean') throw invalid(place, 'is neither true nor false');
  return value;
}

function string(value: unknown, place: string): string {
  if (typeof value !== 'string') throw invalid(place, value === undefined ? 'is missing' : 'is no text');
  return value;
}

/** An identifier of the schema's own: those that begin with `_` are the server's (RFC 7047 §3.2). */
function ownIdentifier(value: string, place: string): void {
  if (identifier(value, place).startsWith('_')) throw invalid(place, `is "${value}", which begins with "_"`);
}

/** RFC 7047 §3.1 `<id>`. */
function identifier(value: unknown, place: string): string {
  const text = string(value, place);
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(text)) throw invalid(place, `is "${text}", which is no identifier`);
  return text;
}

function list(value: unknown, place: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalid(place, 'is no list');
  return value;
}

function object(value: unknown, place: string): Json {
  if (!isObject(value)) throw invalid(place, value === undefined ? 'is missing' : 'is no object');
  return value;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === undefined ? undefined : read(value);
}

function invalid(place: string, why: string): VsbError {
  return fail('OVSDB_SCHEMA_INVALID', { place, why });
}
