/** What somebody may have meant: the known name nearest to a misspelt one. Pure. */
import { distance } from 'fastest-levenshtein';

/** Of a long list only so many are compared: a typo in a file of thousands of VMs must not take seconds. */
const MAX_COMPARED = 10_000;

/**
 * @returns the known name with the fewest edits (insert, remove, replace; swapping neighbours counts as one) from the wanted one, case aside; `undefined`
 * where all differ in more than a third of it, but one edit is always near.
 */
export function nearestName(wanted: string, known: readonly string[]): string | undefined {
  const text = wanted.toLowerCase();
  const mostEdits = Math.max(1, Math.floor(wanted.length / 3));
  let nearest: string | undefined;
  let fewest = mostEdits + 1;
  for (const name of known.slice(0, MAX_COMPARED)) {
    if (Math.abs(name.length - wanted.length) >= fewest) continue;
    const edits = isSwap(text, name.toLowerCase()) ? 1 : distance(text, name.toLowerCase());
    if (edits < fewest) {
      fewest = edits;
      nearest = name;
    }
  }
  return nearest;
}

/** True where two neighbours changed places: the commonest slip, and two edits to Levenshtein. */
function isSwap(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return at < a.length && a[at] === b[at + 1] && a[at + 1] === b[at] && a.slice(at + 2) === b.slice(at + 2);
}
