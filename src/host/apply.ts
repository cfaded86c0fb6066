/**
 * Makes the changes of diff.ts with `ip -batch`: one process for all devices of a phase, since 1,000 single calls take
 * seconds. A device that fails is told, and does not stop the others.
 */
import type { Applied, FailedChange, WaitOptions } from '../domain.ts';
import { fail, type VsbError } from '../errors.ts';
import { observeHost } from './observe.ts';
import { batch } from './ipbatch.ts';
import { readMark } from './mark.ts';
import { removeDevices } from './removedevices.ts';
import type { CreateTap, HostChange, ObservedHost, UpdateTap } from './types.ts';

/**
 * Makes changes. Devices whose owner mark is no longer what it was when the plan was made are left alone. Once begun it
 * goes on to its end, whatever the signal and the deadline (which is ovs-vswitchd's) say: a tap that was made and not
 * marked would be nobody's, and in the way of the next apply. 1,000 taps take some seconds.
 * @throws NOT_PERMITTED, NETNS_MISSING, PROGRAM_MISSING, PROGRAM_TIMEOUT, CANCELLED
 */
export async function applyToHost(
  changes: readonly HostChange[],
  netns: string | undefined,
  options: WaitOptions,
): Promise<Applied> {
  if (changes.length === 0) return { failed: [] };
  const failed: FailedChange[] = [];
  // The plan may have waited for consent for an hour: what is marked otherwise now is somebody else's.
  const now = await observeHost(netns, options.signal);
  const still = changes.filter((change) => {
    const error = objection(change, now);
    if (error) failed.push({ change, error });
    return error === undefined;
  });
  const removals = still.filter((change) => change.verb === 'remove');
  const updates = still.filter((change) => change.verb === 'update');
  const creations = still.filter((change) => change.verb === 'create');

  function noteFailures<C extends HostChange>(of: readonly C[], errors: ReadonlyMap<number, VsbError>): C[] {
    of.forEach((change, index) => {
      const error = errors.get(index);
      if (error) failed.push({ change, error });
    });
    return of.filter((_, index) => !errors.has(index));
  }
  async function phase<C extends HostChange>(of: readonly C[], command: (change: C) => string): Promise<C[]> {
    return noteFailures(of, await batch(of.map(command), netns));
  }
  async function remove(of: readonly HostChange[]): Promise<ReadonlyMap<number, VsbError>> {
    return removeDevices(
      of.map((change) => change.name),
      now,
      netns,
    );
  }

  noteFailures(removals, await remove(removals));
  await phase(updates, updateCommand);
  // A mark is only put on what this very phase has made: a name that was taken meanwhile fails here.
  const made = await phase(creations, createCommand);
  const marked = await phase(made, markCommand);
  // Without its mark nobody would ever remove it.
  await remove(made.filter((change) => !marked.includes(change)));
  failed.sort((a, b) => changes.findIndex((c) => c === a.change) - changes.findIndex((c) => c === b.change));
  return { failed };
}

function objection(change: HostChange, now: ObservedHost): VsbError | undefined {
  const device = now.devices.get(change.name);
  const details = { device: change.name, nic: change.nic ?? '', owner: readMark(device?.alias)?.topology };
  switch (change.verb) {
    case 'create':
      return device && fail('DEVICE_NOT_OURS', details);
    case 'update':
    case 'remove':
      if (!device) return change.verb === 'remove' ? undefined : fail('TAP_MISSING', details);
      return device.alias === change.aliasBefore ? undefined : fail('DEVICE_NOT_OURS', details);
  }
}

function createCommand(change: CreateTap): string {
  return `tuntap add dev ${change.name} mode tap${change.vnetHeader ? ' vnet_hdr' : ''}`;
}

function markCommand(change: CreateTap): string {
  return `link set dev ${change.name} up alias "${change.alias}"`;
}

function updateCommand(change: UpdateTap): string {
  return `link set dev ${change.name}${change.raise ? ' up' : ''} alias "${change.alias}"`;
}
