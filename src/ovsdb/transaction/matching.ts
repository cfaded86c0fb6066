/** Whether a decoded value meets a condition, as ovsdb-server sees it (RFC 7047 §5.1 `<condition>`). */
import { toMembers, type KnownColumn } from './mutation.ts';
import type { ColumnSchema } from '../schema/schema.ts';

/** Whether the value that is held meets the condition. */
export function meets(
  { schema, codec }: KnownColumn,
  held: unknown,
  operator: string,
  given: unknown,
): boolean {
  switch (operator) {
    case '==':
      return codec.equal(held, given);
    case '!=':
      return !codec.equal(held, given);
    case 'includes':
    case 'excludes': {
      const isThere = memberTest(schema, held);
      const members = schema.value ? [...(given as ReadonlyMap<unknown, unknown>)] : toMembers(schema, given);
      return operator === 'includes'
        ? members.every((member) => isThere(member))
        : !members.some((member) => isThere(member));
    }
    default:
      return compares(held as number | bigint | undefined, operator, given as number | bigint | undefined);
  }
}

function memberTest(schema: ColumnSchema, held: unknown): (member: unknown) => boolean {
  if (schema.value) {
    const map = held as ReadonlyMap<unknown, unknown>;
    return (pair) => {
      const [key, value] = pair as readonly [unknown, unknown];
      return map.has(key) && map.get(key) === value;
    };
  }
  const members = new Set(toMembers(schema, held));
  return (member) => members.has(member);
}

/** An optional value that is not there is in no order to any. */
function compares(
  held: number | bigint | undefined,
  operator: string,
  given: number | bigint | undefined,
): boolean {
  if (held === undefined || given === undefined) return false;
  switch (operator) {
    case '<':
      return held < given;
    case '<=':
      return held <= given;
    case '>':
      return held > given;
    default:
      return held >= given;
  }
}
