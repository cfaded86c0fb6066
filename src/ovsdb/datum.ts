/**
 * Values of columns: wire ⇄ JavaScript (RFC 7047 §5.1), one codec compiled per column, so that decoding asks the schema
 * once and never guesses by shape. Scalars; `T | undefined` for at most one; sorted arrays for sets; Maps for maps.
 */
import { fail, type VsbError } from '../errors.ts';
import { fromMarkedInteger, toMarkedInteger } from '../jsonrpc/integers.ts';
import { isUuid, type AtomSchema, type ColumnSchema } from './schema.ts';
import { Ref } from './ref.ts';

/** JSON as sent; marked integers as in jsonrpc/integers.ts. */
export type Wire = null | boolean | number | string | readonly Wire[] | { readonly [member: string]: Wire };

/** Who knows which rows a transaction inserts. */
export interface EncodeContext {
  /** @throws OVSDB_UNKNOWN_REF */
  encodeRef(ref: Ref, where: string): Wire;
  /** What names an inserted row whose UUID is chosen for a preview only, by that UUID (overlay.ts). */
  readonly provisional?: ReadonlyMap<string, Wire> | undefined;
}

/** What can be done with the values of one column. */
export interface ColumnCodec {
  readonly name: string;
  /** The value of a new row, which initial updates leave out (ovsdb-server(7), `update2`). */
  readonly initial: unknown;
  /** @throws OVSDB_PROTOCOL */
  decode(wire: unknown): unknown;
  /** The value after a `modify` of update2 and update3. @throws OVSDB_PROTOCOL */
  applyDiff(before: unknown, wire: unknown): unknown;
  equal(a: unknown, b: unknown): boolean;
  /** @throws OVSDB_VALUE, OVSDB_UNKNOWN_REF */
  encode(value: unknown, context: EncodeContext): Wire;
  /** @throws OVSDB_VALUE, OVSDB_UNKNOWN_REF */
  encodeMutation(mutator: string, value: unknown, context: EncodeContext): Wire;
}

type Atom = string | number | bigint | boolean;

interface AtomCodec {
  readonly initial: Atom;
  decode(wire: unknown): Atom;
  encode(value: unknown, context: EncodeContext): Wire;
}

/** Compiles the codec of a column. */
export function compileColumn(table: string, name: string, type: ColumnSchema): ColumnCodec {
  const where = `${table}.${name}`;
  const key = compileAtom(where, type.key);
  const operand = compileOperand(where, type.key);
  if (type.value) return mapCodec(where, name, type, key, compileAtom(where, type.value));
  if (type.max === 1)
    return type.min === 1 ? scalarCodec(name, key, operand) : optionalCodec(where, name, key, operand);
  return setCodec(where, name, type, key, operand);
}

function compileAtom(where: string, type: AtomSchema): AtomCodec {
  const atom = compileType(where, type);
  const { choices } = type;
  if (!choices) return atom;
  return {
    ...atom,
    encode: (value, context) => {
      // Not by identity alone: 1 and 1n are the same integer.
      if (!choices.some((choice) => choice === value || choice.toString() === String(value)))
        throw refused(where, value, `not one of ${choices.join(', ')}`);
      return atom.encode(value, context);
    },
  };
}

type EncodeOperand = (mutator: string, value: unknown, context: EncodeContext) => Wire;

/** What is calculated with need not lie within the column's own limits. */
function compileOperand(where: string, { type }: AtomSchema): EncodeOperand {
  const atom = compileType(where, { type });
  return (mutator, value, context) => {
    // The server looks for an overflow by a division (3.1.0 does so), which ends it.
    if (mutator === '*=' && type === 'integer' && Number(value) === 0)
      throw refused(
        where,
        value,
        'a server dies of multiplying a negative integer by 0; write 0 in its place',
      );
    return atom.encode(value, context);
  };
}

function compileType(where: string, type: AtomSchema): AtomCodec {
  switch (type.type) {
    case 'integer':
      return integerCodec(where, type);
    case 'real': {
      const { minReal = -Infinity, maxReal = Infinity } = type;
      return {
        initial: 0,
        decode: (wire) => {
          if (typeof wire === 'number') return wire;
          const integer = fromMarkedInteger(wire);
          if (integer === undefined) throw unexpected(where, 'a real', wire);
          return Number(integer);
        },
        encode: (value) => {
          if (typeof value !== 'number' || !Number.isFinite(value))
            throw refused(where, value, 'not a finite number');
          if (value < minReal || value > maxReal)
            throw refused(where, value, `not between ${String(minReal)} and ${String(maxReal)}`);
          return value;
        },
      };
    }
    case 'boolean':
      return {
        initial: false,
        decode: (wire) => {
          if (typeof wire !== 'boolean') throw unexpected(where, 'a boolean', wire);
          return wire;
        },
        encode: (value) => {
          if (typeof value !== 'boolean') throw refused(where, value, 'not true or false');
          return value;
        },
      };
    case 'string':
      return stringCodec(where, type);
    case 'uuid':
      return {
        initial: '00000000-0000-0000-0000-000000000000',
        decode: (wire) => {
          if (!Array.isArray(wire) || wire[0] !== 'uuid' || typeof wire[1] !== 'string' || wire.length !== 2)
            throw unexpected(where, 'a uuid', wire);
          return wire[1];
        },
        encode: (value, context) => {
          if (value instanceof Ref) return context.encodeRef(value as Ref, where);
          if (typeof value !== 'string' || !isUuid(value)) throw refused(where, value, 'not a UUID');
          return context.provisional?.get(value) ?? ['uuid', value];
        },
      };
  }
}

function stringCodec(where: string, { minLength = 0, maxLength = Infinity }: AtomSchema): AtomCodec {
  const isLimited = minLength > 0 || maxLength < Infinity;
  return {
    initial: '',
    decode: (wire) => {
      if (typeof wire !== 'string') throw unexpected(where, 'a string', wire);
      return wire;
    },
    encode: (value) => {
      if (typeof value !== 'string') throw refused(where, value, 'not a text');
      if (isLimited) {
        // Characters, as the server counts them; `length` would count those beyond U+FFFF twice.
        const { length } = Array.from(value);
        if (length < minLength || length > maxLength)
          throw refused(where, value, `not ${String(minLength)} to ${String(maxLength)} characters long`);
      }
      return value;
    },
  };
}

const INT64_MAX = 2n ** 63n - 1n;

function integerCodec(where: string, type: AtomSchema): AtomCodec {
  const wide = type.wide === true;
  const least = BigInt(type.minInteger ?? -INT64_MAX - 1n);
  const greatest = BigInt(type.maxInteger ?? INT64_MAX);
  return {
    initial: wide ? 0n : 0,
    decode: (wire) => {
      if (!wide && typeof wire === 'number' && Number.isSafeInteger(wire)) return wire;
      const integer = fromMarkedInteger(wire);
      if (integer === undefined) throw unexpected(where, 'an integer', wire);
      return wide ? integer : Number(integer);
    },
    encode: (value) => {
      if (typeof value !== 'bigint' && !(typeof value === 'number' && Number.isSafeInteger(value)))
        throw refused(where, value, 'not an exact integer');
      const integer = BigInt(value);
      if (integer < least || integer > greatest)
        throw refused(where, value, `not between ${least.toString()} and ${greatest.toString()}`);
      return toMarkedInteger(integer);
    },
  };
}

function scalarCodec(name: string, atom: AtomCodec, operand: EncodeOperand): ColumnCodec {
  return {
    name,
    initial: atom.initial,
    decode: (wire) => atom.decode(wire),
    applyDiff: (_before, wire) => atom.decode(wire),
    equal: (a, b) => a === b,
    encode: (value, context) => atom.encode(value, context),
    encodeMutation: operand,
  };
}

function optionalCodec(where: string, name: string, atom: AtomCodec, operand: EncodeOperand): ColumnCodec {
  const decode = (wire: unknown): unknown => {
    const members = setMembers(wire);
    if (!members) return atom.decode(wire);
    if (members.length > 1) throw unexpected(where, 'at most one value', wire);
    return members.length === 0 ? undefined : atom.decode(members[0]);
  };
  const encode = (value: unknown, context: EncodeContext): Wire =>
    value === undefined ? ['set', []] : atom.encode(value, context);
  return {
    name,
    initial: undefined,
    decode,
    // Where at most one value is possible, a diff is the new value.
    applyDiff: (_before, wire) => decode(wire),
    equal: (a, b) => a === b,
    encode,
    encodeMutation: (mutator, value, context) =>
      isOfMembers(mutator) ? encode(value, context) : operand(mutator, value, context),
  };
}

function setCodec(
  where: string,
  name: string,
  type: ColumnSchema,
  atom: AtomCodec,
  operand: EncodeOperand,
): ColumnCodec {
  const decode = (wire: unknown): readonly Atom[] => {
    const members = setMembers(wire);
    return members ? sorted(members.map((member) => atom.decode(member))) : [atom.decode(wire)];
  };
  const encode = (value: unknown, context: EncodeContext): Wire => {
    if (!Array.isArray(value)) throw refused(where, value, 'not a list');
    const distinct = new Set<unknown>(value);
    return ['set', Array.from(distinct, (member) => atom.encode(member, context))];
  };
  return {
    name,
    // A column that is never empty starts with the default of its type (ovsdb_datum_init_default).
    initial: type.min === 0 ? EMPTY_SET : Object.freeze([atom.initial]),
    decode,
    applyDiff: (before, wire) => symmetricDifference(asSet(before), decode(wire)),
    equal: (a, b) => equalSets(asSet(a), asSet(b)),
    encode,
    encodeMutation: (mutator, value, context) =>
      isOfMembers(mutator) ? encode(value, context) : operand(mutator, value, context),
  };
}

function mapCodec(
  where: string,
  name: string,
  type: ColumnSchema,
  key: AtomCodec,
  value: AtomCodec,
): ColumnCodec {
  const decode = (wire: unknown): ReadonlyMap<Atom, Atom> => {
    if (!Array.isArray(wire) || wire[0] !== 'map' || !Array.isArray(wire[1]))
      throw unexpected(where, 'a map', wire);
    const pairs: readonly unknown[] = wire[1];
    if (pairs.length === 0) return EMPTY_MAP;
    const map = new Map<Atom, Atom>();
    for (const pair of pairs) {
      if (!Array.isArray(pair) || pair.length !== 2) throw unexpected(where, 'a pair', pair);
      map.set(key.decode(pair[0]), value.decode(pair[1]));
    }
    return map;
  };
  const encode = (map: unknown, context: EncodeContext): Wire => {
    if (!(map instanceof Map)) throw refused(where, map, 'not a Map');
    const pairs: Wire[] = [];
    // Not by iteration, which makes a pair of each entry for nothing.
    (map as ReadonlyMap<unknown, unknown>).forEach((v, k) => {
      pairs.push([key.encode(k, context), value.encode(v, context)]);
    });
    return ['map', pairs];
  };
  return {
    name,
    initial: type.min === 0 ? EMPTY_MAP : new Map([[key.initial, value.initial]]),
    decode,
    applyDiff: (before, wire) =>
      type.max === 1 ? decode(wire) : patchMap(before as ReadonlyMap<Atom, Atom>, decode(wire)),
    equal: (a, b) => equalMaps(a as ReadonlyMap<Atom, Atom>, b as ReadonlyMap<Atom, Atom>),
    encode,
    encodeMutation: (_mutator, members, context) =>
      Array.isArray(members)
        ? ['set', Array.from(new Set<unknown>(members), (member) => key.encode(member, context))]
        : encode(members, context),
  };
}

const EMPTY_SET: readonly Atom[] = Object.freeze([]);
const EMPTY_MAP: ReadonlyMap<Atom, Atom> = new Map();

function asSet(value: unknown): readonly Atom[] {
  return value as readonly Atom[];
}

/** The members of `["set", […]]`; `undefined` for a bare atom, which is a set of one. */
function setMembers(wire: unknown): readonly unknown[] | undefined {
  return Array.isArray(wire) && wire[0] === 'set' && Array.isArray(wire[1]) ? wire[1] : undefined;
}

/** Whether a mutator puts in or takes out members (RFC 7047 §5.1 `<mutator>`); the others are arithmetic. */
function isOfMembers(mutator: string): boolean {
  return mutator === 'insert' || mutator === 'delete';
}

/** Ascending by value. The server mostly sends it so: looked at first, sorting a large set again would show. */
function sorted(members: Atom[]): readonly Atom[] {
  for (let index = 1; index < members.length; index += 1)
    if ((members[index - 1] ?? 0) > (members[index] ?? 0))
      return members.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return members;
}

/** Members of one but not of both; both sorted, and so is the result. */
function symmetricDifference(before: readonly Atom[], diff: readonly Atom[]): readonly Atom[] {
  const result: Atom[] = [];
  let from = 0;
  for (const member of diff) {
    const at = lowerBound(before, member, from);
    for (; from < at; from += 1) result.push(before[from] as Atom);
    if (before[from] === member) from += 1;
    else result.push(member);
  }
  for (; from < before.length; from += 1) result.push(before[from] as Atom);
  return result;
}

/** The first index from `from` on whose member is not below. */
function lowerBound(members: readonly Atom[], wanted: Atom, from: number): number {
  let low = from;
  let high = members.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((members[middle] as Atom) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A map diff: a pair that is there goes, one with another value takes its place, a new one comes. */
function patchMap(before: ReadonlyMap<Atom, Atom>, diff: ReadonlyMap<Atom, Atom>): ReadonlyMap<Atom, Atom> {
  const after = new Map(before);
  for (const [key, value] of diff)
    if (after.get(key) === value) after.delete(key);
    else after.set(key, value);
  return after;
}

function equalSets(a: readonly Atom[], b: readonly Atom[]): boolean {
  return a === b || (a.length === b.length && a.every((member, index) => member === b[index]));
}

function equalMaps(a: ReadonlyMap<Atom, Atom>, b: ReadonlyMap<Atom, Atom>): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (b.get(key) !== value) return false;
  return true;
}

function unexpected(where: string, wanted: string, wire: unknown): VsbError {
  return fail('OVSDB_PROTOCOL', { where, why: `${wanted} was to come, not ${show(wire)}` });
}

function refused(where: string, value: unknown, why: string): VsbError {
  return fail('OVSDB_VALUE', { where, value: show(value), why });
}

/** A value for a message, cut short. */
function show(value: unknown): string {
  const text =
    typeof value === 'bigint' || value === undefined
      ? String(value)
      : (JSON.stringify(value) as string | undefined);
  return (text ?? typeof value).slice(0, 80);
}
