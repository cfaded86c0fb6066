/** A private Open vSwitch for trying things: what the sandbox verb does, and the environment that points at it. */
import { basename, resolve } from 'node:path';
import { fail } from '../errors.ts';
import { listGuests, type ListedGuest } from '../guest/status.ts';
import { stopGuest } from '../guest/stop.ts';
import {
  findSandbox,
  guestsDirectoryIn,
  processesInSandbox,
  startSandbox,
  stopSandbox,
  type Sandbox,
} from '../sandbox/sandbox.ts';

export interface SandboxRequest {
  readonly directory: string;
  /** Default: `vsb-` and the directory's name. Only with devices. */
  readonly netns: string | undefined;
  readonly databaseOnly: boolean;
  readonly dummy: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** A sandbox with what other programs need to find it. */
export interface SandboxReport {
  readonly sandbox: Sandbox;
  /** Variables for vsb and for Open vSwitch's own tools; `undefined`: one that must not be set. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Starts a sandbox, or finds that it runs already.
 * @throws USAGE for a namespace's name that cannot be one; what sandbox/'s startSandbox throws
 */
export async function start(request: SandboxRequest): Promise<SandboxReport & { readonly started: boolean }> {
  const datapath = request.databaseOnly ? 'none' : request.dummy ? 'dummy' : 'netdev';
  const netns = datapath === 'netdev' ? (request.netns ?? defaultNetns(request.directory)) : undefined;
  // A namespace is a file of this name (ip-netns(8)).
  if (netns !== undefined && !/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/.test(netns)) {
    throw fail('USAGE', {
      what: `"${netns}" cannot name a network namespace: use letters, digits, "_", "-"`,
    });
  }
  const { directory, signal } = request;
  const { sandbox, started } = await startSandbox({ directory, datapath, netns, signal });
  return { ...report(sandbox), started };
}

/**
 * Stops the sandbox of a directory.
 * @returns false where there was none
 * @throws SANDBOX_BUSY where guests or other processes run in it, unless `force` ends them; what sandbox/'s stopSandbox
 *   and guest/'s stopGuest throw
 */
export async function stop(directory: string, options: { readonly force: boolean }): Promise<boolean> {
  const processes = await processesInSandbox(directory);
  if (processes === undefined) return false;
  const runDir = guestsDirectoryIn(resolve(directory));
  const guests = (await listGuests(runDir)).filter((guest) => guest.status === 'running');
  if (options.force) {
    await Promise.all(guests.map((guest) => stopGuest(guest, { runDir, force: true, powerdownMs: 0 })));
  } else if (guests.length > 0) {
    const others = new Map(processes);
    for (const { pid } of guests) others.delete(pid ?? 0);
    const occupants = [...guests.map(describeGuest), ...others.values()];
    throw fail('SANDBOX_BUSY', { directory: resolve(directory), occupants });
  }
  return stopSandbox(directory, options);
}

/** The sandbox that runs in a directory. @throws SANDBOX_MISSING, SANDBOX_STALE */
export async function find(directory: string): Promise<SandboxReport> {
  return report(await findSandbox(directory));
}

function describeGuest(guest: ListedGuest): string {
  return `virtual machine "${guest.vm}" of ${guest.topology} (pid ${String(guest.pid)})`;
}

function defaultNetns(directory: string): string {
  return `vsb-${basename(resolve(directory)).replaceAll(/[^A-Za-z0-9_.-]/g, '-')}`;
}

function report(sandbox: Sandbox): SandboxReport {
  const env = {
    VSB_REMOTE: sandbox.remote,
    VSB_OVS_RUNDIR: sandbox.directory,
    // One of another sandbox would lead there.
    VSB_NETNS: sandbox.netns,
    VSB_RUN_DIR: sandbox.guestsDirectory,
    // Read by ovs-vsctl, ovs-ofctl and ovs-appctl.
    OVS_RUNDIR: sandbox.directory,
  };
  return { sandbox, env };
}
