/**
 * Values of columns: wire ⇄ JavaScript (RFC 7047 §5.1), one codec compiled per column, so that decoding asks the schema
 * once and never guesses by shape. Scalars; `T | undefined` for at most one; sorted arrays for sets; Maps for maps.
 * The atoms in them: atom.ts.
 */
import {
  compileAtom,
  compileOperand,
  refused,
  unexpected,
  type Atom,
  type AtomCodec,
  type EncodeContext,
  type EncodeOperand,
  type Wire,
} from './atom.ts';
import type { ColumnSchema } from './schema.ts';

/** What can be done with the values of one column. */
export interface ColumnCodec {
  readonly name: string;
  /** The value of a new row, which initial updates leave out (ovsdb-server(7), `update2`). */
  readonly initial: unknown;
  /** @throws OVSDB_PROTOCOL */
  decode(wire: unknown): unknown;
  /** The value after a `modify` of update2 and update3; `before` itself where that equals it. @throws OVSDB_PROTOCOL */
  applyDiff(before: unknown, wire: unknown): unknown;
  equal(a: unknown, b: unknown): boolean;
  /** @throws OVSDB_VALUE, OVSDB_UNKNOWN_REF */
  encode(value: unknown, context: EncodeContext): Wire;
  /** @throws OVSDB_VALUE, OVSDB_UNKNOWN_REF */
  encodeMutation(mutator: string, value: unknown, context: EncodeContext): Wire;
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
    applyDiff: (before, wire) => {
      const diff = decode(wire);
      return diff.length === 0 ? before : symmetricDifference(asSet(before), diff);
    },
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
  const pairsOf = (wire: unknown): readonly unknown[] => {
    if (!Array.isArray(wire) || wire[0] !== 'map' || !Array.isArray(wire[1]))
      throw unexpected(where, 'a map', wire);
    return wire[1];
  };
  const pairOf = (pair: unknown): readonly unknown[] => {
    if (!Array.isArray(pair) || pair.length !== 2) throw unexpected(where, 'a pair', pair);
    return pair;
  };
  const decode = (wire: unknown): ReadonlyMap<Atom, Atom> => {
    const pairs = pairsOf(wire);
    if (pairs.length === 0) return EMPTY_MAP;
    const map = new Map<Atom, Atom>();
    for (const wirePair of pairs) {
      const pair = pairOf(wirePair);
      map.set(key.decode(pair[0]), value.decode(pair[1]));
    }
    return map;
  };
  /**
   * A pair that is there goes, one with another value takes its place, a new one comes. Both are sorted by key as they come
   * from the server, so that one walk along both does nearly all of it, and hashes each key once.
   */
  const patch = (before: ReadonlyMap<Atom, Atom>, wire: unknown): ReadonlyMap<Atom, Atom> => {
    const pairs = pairsOf(wire);
    if (pairs.length === 0) return before;
    const after = new Map<Atom, Atom>();
    const keyAt = (index: number) => (index < pairs.length ? key.decode(pairOf(pairs[index])[0]) : undefined);
    const valueAt = (index: number) => value.decode(pairOf(pairs[index])[1]);
    let at = 0;
    let next = keyAt(0);
    before.forEach((known, k) => {
      if (k !== next) {
        after.set(k, known);
        return;
      }
      const v = valueAt(at);
      if (v !== known) after.set(k, v);
      at += 1;
      next = keyAt(at);
    });
    // What is new, or came in another order.
    for (; at < pairs.length; at += 1) {
      const k = keyAt(at) as Atom;
      const v = valueAt(at);
      if (after.get(k) === v) after.delete(k);
      else after.set(k, v);
    }
    return after;
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
    applyDiff: (before, wire) => {
      if (type.max !== 1) return patch(asMap(before), wire);
      const after = decode(wire);
      return equalMaps(asMap(before), after) ? before : after;
    },
    equal: (a, b) => equalMaps(asMap(a), asMap(b)),
    encode,
    encodeMutation: (_mutator, members, context) =>
      Array.isArray(members)
        ? ['set', Array.from(new Set<unknown>(members), (member) => key.encode(member, context))]
        : encode(members, context),
  };
}

const EMPTY_SET: readonly Atom[] = Object.freeze([]);
/** One for all rows: what JavaScript puts into it, where no compiler refuses that, would be in every other one too. */
const EMPTY_MAP: ReadonlyMap<Atom, Atom> = Object.defineProperty(new Map<Atom, Atom>(), 'set', {
  value: () => {
    throw new TypeError('A row cannot be changed: write to the database by a Transaction');
  },
});

function asSet(value: unknown): readonly Atom[] {
  return value as readonly Atom[];
}

function asMap(value: unknown): ReadonlyMap<Atom, Atom> {
  return value as ReadonlyMap<Atom, Atom>;
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

function equalSets(a: readonly Atom[], b: readonly Atom[]): boolean {
  return a === b || (a.length === b.length && a.every((member, index) => member === b[index]));
}

function equalMaps(a: ReadonlyMap<Atom, Atom>, b: ReadonlyMap<Atom, Atom>): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (b.get(key) !== value) return false;
  return true;
}
