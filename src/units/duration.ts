/** Lengths of time as people write them. Pure. */

const MS_PER_UNIT: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Reads `250ms`, `1s`, `1.5m`, `2h`, `1d`.
 * @returns whole milliseconds, or `undefined` where the text is no duration (a unit is required).
 */
export function toDurationMs(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim());
  if (!match) return undefined;
  return Math.round(Number(match[1]) * (MS_PER_UNIT[match[2] ?? ''] ?? 0));
}

/** Milliseconds for people: `250ms`, `1.5s`, `2m 5s`, `3h 2m`. */
export function renderDuration(ms: number): string {
  // Limits are where rounding would reach the next unit.
  if (ms < 999.5) return `${String(Math.round(ms))}ms`;
  if (ms < 59_950) return `${String(Math.round(ms / 100) / 10)}s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${String(Math.floor(seconds / 60))}m ${String(seconds % 60)}s`;
  const minutes = Math.round(seconds / 60);
  return `${String(Math.floor(minutes / 60))}h ${String(minutes % 60)}m`;
}
