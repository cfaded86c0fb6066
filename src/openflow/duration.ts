/** Durations as OpenFlow has them everywhere: 32 bits of seconds, 32 of nanoseconds. Pure. */

/** Nanoseconds of an unknown duration are all ones; a known one is below a second. */
const NS_PER_S = 1_000_000_000;

/** @returns milliseconds, or `undefined` where the switch does not say. */
export function decodeDuration(bytes: Buffer, offset: number): number | undefined {
  const nanoseconds = bytes.readUInt32BE(offset + 4);
  return nanoseconds < NS_PER_S ? bytes.readUInt32BE(offset) * 1000 + nanoseconds / 1_000_000 : undefined;
}
