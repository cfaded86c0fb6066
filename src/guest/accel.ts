/**
 * Whether KVM really boots a guest here. That /dev/kvm exists and QEMU starts with it proves little: on some
 * virtualised hosts real mode runs and no kernel ever comes up. So the guest's own kernel is booted for a moment,
 * without initrd, and KVM is good where the kernel prints anything. The answer is kept until the next boot.
 */
import { access, constants, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, toVsbError } from '../errors.ts';
import { run } from '../process/run.ts';
import { acceleratorArgs, BARE_MACHINE, QEMU, type Accelerator } from './qemu-args.ts';

/** What to use, and why, for people. */
export interface AcceleratorChoice {
  readonly accelerator: Accelerator;
  readonly reason: string;
}

/** A kernel's first line takes 0.1 s with KVM, and some seconds on a host that is busy. */
const PROBE_MS = 5000;
/** Room for an unpacked distribution kernel (66 MB) and what it unpacks. */
const PROBE_MEMORY = '256M';
const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/**
 * Chooses `kvm` where it boots the kernel, else `tcg`. The first question about a kernel takes up to 5 s.
 * @param kernel `undefined` for a guest that boots from a disk: then a boot sector of ours stands for it
 * @throws PROGRAM_MISSING where QEMU is not installed, FILE_UNREADABLE for the kernel, FILE_UNWRITABLE, CANCELLED
 */
export async function chooseAccelerator(
  kernel: string | undefined,
  runDir: string,
  signal?: AbortSignal,
): Promise<AcceleratorChoice> {
  const obstacle = await kvmObstacle();
  if (obstacle !== undefined) return { accelerator: 'tcg', reason: obstacle };
  await mkdir(runDir, { recursive: true, mode: 0o755 }).catch(failAs('FILE_UNWRITABLE', runDir));
  const cacheFile = join(runDir, 'accelerators.json');
  const key = await probeKey(kernel);
  const known = (await readCache(cacheFile))[key];
  if (known !== undefined) return known;
  const choice = await probe(kernel, runDir, signal);
  await writeCache(cacheFile, { ...(await readCache(cacheFile)), [key]: choice });
  return choice;
}

async function kvmObstacle(): Promise<string | undefined> {
  try {
    await access('/dev/kvm', constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return missing ? 'there is no /dev/kvm' : 'this user may not open /dev/kvm';
  }
}

/**
 * A disk whose boot sector writes a letter to the first serial port and ends QEMU by its debug port: mov dx,0x3f8;
 * mov al,'K'; out dx,al; mov dx,0x501; out dx,al; hlt.
 */
async function writeBootSector(directory: string): Promise<string> {
  const sector = Buffer.alloc(512);
  sector.set([0xba, 0xf8, 0x03, 0xb0, 0x4b, 0xee, 0xba, 0x01, 0x05, 0xee, 0xf4, 0xeb, 0xfd]);
  sector.set([0x55, 0xaa], 510);
  const path = join(directory, 'disk');
  await writeFile(path, sector);
  return path;
}

/** Boots the kernel: it finds no root, panics, and "reboots", which ends QEMU. What counts is that it spoke. */
async function probe(
  kernel: string | undefined,
  runDir: string,
  signal: AbortSignal | undefined,
): Promise<AcceleratorChoice> {
  const directory = await mkdtemp(join(runDir, 'accelerator-')).catch(failAs('FILE_UNWRITABLE', runDir));
  try {
    const said = join(directory, 'serial');
    const what = kernel === undefined ? 'a boot sector' : 'this kernel';
    const stderr = await boot(
      kernel ?? (await writeBootSector(directory)),
      said,
      kernel === undefined,
      signal,
    );
    const spoke = (await stat(said).catch(() => undefined))?.size ?? 0;
    if (spoke > 0) return { accelerator: 'kvm', reason: `KVM boots ${what}` };
    const why = stderr ?? `it printed nothing within ${String(PROBE_MS)} ms`;
    return { accelerator: 'tcg', reason: `/dev/kvm is there, but does not boot ${what}: ${why}` };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** @returns what QEMU complained of, or `undefined` where it was ended by the time limit. */
async function boot(
  path: string,
  serialFile: string,
  isDisk: boolean,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const args = [
    ...acceleratorArgs('kvm'),
    ...['-m', PROBE_MEMORY],
    ...BARE_MACHINE,
    '-no-reboot',
    ...['-serial', `file:${serialFile}`],
    ...(isDisk
      ? ['-drive', `file=${path},format=raw,if=ide`, '-device', 'isa-debug-exit']
      : ['-kernel', path, '-append', 'console=ttyS0 earlyprintk=ttyS0 panic=-1']),
  ];
  try {
    const { status, stderr } = await run(QEMU, args, { timeoutMs: PROBE_MS, signal });
    return stderr.trim().split('\n')[0] || `QEMU ended with status ${String(status)}`;
  } catch (thrown) {
    const error = toVsbError(thrown);
    if (error.code !== 'PROGRAM_TIMEOUT') throw error;
    return undefined;
  }
}

/** The answer holds for this boot of the host and this version of the kernel's file. */
async function probeKey(kernel: string | undefined): Promise<string> {
  const bootId = await readFile(BOOT_ID, 'utf8');
  if (kernel === undefined) return `${bootId.trim()} boot sector`;
  const file = await stat(kernel).catch(failAs('FILE_UNREADABLE', kernel));
  return [bootId.trim(), kernel, String(file.mtimeMs), String(file.size)].join(' ');
}

/** Passes a file's fault on under its code. */
function failAs(code: 'FILE_UNREADABLE' | 'FILE_UNWRITABLE', path: string): (thrown: unknown) => never {
  return (thrown) => {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw fail(code, { path, why }, { cause: thrown });
  };
}

async function readCache(path: string): Promise<Record<string, AcceleratorChoice>> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Record<string, AcceleratorChoice>;
  } catch {
    // Not there yet, or not readable: then it is asked again.
    return {};
  }
}

/** Where that cannot be kept, on a full disk, it is asked again: no reason not to start a guest. */
async function writeCache(path: string, cache: Readonly<Record<string, AcceleratorChoice>>): Promise<void> {
  const draft = `${path}.${String(process.pid)}`;
  try {
    await writeFile(draft, `${JSON.stringify(cache, undefined, 2)}\n`);
    await rename(draft, path);
  } catch {
    await rm(draft, { force: true });
  }
}
