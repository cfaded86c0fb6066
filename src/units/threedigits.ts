/** Figures for people: three significant digits and a decimal prefix. Pure. */

/**
 * Divides by 1000 until three digits before the point are enough.
 * @param maxSteps how many prefixes there are
 * @returns the figure (`0`, `980`, `1.25`, `31.4`) and how often it was divided
 */
export function toThreeDigits(value: number, maxSteps: number): { digits: string; step: number } {
  let step = 0;
  // Limits are where rounding would add a digit: 999.5 is "1.00k", not "1000".
  while (value >= 999.5 && step < maxSteps) {
    value /= 1000;
    step++;
  }
  const places = step === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return { digits: value.toFixed(places), step };
}
