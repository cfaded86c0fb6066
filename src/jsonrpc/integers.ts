/**
 * Integers beyond 2^53, which `JSON.parse` would round: between the JSON text and a session's callers they are strings
 * that begin with U+0000. OVSDB refuses that character in every string, so nothing else looks like it. Only messages
 * with such integers pay for it: framing.ts notes on the way in whether there can be one.
 */

const MARK = '\u0000';
const BACKSLASH = 0x5c;
const MARKED = /^\0-?\d+$/;

/** An exact integer as a session takes and gives it: a number, or a marked string beyond 2^53. */
export function toMarkedInteger(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : MARK + value.toString();
}

/** The exact integer in a parsed message, or `undefined` where there is something else (a real, a text). */
export function fromMarkedInteger(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  return typeof value === 'string' && MARKED.test(value) ? BigInt(value.slice(1)) : undefined;
}

/** Makes marked strings of the integers beyond 2^53 in a JSON text, for `JSON.parse`. */
export function markIntegers(json: string): string {
  // Strings are passed over, digits inside of them are text; not by a pattern, which a string of 16 MB is too long for.
  const tokens = /"|-?\d[\d.eE+-]{15,}/g;
  let marked = '';
  let from = 0;
  for (let found = tokens.exec(json); found; found = tokens.exec(json)) {
    const [token] = found;
    if (token === '"') tokens.lastIndex = endOfString(json, tokens.lastIndex);
    else if (/^-?\d+$/.test(token) && !Number.isSafeInteger(Number(token))) {
      marked += `${json.slice(from, found.index)}"\\u0000${token}"`;
      from = tokens.lastIndex;
    }
  }
  return marked + json.slice(from);
}

/** Where a string ends that begins before `at`: after the first quote that no odd number of backslashes escapes. */
function endOfString(json: string, at: number): number {
  for (let quote = json.indexOf('"', at); quote >= 0; quote = json.indexOf('"', quote + 1)) {
    let first = quote;
    while (json.charCodeAt(first - 1) === BACKSLASH) first -= 1;
    if ((quote - first) % 2 === 0) return quote + 1;
  }
  return json.length;
}

/** Makes plain integers of the marked strings in a JSON text, from `JSON.stringify`. */
export function unmarkIntegers(json: string): string {
  return json.includes('\\u0000') ? json.replace(/"\\u0000(-?\d+)"/g, '$1') : json;
}
