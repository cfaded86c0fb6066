/** Names of Linux network devices. Pure. */
import { createHash } from 'node:crypto';

/** IFNAMSIZ is 16 with the final NUL (linux/if.h). */
export const MAX_DEVICE_NAME_BYTES = 15;

/**
 * A device name of at most 15 bytes: the wanted one where it fits, else its beginning and a stable hash
 * of the whole (`very-lon-3f9a1c`), so that the same long name is always the same device.
 * @param attempt above 0 where the name is taken: another name each time, always with a hash
 */
export function toDeviceName(wanted: string, attempt = 0): string {
  if (attempt === 0 && Buffer.byteLength(wanted) <= MAX_DEVICE_NAME_BYTES) return wanted;
  const hashed = attempt === 0 ? wanted : `${wanted}/${String(attempt)}`;
  const hash = createHash('sha256').update(hashed).digest('hex').slice(0, 6);
  // By code points: half a surrogate pair would become U+FFFD.
  const head = Array.from(wanted);
  while (Buffer.byteLength(head.join('')) > MAX_DEVICE_NAME_BYTES - 1 - hash.length) head.pop();
  return `${head.join('')}-${hash}`;
}
