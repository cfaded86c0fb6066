/** The note DIR/sandbox.json: what a sandbox made, so that another process can stop it. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { fail } from '../errors.ts';

const schema = z.strictObject({
  formatVersion: z.literal('1.0'),
  directory: z.string(),
  datapath: z.enum(['netdev', 'dummy', 'none']),
  /** The namespace that was made for it. */
  netns: z.string().optional(),
  /** True where the directory was not there before. */
  madeDirectory: z.boolean(),
  /** Which boot of the machine made it: the next one has no namespace of ours, whatever is called so. */
  bootId: z.string(),
});

export interface SandboxState {
  readonly directory: string;
  readonly datapath: 'netdev' | 'dummy' | 'none';
  readonly netns: string | undefined;
  readonly madeDirectory: boolean;
  /** See `readBootId`. */
  readonly bootId: string;
}

/**
 * Reads the note.
 * @returns `undefined` where there is none
 * @throws FILE_UNREADABLE where it is no note of ours
 */
export async function readState(directory: string): Promise<SandboxState | undefined> {
  const path = pathIn(directory);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return undefined;
    throw fail('FILE_UNREADABLE', { path, why: String(thrown) }, { cause: thrown });
  }
  const decoded = schema.safeParse(parseJson(text));
  if (!decoded.success) throw fail('FILE_UNREADABLE', { path, why: 'it is no note of a sandbox' });
  // The directory may have been moved: it is where the note is.
  const { datapath, netns, madeDirectory, bootId } = decoded.data;
  return { directory, datapath, netns, madeDirectory, bootId };
}

/** Writes the note; refuses where there is one. */
export async function noteState(state: SandboxState): Promise<void> {
  const path = pathIn(state.directory);
  try {
    await writeFile(path, `${JSON.stringify({ formatVersion: '1.0', ...state }, undefined, 2)}\n`, {
      flag: 'wx',
    });
  } catch (thrown) {
    throw fail('FILE_UNWRITABLE', { path, why: String(thrown) }, { cause: thrown });
  }
}

/** Removes the note. */
export async function clearState(directory: string): Promise<void> {
  await rm(pathIn(directory), { force: true });
}

/**
 * The namespace that was made for the sandbox, where it can still be there.
 * @returns `undefined` for one of an earlier boot: what is called so now is somebody else's
 */
export async function namespaceOf(
  state: Pick<SandboxState, 'netns' | 'bootId'>,
): Promise<string | undefined> {
  return state.bootId === (await readBootId()) ? state.netns : undefined;
}

/** Names this run of the machine; another after each boot (random(4)). */
export async function readBootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}

function pathIn(directory: string): string {
  return `${directory}/sandbox.json`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
