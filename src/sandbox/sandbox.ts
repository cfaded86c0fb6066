/**
 * A private Open vSwitch in a directory and, where it makes devices, in a network namespace of its own: to try things
 * and to test against. What is made is noted in DIR/sandbox.json before it is made, so that any process can stop it,
 * also after its starter was killed half-way. Starting each daemon is daemons.ts's, the note is state.ts's.
 */
import { mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fail, VsbError } from '../errors.ts';
import { createDatabase, daemonsOf, startDatabase, startSwitch, stopDaemons } from './daemons.ts';
import { addNetns, deleteNetns, netnsExists } from './namespace.ts';
import { describeProcess, endOccupants, occupantsOf, requireNoOccupants } from './occupants.ts';
import { clearState, namespaceOf, noteState, readBootId, readState, type SandboxState } from './state.ts';

export interface SandboxOptions {
  readonly directory: string;
  /** `netdev`: userspace, with real devices; `dummy`: no devices and no root needed; `none`: the database alone. */
  readonly datapath: 'netdev' | 'dummy' | 'none';
  /** Name of the network namespace to make for ovs-vswitchd; `undefined`: it runs in the current one. */
  readonly netns: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Sandbox {
  /** Absolute. Open vSwitch's run directory too, with `db.sock` and `<bridge>.mgmt`. */
  readonly directory: string;
  readonly datapath: SandboxOptions['datapath'];
  readonly netns: string | undefined;
  /** OVSDB remote, `unix:DIR/db.sock`. */
  readonly remote: string;
  /** Where guests that belong to it live, `DIR/guests`: it goes with the sandbox. */
  readonly guestsDirectory: string;
}

/** sun_path holds 108 bytes with its NUL (unix(7)); `/ovs-vswitchd.PID.ctl` with 7 digits is the longest we need. */
const MAX_DIRECTORY_BYTES = 107 - '/ovs-vswitchd.4194304.ctl'.length;

/** Files that Open vSwitch and we leave in the directory; nothing else there is touched. */
const OUR_FILES =
  /^(conf\.db|\.conf\.db\.~lock~|db\.sock|ovs(db-server|-vswitchd)\.(pid|log|\d+\.ctl)|\..*\.pid\.tmp.*|.+\.(mgmt|snoop))$/;

/**
 * Starts a sandbox and waits until its daemons answer. One that runs already is left as it is. What remains of one
 * that died (kill -9, reboot) is cleared away first, unless somebody is still in its namespace. A start that fails leaves nothing behind.
 * @returns the sandbox, and whether this call started it
 * @throws SANDBOX_DIFFERS, SANDBOX_DIRECTORY_FOREIGN, SANDBOX_PATH_TOO_LONG, SANDBOX_NETNS_TAKEN, SANDBOX_BUSY, NOT_PERMITTED,
 *   FILE_UNWRITABLE, PROGRAM_MISSING, PROGRAM_FAILED, PROGRAM_TIMEOUT
 */
export async function startSandbox(
  options: SandboxOptions,
): Promise<{ readonly sandbox: Sandbox; readonly started: boolean }> {
  const directory = resolve(options.directory);
  if (Buffer.byteLength(directory) > MAX_DIRECTORY_BYTES) {
    throw fail('SANDBOX_PATH_TOO_LONG', { directory, maxBytes: MAX_DIRECTORY_BYTES });
  }
  const there = await readState(directory);
  if (there && (await daemonsOf(there)).every((daemon) => daemon.running !== undefined)) {
    if (there.datapath !== options.datapath || there.netns !== options.netns) {
      throw fail('SANDBOX_DIFFERS', { directory, datapath: there.datapath, netns: there.netns });
    }
    return { sandbox: toSandbox(there), started: false };
  }
  if (there) {
    await requireNoOccupants(there);
    await clear(there);
  }

  const madeDirectory = await prepareDirectory(directory);
  if (options.netns !== undefined && (await netnsExists(options.netns))) {
    if (madeDirectory) await rmdir(directory);
    throw fail('SANDBOX_NETNS_TAKEN', { netns: options.netns });
  }
  const state: SandboxState = {
    directory,
    datapath: options.datapath,
    netns: options.netns,
    madeDirectory,
    bootId: await readBootId(),
  };
  await noteState(state);
  try {
    await startAll(state, options.signal);
  } catch (thrown) {
    // Someone took the name in this very moment: that namespace is theirs.
    const taken = thrown instanceof VsbError && thrown.code === 'SANDBOX_NETNS_TAKEN';
    const ours = taken ? { ...state, netns: undefined } : state;
    // A daemon that was cancelled before it wrote its pid file.
    await endOccupants(ours);
    await clear(ours);
    throw thrown;
  }
  return { sandbox: toSandbox(state), started: true };
}

/**
 * Stops the sandbox of a directory, whoever started it, and removes what it made: daemons, namespace, files, and the
 * directory of guests. Guests that run are the caller's to see to, where they are not in its namespace.
 * @returns false where there is none
 * @throws SANDBOX_BUSY where other processes are in its namespace, unless `force` ends them; NOT_PERMITTED,
 *   PROCESS_STUCK, PROGRAM_FAILED
 */
export async function stopSandbox(
  directory: string,
  options: { readonly force?: boolean | undefined } = {},
): Promise<boolean> {
  const state = await readState(resolve(directory));
  if (state === undefined) return false;
  if (options.force === true) await endOccupants(state);
  else await requireNoOccupants(state);
  await clear(state);
  return true;
}

/**
 * The sandbox that runs in a directory.
 * @throws SANDBOX_MISSING where there is none, SANDBOX_STALE where its daemons are not running
 */
export async function findSandbox(directory: string): Promise<Sandbox> {
  const state = await readState(resolve(directory));
  if (state === undefined) throw fail('SANDBOX_MISSING', { directory: resolve(directory) });
  const dead = (await daemonsOf(state)).filter((daemon) => daemon.running === undefined);
  const [first] = dead;
  if (first) throw fail('SANDBOX_STALE', { directory: state.directory, program: first.program });
  return toSandbox(state);
}

async function startAll(state: SandboxState, signal: AbortSignal | undefined): Promise<void> {
  if (state.netns !== undefined) await addNetns(state.netns, signal);
  await createDatabase(state, signal);
  await startDatabase(state, signal);
  if (state.datapath !== 'none') await startSwitch(state, signal);
}

/**
 * The processes in the namespace of a directory's sandbox that are not its daemons, as `tcpdump (pid 12)` by pid.
 * @returns `undefined` where there is no sandbox
 */
export async function processesInSandbox(
  directory: string,
): Promise<ReadonlyMap<number, string> | undefined> {
  const state = await readState(resolve(directory));
  if (state === undefined) return undefined;
  return new Map((await occupantsOf(state)).map((mark) => [mark.pid, describeProcess(mark)]));
}

/** Ends and removes everything that the note names; can be repeated after any interruption. */
async function clear(state: SandboxState): Promise<void> {
  await stopDaemons(state);
  const netns = await namespaceOf(state);
  if (netns !== undefined) await deleteNetns(netns);
  await rm(guestsDirectoryIn(state.directory), { recursive: true, force: true });
  for (const name of await readdir(state.directory)) {
    if (OUR_FILES.test(name)) await rm(`${state.directory}/${name}`, { force: true });
  }
  await clearState(state.directory);
  // Fails where someone put files of their own in it: then it stays.
  if (state.madeDirectory) await rmdir(state.directory).catch(() => undefined);
}

/** @returns true where the directory was made by us */
async function prepareDirectory(directory: string): Promise<boolean> {
  try {
    // Not recursive: a mistyped path is told instead of made, and Node's recursion never ends below /proc.
    await mkdir(directory, { mode: 0o755 });
    return true;
  } catch (thrown) {
    if (!isAlreadyThere(thrown)) throw unwritable(directory, thrown);
  }
  const [foreign] = await readdir(directory).catch((thrown: unknown) => {
    throw unwritable(directory, thrown);
  });
  if (foreign !== undefined) throw fail('SANDBOX_DIRECTORY_FOREIGN', { directory, file: foreign });
  return false;
}

function isAlreadyThere(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST';
}

function unwritable(path: string, thrown: unknown): VsbError {
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  return fail('FILE_UNWRITABLE', { path, why }, { cause: thrown });
}

function toSandbox(state: SandboxState): Sandbox {
  const { directory, datapath, netns } = state;
  return {
    directory,
    datapath,
    netns,
    remote: `unix:${directory}/db.sock`,
    guestsDirectory: guestsDirectoryIn(directory),
  };
}

/** Where guests that belong to a directory's sandbox live; it goes with the sandbox. */
export function guestsDirectoryIn(directory: string): string {
  return `${directory}/guests`;
}
