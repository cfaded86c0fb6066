/** A rate's course as one line of blocks. Pure. */

const BLOCKS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/**
 * The last values, newest last, in just so many cells; the highest of them is a full block, and a gap is a space. Where
 * nothing was ever counted, the lowest block says so.
 */
export function renderSparkline(values: readonly (number | undefined)[], width: number): string {
  const shown = width > 0 ? values.slice(-width) : [];
  const highest = Math.max(0, ...shown.map((value) => value ?? 0));
  const blocks = shown.map((value) => (value === undefined ? ' ' : toBlock(value, highest)));
  return blocks.join('').padStart(width);
}

/** A little is never the same as nothing. */
function toBlock(value: number, highest: number): string {
  const step = highest === 0 ? 0 : Math.ceil((value / highest) * (BLOCKS.length - 1));
  return BLOCKS[step] ?? BLOCKS[0];
}
