/** The QEMU processes of this host, whoever started them, and which devices their descriptors are (proc(5)). */
import { readFile, readdir, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { macvtapNumbers } from './macvtaps.ts';
import { readQemuGuest, type QemuGuest } from './qemu-nics.ts';

export interface QemuProcess extends QemuGuest {
  readonly pid: number;
}

/** A descriptor of QEMU's: of a tap by name, or a character device by its numbers, which a macvtap is. */
export type OpenDevice =
  { readonly tap: string } | { readonly major: number; readonly minor: number } | undefined;

/** Every QEMU of the host's that we can see, by process number. */
export async function findQemuProcesses(): Promise<QemuProcess[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      // A process that has ended meanwhile has no arguments.
      const args = (await readFile(`/proc/${String(pid)}/cmdline`, 'utf8').catch(() => '')).split('\0');
      const isQemu = /^(?:qemu-system-|qemu-kvm$|kvm$)/.test(basename(args[0] ?? ''));
      return isQemu ? [{ pid, ...readQemuGuest(args) }] : [];
    }),
  );
  return found.flat().sort((a, b) => a.pid - b.pid);
}

/** What a descriptor of a process is; `undefined` where it is none of these, or we may not look (only root may). */
export async function readOpenDevice(pid: number, descriptor: number): Promise<OpenDevice> {
  const place = `/proc/${String(pid)}`;
  const text = await readFile(`${place}/fdinfo/${String(descriptor)}`, 'utf8').catch(() => '');
  const tap = /^iff:\s*(\S+)/m.exec(text)?.[1];
  if (tap !== undefined) return { tap };
  const found = await stat(`${place}/fd/${String(descriptor)}`).catch(() => undefined);
  if (!found?.isCharacterDevice()) return undefined;
  const { rdev } = found;
  return { major: (rdev >> 8) & 0xfff, minor: (rdev & 0xff) | ((rdev >> 12) & 0xfff00) };
}

/** The macvtap among these that has the numbers. */
export async function findMacvtap(
  { major, minor }: { readonly major: number; readonly minor: number },
  devices: readonly string[],
  netns: string | undefined,
): Promise<string | undefined> {
  for (const device of devices) {
    const numbers = await macvtapNumbers(device, netns);
    if (numbers?.major === major && numbers.minor === minor) return device;
  }
  return undefined;
}
