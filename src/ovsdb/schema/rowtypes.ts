/**
 * TypeScript from a schema: an interface for the rows of each table, and the schema as a value. Pure text; where it is
 * written to, and where the meanings come from: scripts/generate-ovsdb-types.ts.
 */
import type { AtomSchema, ColumnSchema, DatabaseSchema, GenericTables, TableSchema } from './schema.ts';

/** What generated row types are made with. */
export interface RowTypesOptions {
  /** The module that has `DatabaseSchema` and `Uuid`. */
  readonly importFrom: string;
  /** What tables (`Port`) and columns (`Port.tag`) mean, a sentence each. */
  readonly meanings?: ReadonlyMap<string, string>;
  /** Lines for the head of the file: where it came from. */
  readonly head?: readonly string[];
}

/** The text of a TypeScript module with the row types of a database; not yet formatted. */
export function rowTypes(schema: DatabaseSchema<GenericTables>, options: RowTypesOptions): string {
  const { importFrom, head = [], meanings = new Map<string, string>() } = options;
  const tables = Object.entries(schema.tables);
  const type = `${databaseName(schema.name)}Tables`;
  return [
    ...head.map((line) => `// ${line}`),
    `/** Row types and schema of the ${schema.name} database, version ${schema.version}. */`,
    `import type { DatabaseSchema, Uuid } from ${JSON.stringify(importFrom)};`,
    ...tables.map(([name, table]) => rowInterface(name, table, meanings)),
    `/** Every table, and the type of its rows. */`,
    `export interface ${type} {`,
    ...tables.map(([name]) => `${name}: ${rowName(name)};`),
    `}`,
    `/** The schema as a value, for decoding. */`,
    `export const ${schemaName(schema.name)}: DatabaseSchema<${type}> = ${literal(schema)};`,
    '',
  ].join('\n');
}

function rowInterface(
  name: string,
  table: TableSchema<Readonly<Record<string, unknown>>>,
  meanings: ReadonlyMap<string, string>,
): string {
  const notes = [
    ...(table.maxRows === undefined ? [] : [`At most ${plural(table.maxRows, 'row')}.`]),
    ...table.indexes.map((columns) => `No two rows have the same ${columns.join(', ')}.`),
    ...(table.isRoot ? [] : ['Removed when nothing refers to it.']),
  ];
  return [
    doc([`A row of the table ${name}.`, meanings.get(name), ...notes]),
    `export interface ${rowName(name)} {`,
    `readonly _uuid: Uuid<'${name}'>;`,
    ...Object.entries(table.columns).flatMap(([column, type]) => [
      doc([meanings.get(`${name}.${column}`), ...columnNotes(type)]),
      `readonly ${column}: ${columnType(type)};`,
    ]),
    `}`,
  ]
    .filter((line) => line !== '')
    .join('\n');
}

/** What the type does not say. */
function columnNotes({ key, value, min, max, immutable, ephemeral }: ColumnSchema): readonly string[] {
  const atoms = value ? [key, value] : [key];
  return [
    ...atoms.flatMap(limits),
    ...(max !== 1 && max !== Infinity ? [`At most ${String(max)}.`] : []),
    ...(min === 1 && max !== 1 ? ['At least one.'] : []),
    ...(atoms.some(({ weak }) => weak) ? ['Does not keep the rows that it names.'] : []),
    ...(immutable ? ['Given at insert only.'] : []),
    ...(ephemeral ? ['Not kept over a restart of the server.'] : []),
  ];
}

function limits(atom: AtomSchema): readonly string[] {
  const range = (least: number | bigint | undefined, most: number | bigint | undefined, of: string) => {
    if (least !== undefined && most !== undefined) return [`${of}From ${String(least)} to ${String(most)}.`];
    if (least !== undefined) return [`${of}From ${String(least)} up.`];
    return most === undefined ? [] : [`${of}Up to ${String(most)}.`];
  };
  return [
    ...range(atom.minInteger, atom.maxInteger, ''),
    ...range(atom.minReal, atom.maxReal, ''),
    ...range(atom.minLength, atom.maxLength, 'Length: '),
  ];
}

function doc(sentences: readonly (string | undefined)[]): string {
  const lines = sentences
    .filter((sentence) => sentence !== undefined)
    .map((line) => line.replace(/\*\//g, '* /'));
  const [only] = lines;
  if (only === undefined) return '';
  return lines.length === 1
    ? `/** ${only} */`
    : ['/**', ...lines.map((line) => ` * ${line}`), ' */'].join('\n');
}

function columnType({ key, value, min, max }: ColumnSchema): string {
  const member = atomType(key);
  if (value) return `ReadonlyMap<${member}, ${atomType(value)}>`;
  if (max !== 1) return `readonly ${member.includes('|') ? `(${member})` : member}[]`;
  return min === 0 ? `${member} | undefined` : member;
}

function atomType({ type, wide, choices, refTable }: AtomSchema): string {
  switch (type) {
    case 'uuid':
      return refTable === undefined ? 'Uuid' : `Uuid<'${refTable}'>`;
    case 'integer':
    case 'real':
    case 'string':
    case 'boolean':
      if (choices) return choices.map(literal).join(' | ');
      if (type === 'integer') return wide ? 'bigint' : 'number';
      return type === 'real' ? 'number' : type;
  }
}

/** A value as source text. */
function literal(value: unknown): string {
  if (typeof value === 'bigint') return `${value.toString()}n`;
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(([name, member]) => `${name}: ${literal(member)}`);
    return `{ ${members.join(', ')} }`;
  }
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

/** `Open_vSwitch` → `OpenVSwitchRow`, `sFlow` → `SFlowRow`. */
function rowName(table: string): string {
  return `${table.split('_').map(capitalized).join('')}Row`;
}

/** `Open_vSwitch` → `OpenVSwitch`, `OVN_Northbound` → `OvnNorthbound`. */
function databaseName(database: string): string {
  const words = database.split('_').map((word) => (word === word.toUpperCase() ? word.toLowerCase() : word));
  return words.map(capitalized).join('');
}

/** `Open_vSwitch` → `openVSwitch`. */
function schemaName(database: string): string {
  const name = databaseName(database);
  return name.charAt(0).toLowerCase() + name.slice(1);
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function plural(count: number, what: string): string {
  return count === 1 ? `one ${what}` : `${String(count)} ${what}s`;
}
