/**
 * Removes many devices at once. One by one the kernel waits 15 ms for each (17 s for 1,000); a device group (ip-link(8))
 * goes in one step, 0.1 s for 200.
 */
import type { VsbError } from '../errors.ts';
import { batch } from './ipbatch.ts';
import type { ObservedHost } from './types.ts';

/** Groups are 32-bit numbers that nobody hands out; this one spells "VB". */
const FIRST_GROUP = 0x5642_0000;

/**
 * @param now what is there, so that a group is taken that nobody else uses
 * @returns the error of each device that could not be removed, by its place in `names`
 * @throws as `batch`
 */
export async function removeDevices(
  names: readonly string[],
  now: ObservedHost,
  netns: string | undefined,
): Promise<ReadonlyMap<number, VsbError>> {
  if (names.length === 0) return new Map();
  const group = freeGroup(now);
  const commands = names.map((name) => `link set dev ${name} group ${group}`);
  const errors = await batch([...commands, `link delete group ${group}`], netns);
  const allFailed = errors.get(names.length);
  if (!allFailed) return errors;
  return new Map(names.map((_, index) => [index, errors.get(index) ?? allFailed]));
}

function freeGroup(now: ObservedHost): string {
  const taken = new Set([...now.devices.values()].map((device) => device.group));
  let group = FIRST_GROUP;
  while (taken.has(String(group))) group++;
  return String(group);
}
