/** Names with `*` in them. Pure. */

/**
 * True where the name is the pattern, with any text (also none) in the place of each `*`. Each piece between two stars is
 * looked for once, from the left, and never again: the time is linear in practice, whatever the pattern.
 */
export function matchesGlob(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return name === pattern;
  const end = name.length - last.length;
  if (first.length > end || !name.startsWith(first) || !name.endsWith(last)) return false;
  let at = first.length;
  for (const piece of rest) {
    const found = name.indexOf(piece, at);
    if (found === -1) return false;
    at = found + piece.length;
  }
  return at <= end;
}
