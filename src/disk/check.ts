/** Whether an image is whole (`qemu-img check`): a truncated one is converted by qemu-img without a word. */
import { fail } from '../errors.ts';
import { readImage, type ChainLink, type ImageInfo } from './image.ts';
import { toDiskError, tryQemuImg } from './qemuimg.ts';

/** `unknown`: the format has nothing to check, as raw. */
export type CheckOutcome = 'ok' | 'leaks' | 'corrupt' | 'unknown';

/** Exit status of qemu-img check → what it means (qemu-img(1)). */
const OUTCOMES: Readonly<Record<number, CheckOutcome>> = { 0: 'ok', 2: 'corrupt', 3: 'leaks', 63: 'unknown' };

/**
 * Of the image itself; its bases have to be whole.
 * @throws what readImage throws; DISK_CORRUPT for a base; DISK_IN_USE; DISK_FAILED where it cannot be checked
 */
export async function checkImage(
  image: string,
  format?: string,
): Promise<{ format: string; outcome: CheckOutcome }> {
  const info = await readImage(image, format);
  await requireAllWhole(info.chain);
  return { format: info.format, outcome: await outcomeOf(image, info.format) };
}

/**
 * qemu-img check looks at one image alone, and fills up with zeros what its base has lost.
 * @throws DISK_CORRUPT for the image or one below it; DISK_IN_USE; DISK_FAILED where it cannot be checked
 */
export function requireWhole(info: ImageInfo): Promise<void> {
  return requireAllWhole([info, ...info.chain]);
}

async function requireAllWhole(links: readonly ChainLink[]): Promise<void> {
  for (const { image, format } of links)
    if ((await outcomeOf(image, format)) === 'corrupt') throw fail('DISK_CORRUPT', { image });
}

async function outcomeOf(image: string, format: string): Promise<CheckOutcome> {
  const result = await tryQemuImg(['check', '-q', '-f', format, image]);
  const outcome = OUTCOMES[result.status];
  if (outcome === undefined) throw await toDiskError(image, result);
  return outcome;
}
