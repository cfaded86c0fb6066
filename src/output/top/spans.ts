/** A line of a terminal made of painted pieces, cut to its width before it is painted. Pure. */
import type { Paint } from '../paint.ts';
import { toPrintable } from '../../units/printable.ts';
import { cutTo, widthOf } from './text.ts';

export interface Span {
  readonly text: string;
  readonly colour?: Parameters<Paint>[0];
}

/** The spans from the left, and those that end at the right edge where both fit; what is too long is cut. */
export function renderSpans(
  left: readonly Span[],
  right: readonly Span[],
  width: number,
  paint: Paint,
): string {
  const space = width - widthOfAll(left) - widthOfAll(right);
  const spans = right.length > 0 && space > 0 ? [...left, { text: ' '.repeat(space) }, ...right] : left;
  let room = width;
  return spans
    .map(({ text, colour }) => {
      const cut = cutTo(toPrintable(text), room);
      room -= widthOf(cut);
      return colour === undefined || cut === '' ? cut : paint(colour, cut);
    })
    .join('');
}

function widthOfAll(spans: readonly Span[]): number {
  return spans.reduce((sum, { text }) => sum + widthOf(text), 0);
}
