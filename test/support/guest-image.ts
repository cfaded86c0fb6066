/** The small guest that tests boot: built once by scripts/guest-image into topologies/images, and found there later. */
import { fileURLToPath } from 'node:url';
import { runOrFail } from '../../src/process/run.ts';

const SCRIPT = fileURLToPath(new URL('../../scripts/guest-image', import.meta.url));
const IMAGES = fileURLToPath(new URL('../../topologies/images', import.meta.url));

/** The first time it downloads 70 MB and unpacks them. */
const BUILD_LIMIT_MS = 300_000;

/** Absolute paths of the guest's kernel and initrd. */
export async function guestImage(): Promise<{ readonly kernel: string; readonly initrd: string }> {
  await runOrFail(SCRIPT, [], { timeoutMs: BUILD_LIMIT_MS });
  return { kernel: `${IMAGES}/vmlinux`, initrd: `${IMAGES}/initrd.gz` };
}
