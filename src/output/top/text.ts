/** Text in the cells of a terminal: how wide it is, and how it is made to fit. Pure. */
import { toPrintable } from '../../units/printable.ts';

/**
 * What a terminal draws over the character before, or not at all: combining marks, joiners, direction marks
 * (general categories Mn, Me and Cf, as in wcwidth(3)).
 */
const ZERO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
/** What takes two cells: East Asian Wide and Fullwidth (Unicode UAX #11), and emoji that are drawn as pictures. */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}\p{Emoji_Presentation}]$/u;

/** Most texts are of these alone. */
const ASCII = /^[ -~]*$/;

/** Cells that the text takes in a terminal. Text of ASCII alone is as long as it is wide. */
export function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += widthOfCharacter(character);
  return width;
}

/** The text in just so many cells: cut with `…`, or filled with spaces on the side that `align` leaves. Printable. */
export function fit(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const cut = cutTo(toPrintable(text), width);
  const space = ' '.repeat(Math.max(0, width - widthOf(cut)));
  return align === 'left' ? cut + space : space + cut;
}

/** The text, or as much of its beginning as fits with `…` behind it. */
export function cutTo(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = '';
  let left = width - 1;
  for (const character of text) {
    left -= widthOfCharacter(character);
    if (left < 0) break;
    kept += character;
  }
  return width > 0 ? `${kept}…` : '';
}

function widthOfCharacter(character: string): number {
  if (character < '\u0300') return 1;
  if (ZERO_WIDTH.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
