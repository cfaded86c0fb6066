/**
 * Random transactions (RFC 7047 §5.2) as values that belong to nobody: they are turned to the wire's JSON here, and to
 * our client's calls in ours.ts. Most succeed; some fail at an operation, some at commit.
 */
import type { Random } from './random.ts';
import { CONTROL, type Column, type Schema, type Table } from './schemas.ts';
import { someDatum, someElements, wireDatum, type Atom, type Datum, type Rows } from './values.ts';

export type Condition = readonly [column: string, operator: string, value: Datum];
export type Mutation = readonly [column: string, mutator: string, value: Datum];
/** Rows: one by its UUID, one that was inserted before, or all that meet every condition. */
export type Where =
  { readonly uuid: string } | { readonly name: string } | { readonly conditions: readonly Condition[] };

export type Operation =
  | {
      readonly op: 'insert';
      readonly table: string;
      readonly row: Readonly<Record<string, Datum>>;
      readonly name: string;
      readonly uuid?: string;
    }
  | {
      readonly op: 'update';
      readonly table: string;
      readonly where: Where;
      readonly row: Readonly<Record<string, Datum>>;
    }
  | {
      readonly op: 'mutate';
      readonly table: string;
      readonly where: Where;
      readonly mutations: readonly Mutation[];
    }
  | { readonly op: 'delete'; readonly table: string; readonly where: Where }
  | {
      readonly op: 'select';
      readonly table: string;
      readonly where: Where;
      readonly columns: readonly string[];
    }
  | {
      readonly op: 'wait';
      readonly table: string;
      readonly where: Where;
      readonly columns: readonly string[];
      readonly until: '==' | '!=';
      readonly rows: readonly Readonly<Record<string, Datum>>[];
    }
  | { readonly op: 'comment'; readonly text: string }
  | { readonly op: 'abort' }
  | { readonly op: 'assert'; readonly lock: string };

/** The operations of one transaction, the last of which sets the control table's counter to this. */
export interface RandomTransaction {
  readonly counter: number;
  readonly operations: readonly Operation[];
}

/** UUIDs of the rows that are there, by table, sorted. */
export type Present = ReadonlyMap<string, readonly string[]>;

export function randomTransaction(
  random: Random,
  schema: Schema,
  present: Present,
  counter: number,
): RandomTransaction {
  const operations: Operation[] = [];
  const names = new Map<string, string[]>();
  const rows: Rows = {
    uuids: (table) => present.get(table) ?? [],
    names: (table) => names.get(table) ?? [],
  };
  const tables = Object.keys(schema.tables).filter((name) => name !== CONTROL);
  // In some transactions every new row has a UUID that we chose.
  const chosenShare = random.pick([0, 20, 100]);
  const count = random.percent(60) ? 1 + random.below(3) : 1 + random.below(8);
  for (let turn = 0; turn < count; turn += 1) {
    const table = random.pick(tables);
    for (const operation of someOperations(random, schema, table, rows, operations.length, chosenShare)) {
      operations.push(operation);
      if (operation.op === 'insert')
        names.set(operation.table, [...(names.get(operation.table) ?? []), operation.name]);
    }
  }
  operations.push({
    op: 'update',
    table: CONTROL,
    where: { conditions: [] },
    row: { counter: { kind: 'set', atoms: [{ type: 'integer', value: BigInt(counter) }] } },
  });
  return { counter, operations };
}

function someOperations(
  random: Random,
  schema: Schema,
  name: string,
  rows: Rows,
  at: number,
  chosenShare: number,
): Operation[] {
  const table = tableOf(schema, name);
  const columns = Object.keys(table.columns);
  const uuids = rows.uuids(name);
  const kind = random.below(100);
  // Few rows: more inserts. Many: fewer.
  if (kind < (uuids.length < 4 ? 55 : uuids.length < 15 ? 25 : 5)) {
    const insert: Operation = {
      op: 'insert',
      table: name,
      row: randomRow(random, table, random.some(columns, 75), rows),
      name: `row${String(at)}`,
      ...(random.percent(chosenShare)
        ? { uuid: random.percent(97) || uuids.length === 0 ? random.uuid() : random.pick(uuids) }
        : {}),
    };
    // A row that nothing refers to would vanish at once.
    if (table.isRoot) return [insert];
    return [insert, ...refer(random, schema, insert, rows)];
  }
  const where = randomWhere(random, table, name, rows);
  if (kind < 60)
    return [
      { op: 'update', table: name, where, row: randomRow(random, table, random.some(columns, 40), rows) },
    ];
  if (kind < 80) {
    const mutations = random
      .list(1 + random.below(2), () => randomMutation(random, table, rows))
      .filter((mutation) => mutation !== undefined);
    return [{ op: 'mutate', table: name, where, mutations }];
  }
  if (kind < 90) return [{ op: 'delete', table: name, where }];
  if (kind < 95)
    return [
      {
        op: 'select',
        table: name,
        where,
        columns: random.percent(20) ? ['_uuid', ...columns] : random.some(columns, 60),
      },
    ];
  if (kind < 97) {
    const chosen = random.some(columns, 40);
    return [
      {
        op: 'wait',
        table: name,
        where,
        columns: chosen,
        until: random.percent(75) ? '!=' : '==',
        rows: random.list(random.below(3), () => randomRow(random, table, chosen, rows)),
      },
    ];
  }
  if (kind < 98) return [{ op: 'comment', text: 'Kommentar 😀 "\\' }];
  return random.percent(60)
    ? [{ op: 'comment', text: '' }]
    : [random.percent(50) ? { op: 'abort' } : { op: 'assert', lock: 'nobody_has_it' }];
}

/** Something that refers strongly to a row which is about to be inserted. */
function refer(
  random: Random,
  schema: Schema,
  { table: target, name }: { table: string; name: string },
  rows: Rows,
): Operation[] {
  const ref: Atom = { type: 'named-uuid', value: name };
  const holders = Object.entries(schema.tables).flatMap(([table, { columns }]) =>
    Object.entries(columns).flatMap(([column, type]) =>
      type.value === undefined &&
      type.isMutable &&
      type.key.refTable === target &&
      type.key.refType !== 'weak' &&
      rows.uuids(table).length > 0
        ? [{ table, column, type }]
        : [],
    ),
  );
  if (holders.length === 0 || random.percent(5)) return [];
  const { table, column, type } = random.pick(holders);
  const where = { uuid: random.pick(rows.uuids(table)) };
  const value: Datum = { kind: 'set', atoms: [ref] };
  return type.max === 1
    ? [{ op: 'update', table, where, row: { [column]: value } }]
    : [{ op: 'mutate', table, where, mutations: [[column, 'insert', value]] }];
}

function randomRow(
  random: Random,
  table: Table,
  columns: readonly string[],
  rows: Rows,
): Record<string, Datum> {
  return Object.fromEntries(columns.map((name) => [name, someDatum(random, columnOf(table, name), rows)]));
}

function randomWhere(random: Random, table: Table, name: string, rows: Rows): Where {
  const names = rows.names(name);
  if (names.length > 0 && random.percent(20)) return { name: random.pick(names) };
  const uuids = rows.uuids(name);
  if (uuids.length > 0 && random.percent(75)) return { uuid: random.pick(uuids) };
  if (random.percent(3)) return { uuid: random.uuid() };
  const conditions = random.list(random.percent(10) ? 0 : 1 + random.below(2), () =>
    randomCondition(random, table, rows, random.percent(2)),
  );
  return { conditions };
}

/** @param isLoose also operators that the column's type does not have */
function randomCondition(random: Random, table: Table, rows: Rows, isLoose: boolean): Condition {
  const column = random.pick(Object.keys(table.columns));
  const type = columnOf(table, column);
  const isOrdered = type.value === undefined && type.max === 1 && ['integer', 'real'].includes(type.key.type);
  const operators = [
    '==',
    '!=',
    'includes',
    'excludes',
    ...(isOrdered || isLoose ? ['<', '<=', '>', '>='] : []),
  ];
  const value = someDatum(random, type, rows);
  // No value is neither less nor greater than another: the server refuses the question.
  const isOne = isLoose || (value.kind === 'set' && value.atoms.length === 1);
  return [column, random.pick(isOne ? operators : operators.slice(0, 4)), value];
}

/** Which rows to hold of a table: all, none, or those that meet one of these. */
export type RowChoice = boolean | readonly Condition[];

/** Which rows to hold of some tables. */
export function randomChoices(
  random: Random,
  schema: Schema,
  present: Present,
): Readonly<Record<string, RowChoice>> {
  const rows: Rows = { uuids: (table) => present.get(table) ?? [], names: () => [] };
  const names = Object.keys(schema.tables).filter((name) => name !== CONTROL);
  return Object.fromEntries(
    random
      .some(names, 50)
      .map((name) => [
        name,
        random.percent(25)
          ? random.percent(50)
          : random.list(random.below(4), () => randomCondition(random, tableOf(schema, name), rows, false)),
      ]),
  );
}

function randomMutation(random: Random, table: Table, rows: Rows): Mutation | undefined {
  const column = random.pick(Object.keys(table.columns));
  const type = columnOf(table, column);
  const isNumber = type.value === undefined && ['integer', 'real'].includes(type.key.type);
  if (isNumber && random.percent(70)) {
    const mutator = random.pick(['+=', '-=', '*=', '/=', '%=']);
    const value: Atom =
      type.key.type === 'integer'
        ? {
            type: 'integer', // A server dies of multiplying a negative integer by 0.
            value: BigInt(random.below(10) - 3) || (mutator === '*=' ? 1n : 0n),
          }
        : // Exact, so that 15 digits suffice.
          {
            type: 'real',
            value: mutator === '*=' || mutator === '/=' ? random.pick([2, -1, 1, 0]) : random.below(40) / 4,
          };
    return [column, mutator, { kind: 'set', atoms: [value] }];
  }
  // Not for scalars, where the server refuses it; mostly.
  if (type.value === undefined && type.max === 1 && random.percent(90)) return undefined;
  const mutator = random.pick(['insert', 'insert', 'delete']);
  if (mutator === 'delete' && type.value !== undefined && random.percent(50)) {
    const keys = someElements(random, { ...type, value: undefined } as unknown as Column, rows);
    return [column, mutator, keys];
  }
  return [column, mutator, someElements(random, type, rows)];
}

export function tableOf(schema: Schema, name: string): Table {
  const table = schema.tables[name];
  if (!table) throw new Error(`no table ${name}`);
  return table;
}

export function columnOf(table: Table, name: string): Column {
  const column = table.columns[name];
  if (!column) throw new Error(`no column ${name}`);
  return column;
}

/** An operation as JSON; integers stay bigint (`atomToJson`). */
export function wireOperation(operation: Operation): Record<string, unknown> {
  switch (operation.op) {
    case 'insert': {
      const { op, table, row, name, uuid } = operation;
      return { op, table, row: wireRow(row), 'uuid-name': name, ...(uuid === undefined ? {} : { uuid }) };
    }
    case 'update':
      return { ...operation, where: wireWhere(operation.where), row: wireRow(operation.row) };
    case 'mutate':
      return {
        ...operation,
        where: wireWhere(operation.where),
        mutations: operation.mutations.map(([column, mutator, value]) => [column, mutator, wireDatum(value)]),
      };
    case 'delete':
    case 'select':
      return { ...operation, where: wireWhere(operation.where) };
    case 'wait':
      return {
        ...operation,
        where: wireWhere(operation.where),
        rows: operation.rows.map(wireRow),
        timeout: 0,
      };
    case 'comment':
      return { op: 'comment', comment: operation.text };
    case 'abort':
    case 'assert':
      return operation;
  }
}

function wireRow(row: Readonly<Record<string, Datum>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).map(([column, value]) => [column, wireDatum(value)]));
}

function wireWhere(where: Where): unknown {
  if ('uuid' in where) return [['_uuid', '==', ['uuid', where.uuid]]];
  if ('name' in where) return [['_uuid', '==', ['named-uuid', where.name]]];
  return where.conditions.map(([column, operator, value]) => [column, operator, wireDatum(value)]);
}
