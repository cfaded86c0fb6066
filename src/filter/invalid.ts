/** What a person reads of a filter that is wrong: the place, and what was expected there. Pure. */
import { fail, type VsbError } from '../errors.ts';
import { toPrintable } from '../units/printable.ts';

/** Characters of the filter that are shown on each side of the place. */
const SHOWN = 50;

/**
 * FILTER_INVALID.
 * @param at the place, in UTF-16 code units of the text
 * @param why without a period at its end
 */
export function invalidFilter(text: string, at: number, why: string): VsbError {
  const from = Math.max(0, at - SHOWN);
  const before = (from > 0 ? '…' : '') + toPrintable(text.slice(from, at));
  const after = toPrintable(text.slice(at, at + SHOWN)) + (at + SHOWN < text.length ? '…' : '');
  return fail('FILTER_INVALID', {
    column: Array.from(text.slice(0, at)).length + 1,
    why: toPrintable(why),
    excerpt: before + after,
    caret: `${' '.repeat(Array.from(before).length)}^`,
  });
}

/** A part of the filter in a message, cut where it is long. */
export function quote(text: string): string {
  return text.length > SHOWN ? `"${text.slice(0, SHOWN)}…"` : `"${text}"`;
}
