/**
 * Makes the changes of diff.ts with `ip -batch`: one process for all devices of a phase, since 1,000 single calls take
 * seconds. A device that fails is told, and does not stop the others.
 */
import type { Applied, FailedChange, WaitOptions } from '../domain.ts';
import { fail, type VsbError } from '../errors.ts';
import { observeHost } from './observe.ts';
import { batch } from './ipbatch.ts';
import { readMark } from './mark.ts';
import { wordsOf } from './obstacles.ts';
import { removeDevices } from './removedevices.ts';
import { createCommand, markCommand, updateCommand } from './commands.ts';
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
  async function phase<T>(
    of: readonly T[],
    command: (one: T) => string,
    changeOf: (one: T) => HostChange,
  ): Promise<T[]> {
    return noteFailures(of, await batch(of.map(command), netns), changeOf);
  }
  async function remove(names: readonly string[]): Promise<ReadonlyMap<number, VsbError>> {
    return removeDevices(names, now, netns);
  }

  const removed = noteFailures(removals, await remove(removals.map(({ name }) => name)), (change) => change);
  // Bridges first, since taps are made as ports of them; each is marked before the next kind is made.
  const toMake: Making[] = [
    ...still.flatMap((change) => (change.verb === 'create' ? [{ change, spec: change.spec }] : [])),
    ...removed.flatMap((change) =>
      change.verb === 'update' && change.recreateAs ? [{ change, spec: change.recreateAs }] : [],
    ),
  ];
  const isBridge = ({ spec }: Making): boolean => spec.kind === 'bridge';
  for (const makings of [toMake.filter(isBridge), toMake.filter((making) => !isBridge(making))]) {
    // A mark is only put on what this very phase has made: a name that was taken meanwhile fails here.
    const made = await phase(
      makings,
      ({ spec }) => createCommand(spec),
      ({ change }) => change,
    );
    const marked = await phase(
      made,
      ({ spec }) => markCommand(spec),
      ({ change }) => change,
    );
    // Without its mark nobody would ever remove it.
    await remove(made.filter((making) => !marked.includes(making)).map(({ spec }) => spec.name));
  }
  await phase(updates, updateCommand, (change) => change);
  failed.sort((a, b) => changes.findIndex((c) => c === a.change) - changes.findIndex((c) => c === b.change));
  return { failed };
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
