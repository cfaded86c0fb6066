/**
 * Atoms of columns: wire ⇄ JavaScript (RFC 7047 §5.1 `<atom>`), checked on the way out by what the schema allows. Strings,
 * booleans and UUIDs as they are, reals as numbers, integers as numbers or bigints. What columns are made of them: datum.ts.
 */
import { fail, type VsbError } from '../../errors.ts';
import { fromMarkedInteger, toMarkedInteger } from '../../jsonrpc/integers.ts';
import { isUuid, type AtomSchema } from './schema.ts';
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

/** A decoded atom. */
export type Atom = string | number | bigint | boolean;

/** What can be done with the atoms of a column. */
export interface AtomCodec {
  readonly initial: Atom;
  /** @throws OVSDB_PROTOCOL */
  decode(wire: unknown): Atom;
  /** @throws OVSDB_VALUE, OVSDB_UNKNOWN_REF */
  encode(value: unknown, context: EncodeContext): Wire;
}

/** Compiles the codec of an atom. @param where the column, for messages */
export function compileAtom(where: string, type: AtomSchema): AtomCodec {
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

/** Encodes what a mutation calculates with. */
export type EncodeOperand = (mutator: string, value: unknown, context: EncodeContext) => Wire;

/** What is calculated with need not lie within the column's own limits. */
export function compileOperand(where: string, { type }: AtomSchema): EncodeOperand {
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
          const size = Math.abs(value);
          if (size > GREATEST_REAL || (size < LEAST_REAL && size !== 0))
            throw refused(where, value, 'a number that OVSDB cannot read back');
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

/**
 * ovsdb-server prints 15 digits, and neither it nor any client reads what is beyond the normal doubles then: the
 * connection of everyone who is told of such a number breaks.
 */
const GREATEST_REAL = 1.79769313486231e308;
const LEAST_REAL = 2.2250738585073e-308;

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
      // A session would take it for an exact integer (jsonrpc/integers.ts).
      if (value.startsWith('\0')) throw refused(where, value, 'OVSDB has no U+0000');
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
      if (typeof wire === 'number' && Number.isSafeInteger(wire)) return wide ? BigInt(wire) : wire;
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

/** What came is not what the schema says. */
export function unexpected(where: string, wanted: string, wire: unknown): VsbError {
  return fail('OVSDB_PROTOCOL', { where, why: `${wanted} was to come, not ${show(wire)}` });
}

/** What was given is not what the schema allows. */
export function refused(where: string, value: unknown, why: string): VsbError {
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
