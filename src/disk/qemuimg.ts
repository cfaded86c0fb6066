/**
 * qemu-img(1), with its errors in our codes. Paths are absolute, so that no name is taken for an option or a protocol.
 * What is asked of it: image.ts and the files named for what they do.
 */
import { fail, type VsbError } from '../errors.ts';
import { startStreaming } from '../process/streaming.ts';
import { run, type RunResult } from '../process/run.ts';
import { findImageUsers } from './users.ts';

const QEMU_IMG = 'qemu-img';
/** Reading headers takes milliseconds; a check reads all of an image's tables. */
const TIMEOUT_MS = 600_000;

/** @param image what an error is about @throws DISK_FAILED with what qemu-img said; DISK_IN_USE; PROGRAM_MISSING */
export async function qemuImg(image: string, args: readonly string[], input?: string): Promise<string> {
  const result = await tryQemuImg(args, input);
  if (result.status !== 0) throw await toDiskError(image, result);
  return result.stdout;
}

/** The same, where another exit status than 0 is an answer. @throws PROGRAM_MISSING */
export function tryQemuImg(args: readonly string[], input?: string): Promise<RunResult> {
  return run(QEMU_IMG, args, { timeoutMs: TIMEOUT_MS, input });
}

/**
 * A command that takes long, and says how far it is.
 * @param args with `-p`
 * @param onProgress gets per cent, from 0 to 100
 * @throws as qemuImg; CANCELLED where the signal ended it
 */
export async function qemuImgWithProgress(
  image: string,
  args: readonly string[],
  {
    onProgress,
    signal,
  }: { onProgress?: ((percent: number) => void) | undefined; signal?: AbortSignal | undefined },
): Promise<void> {
  await using program = startStreaming(QEMU_IMG, args, { netns: undefined });
  const stop = (): void => {
    program.stop();
  };
  signal?.addEventListener('abort', stop, { once: true });
  try {
    // `    (8.33/100%)\r`, also into a pipe.
    for await (const chunk of program.stdout) {
      const last = [...String(chunk).matchAll(/\((\d+(?:\.\d+)?)\/100%\)/g)].at(-1)?.[1];
      if (last !== undefined) onProgress?.(Number(last));
    }
    const { status, stderr } = await program.ended;
    if (signal?.aborted === true) throw fail('CANCELLED', { what: `"${image}" was not written` });
    if (status !== 0) throw await toDiskError(image, { status, stdout: '', stderr });
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/** Who writes to an image holds QEMU's lock on it, which qemu-img tells only so far. */
export async function toDiskError(image: string, { status, stderr }: RunResult): Promise<VsbError> {
  if (/Failed to get .*lock/.test(stderr)) {
    const users = (await findImageUsers(image)).map(({ words }) => words);
    return fail('DISK_IN_USE', { image, users: users.length > 0 ? users : ['another process'] });
  }
  const said = stderr
    .split('\n')
    .map((line) => line.replace(/^qemu-img: /, '').trim())
    .filter((line) => line !== '')
    .slice(0, 3)
    .join(' / ');
  if (/No space left on device/.test(stderr))
    return fail('DISK_NO_SPACE', { image, needed: undefined, free: undefined });
  return fail('DISK_FAILED', { image, said: said === '' ? `qemu-img ended with ${String(status)}` : said });
}
