/** UUIDs (RFC 9562) that are derived from names. Pure. */
import { hash } from 'node:crypto';

/** A UUID that is always the same for the same names: version 8, of their SHA-256 (RFC 9562 §5.8, appendix B.2). */
export function uuidFromNames(...names: readonly string[]): string {
  return uuidFromHash(hash('sha256', names.join('/'), 'hex'));
}

/**
 * The UUID of a hash.
 * @param hex at least 32 hexadecimal digits; the first 32 count, less the six bits that say version and variant
 */
export function uuidFromHash(hex: string): string {
  const variant = '89ab'[Number.parseInt(hex.slice(16, 17), 16) & 3] ?? '8';
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
