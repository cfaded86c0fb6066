/**
 * The character devices of macvtaps, which QEMU gets as open descriptors (Documentation/networking/tuntap, drivers/net/tap.c).
 * The kernel names them `/dev/tapN` by the device's number, in one /dev for all namespaces: where two have the same
 * number only the numbers of the node itself tell which is which.
 */
import { mkdtemp, open, rm, stat, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fail } from '../errors.ts';
import { run, runOrFail } from '../process/run.ts';

const TIMEOUT_MS = 10_000;

/**
 * Opens a macvtap once for each queue. Who calls closes the handles.
 * @throws GUEST_TAP_MISSING where there is no such macvtap; FILE_UNREADABLE, PROGRAM_MISSING, NETNS_MISSING
 */
export async function openMacvtap(
  { vm, device, queues, path }: { vm: string; device: string; queues: number; path: string },
  netns: string | undefined,
): Promise<FileHandle[]> {
  const { index, major, minor } = await readNumbers(device, netns, () =>
    fail('GUEST_TAP_MISSING', { vm, devices: [device], path }),
  );
  const node = `/dev/tap${String(index)}`;
  if (await isNode(node, major, minor)) return openAll(node, queues);
  // Another namespace's device has the name, or /dev is none of the kernel's: a node of our own, for a moment.
  const directory = await mkdtemp(join(tmpdir(), 'vsb-tap-'));
  try {
    const own = join(directory, device);
    await runOrFail('mknod', ['-m', '600', own, 'c', String(major), String(minor)], {
      timeoutMs: TIMEOUT_MS,
    });
    return await openAll(own, queues);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/**
 * The same for a person's shell: what stands behind the command so that its descriptors are open. Where there is no such
 * macvtap the shell refuses a directory; a name put together from a number would make a file.
 */
export function shellRedirection(device: string, descriptor: number, netns: string | undefined): string {
  const enter = netns === undefined ? '' : `ip netns exec ${netns} `;
  return `${String(descriptor)}<>/dev/$(${enter}ls /sys/class/net/${device} | grep ^tap)`;
}

/** The numbers of a macvtap's character device; `undefined` where there is no such macvtap. @throws as `run` */
export async function macvtapNumbers(
  device: string,
  netns: string | undefined,
): Promise<{ readonly major: number; readonly minor: number } | undefined> {
  const missing = new Error(device);
  try {
    return await readNumbers(device, netns, () => missing);
  } catch (thrown) {
    if (thrown === missing) return undefined;
    throw thrown;
  }
}

async function readNumbers(
  device: string,
  netns: string | undefined,
  missing: () => Error,
): Promise<{ index: number; major: number; minor: number }> {
  const directory = `/sys/class/net/${device}`;
  const read = async (file: string): Promise<string> => {
    // In the namespace, whose devices alone its /sys has (ip-netns(8)).
    const { status, stdout } = await run('cat', [`${directory}/${file}`], { timeoutMs: TIMEOUT_MS, netns });
    if (status !== 0) throw missing();
    return stdout.trim();
  };
  const index = Number(await read('ifindex'));
  const [major, minor] = (await read(`tap${String(index)}/dev`)).split(':').map(Number);
  if (major === undefined || minor === undefined) throw missing();
  return { index, major, minor };
}

/** stat(2)'s st_rdev as glibc's makedev(3) puts it together, for numbers as small as these. */
async function isNode(path: string, major: number, minor: number): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isCharacterDevice()) return false;
  const rdev = found.rdev;
  return ((rdev >> 8) & 0xfff) === major && ((rdev & 0xff) | ((rdev >> 12) & 0xfff00)) === minor;
}

async function openAll(path: string, queues: number): Promise<FileHandle[]> {
  const handles: FileHandle[] = [];
  try {
    for (let queue = 0; queue < queues; queue++) handles.push(await open(path, 'r+'));
    return handles;
  } catch (thrown) {
    await Promise.all(handles.map((handle) => handle.close()));
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw fail('FILE_UNREADABLE', { path, why }, { cause: thrown });
  }
}
