/** Names of Linux network devices. Pure. */
import { createHash } from 'node:crypto';

/** IFNAMSIZ is 16 with the final NUL (linux/if.h). */
export const MAX_DEVICE_NAME_BYTES = 15;

/**
 * A device name of at most 15 bytes: the wanted one where it fits, else its beginning and a stable hash
 * of the whole (`very-long-n-3f9a1c`), so that the same long name is always the same device.
 */
export function toDeviceName(wanted: string): string {
  if (Buffer.byteLength(wanted) <= MAX_DEVICE_NAME_BYTES) return wanted;
  const hash = createHash('sha256').update(wanted).digest('hex').slice(0, 6);
  let head = wanted;
  while (Buffer.byteLength(head) > MAX_DEVICE_NAME_BYTES - 1 - hash.length) head = head.slice(0, -1);
  return `${head}-${hash}`;
}
