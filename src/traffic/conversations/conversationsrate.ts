/**
 * The rate of a conversation: the switch tells of it about once a second, and some time after the packets, so the difference
 * is taken over the times of the packets, and over a few reports. Pure.
 */

/** What had been counted up to a packet. */
export interface Mark {
  /** When that packet passed, in milliseconds since 1970. */
  readonly atMs: number;
  readonly packets: number;
  readonly bytes: number;
}

/** The rate is a mean over this time: several reports, since one comes after 1 s or after 2 s. */
const WINDOW_MS = 5_000;
/** Open vSwitch tells of a packet within this time. Who was silent for longer has sent nothing since. */
const REPORT_LAG_MS = 3_000;
/** One packet alone takes no time; its rate is over a second. */
const SHORTEST_MS = 1_000;
/** Who begins again after a silence has no mark where the window begins. */
const LONGEST_MS = WINDOW_MS + REPORT_LAG_MS;

/**
 * The marks with one more, of what was counted by now.
 * @param marks oldest first, the first with nothing counted; never empty
 */
export function withMark(
  marks: readonly Mark[],
  {
    lastSeenMs,
    packets,
    bytes,
  }: { readonly lastSeenMs: number; readonly packets: number; readonly bytes: number },
  nowMs: number,
): readonly Mark[] {
  const mark = { atMs: Math.min(lastSeenMs, nowMs), packets, bytes };
  const [before, last] = marks.slice(-2);
  // Sampled packets, or many datagrams in one second, need not have a mark each; the last one before a silence is needed.
  const isClose =
    before !== undefined &&
    last !== undefined &&
    Math.max(last.atMs - before.atMs, mark.atMs - last.atMs) < SHORTEST_MS / 2;
  const kept = isClose ? marks.slice(0, -1) : marks;
  return [...kept.slice(baseAt(kept, mark.atMs - LONGEST_MS)), mark];
}

/** Mean of about the last 5 s; 0 for who has been silent for longer. */
export function rateOf(
  marks: readonly Mark[],
  nowMs: number,
): { readonly packetsPerSecond: number; readonly bitsPerSecond: number } {
  const last = marks.at(-1);
  if (last === undefined) return { packetsPerSecond: 0, bitsPerSecond: 0 };
  const endMs = Math.max(last.atMs, nowMs - REPORT_LAG_MS);
  const base = marks[baseAt(marks, endMs - WINDOW_MS)] ?? last;
  const startMs = Math.max(base.atMs, endMs - LONGEST_MS);
  const seconds = Math.max(SHORTEST_MS, endMs - startMs) / 1000;
  return {
    packetsPerSecond: (last.packets - base.packets) / seconds,
    bitsPerSecond: ((last.bytes - base.bytes) * 8) / seconds,
  };
}

/** The index of the last mark that is not younger, else 0. */
function baseAt(marks: readonly Mark[], atMs: number): number {
  return Math.max(
    0,
    marks.findLastIndex((mark) => mark.atMs <= atMs),
  );
}
