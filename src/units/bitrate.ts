/** Bit rates: decimal prefixes, as the field counts bits. Pure. */
import { toThreeDigits } from './threedigits.ts';

declare const rateBrand: unique symbol;
/** Bits per second, a whole number. */
export type BitsPerSecond = number & { readonly [rateBrand]: true };

const FACTORS: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 };
const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P'] as const;

/**
 * Reads `500M`, `1.5G`, `64k`, `1000000`, each with or without a trailing `bit/s` or `bps`.
 * Prefixes are decimal: `1M` is 1,000,000 bit/s.
 * @returns the rate, or `undefined` where the text is no rate or not above 0.
 */
export function toBitsPerSecond(value: number | string): BitsPerSecond | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([kKMGT]?)(?:bit\/s|bps)?$/.exec(String(value).trim());
  if (!match) return undefined;
  const prefix = match[2] === 'K' ? 'k' : (match[2] ?? '');
  const rate = Math.round(Number(match[1]) * (FACTORS[prefix] ?? 1));
  return rate > 0 && Number.isSafeInteger(rate) ? (rate as BitsPerSecond) : undefined;
}

/** A rate in three significant digits with its prefix: `0`, `980`, `1.25M`, `31.4G`. The unit is the caller's. */
export function renderRate(perSecond: number): string {
  const { digits, step } = toThreeDigits(perSecond, PREFIXES.length - 1);
  return `${digits}${PREFIXES[step] ?? ''}`;
}
