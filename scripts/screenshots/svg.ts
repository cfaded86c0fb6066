/** A terminal's screen as a picture. */
import type { Cell, TerminalScreen } from '../../test/support/terminalscreen.ts';

/** Size of a cell, in the units of the picture: DejaVu Sans Mono's at 14. */
const CELL = { width: 8.43, height: 17, baseline: 13 } as const;
const MARGIN = 12;
const BACKGROUND = '#16181d';
const FOREGROUND = '#d6d9de';
const COLOURS: Readonly<Record<string, string>> = {
  31: '#ff6b68',
  32: '#8bd06f',
  33: '#e8c35a',
  36: '#5cc9dd',
};

/** Neighbours of the same style. */
interface Run {
  readonly column: number;
  readonly width: number;
  readonly text: string;
  readonly style: ReadonlySet<string>;
}

/** The screen as SVG: text that can be searched, each run just as wide as its cells, whatever the font. */
export function renderSvg(screen: TerminalScreen, title: string): string {
  const width = screen.columns * CELL.width + 2 * MARGIN;
  const height = screen.rows * CELL.height + 2 * MARGIN;
  const lines = screen.cells.flatMap((cells, row) => toRuns(cells).map((run) => renderRun(run, row)));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${n(width)} ${n(height)}" width="${n(width)}" height="${n(height)}" role="img">`,
    `<title>${escape(title)}</title>`,
    `<rect width="100%" height="100%" rx="6" fill="${BACKGROUND}"/>`,
    `<g font-family="'DejaVu Sans Mono', 'Noto Sans Mono', Menlo, Consolas, monospace" font-size="14" xml:space="preserve" transform="translate(${n(MARGIN)} ${n(MARGIN)})">`,
    ...lines,
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

function toRuns(cells: readonly Cell[]): Run[] {
  const runs: Run[] = [];
  cells.forEach(({ text, style }, column) => {
    const last = runs.at(-1);
    if (last !== undefined && [...last.style].join() === [...style].join())
      runs[runs.length - 1] = { ...last, text: last.text + text, width: last.width + 1 };
    else runs.push({ column, width: 1, text, style });
  });
  return runs.filter(({ text, style }) => text.trim() !== '' || style.has('7'));
}

function renderRun({ column, width, text, style }: Run, row: number): string {
  const x = column * CELL.width;
  const y = row * CELL.height;
  const isInverse = style.has('7');
  const colour = [...style].map((one) => COLOURS[one]).find((one) => one !== undefined) ?? FOREGROUND;
  const bar = `<rect x="${n(x)}" y="${n(y)}" width="${n(width * CELL.width)}" height="${n(CELL.height)}" fill="${colour}"/>`;
  const look = [
    `fill="${isInverse ? BACKGROUND : colour}"`,
    ...(style.has('1') ? ['font-weight="bold"'] : []),
    ...(style.has('2') ? ['opacity="0.6"'] : []),
  ].join(' ');
  // Spaces at the ends are not drawn, and so do not count for the length.
  const before = text.length - text.trimStart().length;
  const shown = text.trim();
  const at = x + before * CELL.width;
  const cells = width - before - (text.length - text.trimEnd().length);
  const words =
    shown === ''
      ? ''
      : `<text x="${n(at)}" y="${n(y + CELL.baseline)}" textLength="${n(cells * CELL.width)}" lengthAdjust="spacingAndGlyphs" ${look}>${escape(shown)}</text>`;
  return (isInverse ? bar : '') + words;
}

function n(value: number): string {
  return String(Math.round(value * 100) / 100);
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
