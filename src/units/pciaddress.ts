/** Addresses of PCI functions. Pure. */

/**
 * Reads `0000:03:00.1`, or `03:00.1` in domain 0, in any case (lspci(8)): domain, bus, device (to 1f), function (to 7).
 * @returns the form that sysfs has, lower case with domain, or `undefined` where the text is none
 */
export function toPciAddress(text: string): string | undefined {
  const match = /^(?:([0-9a-f]{4}):)?([0-9a-f]{2}):([01][0-9a-f])\.([0-7])$/.exec(text.trim().toLowerCase());
  if (!match) return undefined;
  const [, domain = '0000', bus = '', device = '', number = ''] = match;
  return `${domain}:${bus}:${device}.${number}`;
}
