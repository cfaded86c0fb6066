/** Where a guest's state lives: `<runDir>/<topology>/<vm>/`. Paths and the state file; what runs is status.ts's. */
import { mkdir, readFile, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '../errors.ts';
import { vhostSocketPath } from '../units/vhostsocket.ts';

/** sockaddr_un.sun_path is 108 bytes with its final NUL (unix(7)). */
const MAX_SOCKET_PATH_BYTES = 107;

export interface GuestPaths {
  readonly directory: string;
  readonly pidFile: string;
  readonly qmpSocket: string;
  readonly consoleSocket: string;
  /** All that the guest has printed on its serial console since it started. */
  readonly consoleLog: string;
  readonly stateFile: string;
}

/** What start noted of a guest. */
export interface GuestState {
  readonly formatVersion: '1.0';
  readonly topology: string;
  readonly vm: string;
  readonly uuid: string;
  readonly accelerator: string;
  /** Wall clock, for people: ISO 8601. */
  readonly startedAt: string;
}

/** Whose guest it is. */
export interface GuestName {
  readonly topology: string;
  readonly vm: string;
}

/** @throws GUEST_SOCKET_PATH_TOO_LONG */
export function guestPaths(runDir: string, name: GuestName): GuestPaths {
  const directory = join(runDir, name.topology, name.vm);
  return {
    directory,
    pidFile: join(directory, 'pid'),
    qmpSocket: socketPath(join(directory, 'qmp.sock')),
    consoleSocket: socketPath(join(directory, 'console.sock')),
    consoleLog: join(directory, 'console.log'),
    stateFile: join(directory, 'state.json'),
  };
}

/** Where QEMU listens for Open vSwitch, for a vhost-user NIC. @throws GUEST_SOCKET_PATH_TOO_LONG */
export function vhostSocketOf(runDir: string, name: GuestName, device: string): string {
  return socketPath(vhostSocketPath(runDir, name.topology, name.vm, device));
}

/** Makes a guest's directory; only its owner may enter, since the console is a shell. @throws FILE_UNWRITABLE */
export async function makeGuestDirectory(paths: GuestPaths): Promise<void> {
  try {
    await mkdir(paths.directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw fail('FILE_UNWRITABLE', { path: paths.directory, why: reason(error) }, { cause: error });
  }
}

/** Writes the state file, whole or not at all. @throws FILE_UNWRITABLE */
export async function writeGuestState(paths: GuestPaths, state: GuestState): Promise<void> {
  const draft = `${paths.stateFile}.new`;
  try {
    await writeFile(draft, `${JSON.stringify(state, undefined, 2)}\n`);
    await rename(draft, paths.stateFile);
  } catch (error) {
    throw fail('FILE_UNWRITABLE', { path: paths.stateFile, why: reason(error) }, { cause: error });
  }
}

/** @returns the state, or `undefined` where no guest of that name was started, or its file is not ours. */
export async function readGuestState(paths: GuestPaths): Promise<GuestState | undefined> {
  try {
    const state = JSON.parse(await readFile(paths.stateFile, 'utf8')) as Partial<GuestState> | null;
    return state?.formatVersion === '1.0' ? (state as GuestState) : undefined;
  } catch {
    return undefined;
  }
}

/** Removes a guest's directory, and its topology's where that was the last one. */
export async function removeGuestDirectory(paths: GuestPaths): Promise<void> {
  await rm(paths.directory, { recursive: true, force: true });
  // Not empty while another guest of the topology is there: then it stays.
  await rmdir(join(paths.directory, '..')).catch(() => undefined);
}

/**
 * Names under which there may be a guest, sorted; of one topology or of all. The directory has other things of ours
 * too: status.ts tells which is a guest.
 */
export async function findGuests(runDir: string, topology?: string): Promise<GuestName[]> {
  const topologies = topology === undefined ? await subdirectories(runDir) : [topology];
  const names: GuestName[] = [];
  for (const each of topologies) {
    for (const vm of await subdirectories(join(runDir, each))) names.push({ topology: each, vm });
  }
  return names;
}

async function subdirectories(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .sort();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    // Nothing was started yet; a file of somebody else is no guest.
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw fail('FILE_UNREADABLE', { path: directory, why: message }, { cause });
  }
}

function socketPath(path: string): string {
  const bytes = Buffer.byteLength(path);
  if (bytes > MAX_SOCKET_PATH_BYTES) {
    throw fail('GUEST_SOCKET_PATH_TOO_LONG', { path, bytes, maxBytes: MAX_SOCKET_PATH_BYTES });
  }
  return path;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
