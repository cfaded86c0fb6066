/** Draws lines over the lines drawn before, without flicker: nothing is blanked before it is written anew. Pure. */

const CLEAR_TO_END_OF_LINE = '\x1b[K';
const CLEAR_TO_END_OF_SCREEN = '\x1b[J';

/** What to write, and how many lines that takes on the screen. */
export interface Frame {
  readonly text: string;
  readonly lineCount: number;
}

/**
 * The next frame.
 * @param previousLineCount of the frame before; 0 for the first
 * @param height lines of the terminal; `undefined` where it is not known. What does not fit is counted in a last line.
 */
export function renderFrame(
  lines: readonly string[],
  previousLineCount: number,
  height: number | undefined,
): Frame {
  const shown = clip(lines, height);
  const up = previousLineCount > 0 ? `\x1b[${String(previousLineCount)}A\r` : '';
  const body = shown.map((line) => `${line}${CLEAR_TO_END_OF_LINE}\n`).join('');
  return { text: `${up}${body}${CLEAR_TO_END_OF_SCREEN}`, lineCount: shown.length };
}

/** One line less than the height, since the cursor stands on the line below. */
function clip(lines: readonly string[], height: number | undefined): readonly string[] {
  if (height === undefined || lines.length < height) return lines;
  const room = Math.max(1, height - 2);
  return [...lines.slice(0, room), `… ${String(lines.length - room)} more lines`];
}
