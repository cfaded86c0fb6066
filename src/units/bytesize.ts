/** Sizes in bytes. Pure. */
import { toThreeDigits } from './threedigits.ts';

const FACTORS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };
const PREFIXES = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'] as const;

/**
 * Reads `256M`, `2G`, `1.5T`, each with or without `B` or `iB`. Prefixes are binary, as in QEMU and qemu-img:
 * `1M` is 1,048,576 bytes.
 * @returns whole bytes, or `undefined` where the text is no size or not above 0.
 */
export function toByteSize(value: number | string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([kKMGT]?)(?:i?B)?$/.exec(String(value).trim());
  if (!match) return undefined;
  const prefix = match[2] === 'K' ? 'k' : (match[2] ?? '');
  const bytes = Math.round(Number(match[1]) * (FACTORS[prefix] ?? 1));
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** A count of bytes for people, decimal as the field counts traffic: `0 B`, `54.2 kB`, `1.31 GB`. */
export function renderBytes(bytes: bigint | number): string {
  const { digits, step } = toThreeDigits(Number(bytes), PREFIXES.length - 1);
  return `${digits} ${PREFIXES[step] ?? ''}`;
}
