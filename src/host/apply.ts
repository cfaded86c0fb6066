/**
 * Makes the changes of diff.ts with `ip -batch`: one process for many devices, since 1,000 single calls take seconds. A
 * device that fails is told, and does not stop the others.
 */
import type { Applied, FailedChange, WaitOptions } from '../domain.ts';
import { fail, type VsbError } from '../errors.ts';
import { observeHost } from './observe.ts';
import { batch } from './ipbatch.ts';
import { makeDevices } from './makedevices.ts';
import { readMark } from './mark.ts';
import { wordsOf } from './obstacles.ts';
import { removeDevices } from './removedevices.ts';
import { updateCommand } from './commands.ts';
import type { DeviceSpec, HostChange, ObservedHost, UpdateDevice } from './types.ts';

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
  const removals = still.filter(isRemoved);
  const updates = still.filter(
    (change): change is UpdateDevice => change.verb === 'update' && !isRemoved(change),
  );

  function noteFailures<T>(
    of: readonly T[],
    errors: ReadonlyMap<number, VsbError>,
    changeOf: (one: T) => HostChange,
  ): T[] {
    of.forEach((one, index) => {
      const error = errors.get(index);
      if (error) failed.push({ change: changeOf(one), error });
    });
    return of.filter((_, index) => !errors.has(index));
  }
  const removing = await removeDevices(
    removals.map(({ name }) => name),
    now,
    netns,
  );
  const removed = noteFailures(removals, removing, (change) => change);
  const toMake: Making[] = [
    ...still.flatMap((change) => (change.verb === 'create' ? [{ change, spec: change.spec }] : [])),
    ...removed.flatMap((change) =>
      change.verb === 'update' && change.recreateAs ? [{ change, spec: change.recreateAs }] : [],
    ),
  ];
  // Bridges first, since taps are made as ports of them.
  toMake.sort((a, b) => Number(b.spec.kind === 'bridge') - Number(a.spec.kind === 'bridge'));
  const specs = toMake.map(({ spec }) => spec);
  noteFailures(toMake, await makeDevices(specs, netns), ({ change }) => change);
  await raiseAgain(specs, netns);
  noteFailures(updates, await batch(updates.map(updateCommand), netns), (change) => change);
  failed.sort((a, b) => changes.findIndex((c) => c === a.change) - changes.findIndex((c) => c === b.change));
  return { failed };
}

/**
 * Where ovs-vswitchd has a port of the name already, it opens the device the moment that it is there, and sets its flags
 * from those that it has read (SIOCGIFFLAGS, then SIOCSIFFLAGS): what was raised in between is down again.
 */
async function raiseAgain(specs: readonly DeviceSpec[], netns: string | undefined): Promise<void> {
  if (specs.length === 0) return;
  const { devices } = await observeHost(netns);
  const lowered = specs.filter(({ name }) => devices.get(name)?.isUp === false);
  await batch(
    lowered.map(({ name }) => `link set dev ${name} up`),
    netns,
  );
}

/** A device that is to be made, and the change that asks for it. */
interface Making {
  readonly change: HostChange;
  readonly spec: DeviceSpec;
}

function isRemoved(change: HostChange): boolean {
  return change.verb === 'remove' || (change.verb === 'update' && change.recreateAs !== undefined);
}

function objection(change: HostChange, now: ObservedHost): VsbError | undefined {
  const device = now.devices.get(change.name);
  const kind = change.kind === 'Linux bridge' ? 'bridge' : change.kind;
  const details = { device: change.name, wanted: wordsOf({ kind, nic: change.nic }) };
  const taken = fail('DEVICE_NOT_OURS', { ...details, owner: readMark(device?.alias)?.topology });
  switch (change.verb) {
    case 'create':
      return device && taken;
    case 'update':
    case 'remove':
      if (!device) return change.verb === 'remove' ? undefined : fail('DEVICE_MISSING', details);
      return device.alias === change.aliasBefore ? undefined : taken;
  }
}
