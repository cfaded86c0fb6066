/**
 * Makes devices so that none is ever left without its owner mark, even where vsb is killed: a device and its mark are
 * neighbours in one batch, which `ip` has as a whole before it begins and takes to its end without us.
 */
import type { VsbError } from '../errors.ts';
import { createCommands } from './commands.ts';
import { batch } from './ipbatch.ts';
import type { DeviceSpec } from './types.ts';

/** At most 60 KiB of commands: what the way to `ip` holds at once, so that no batch is cut off. */
const AT_ONCE = 100;

/**
 * Makes devices, marks them and gives them their settings, in their order. One that fails does not stop the next; where
 * only a setting failed the device is there and marked, for the next apply to correct or destroy to remove.
 * @returns the error of each that failed, by its place in `specs`
 * @throws as `batch`
 */
export async function makeDevices(
  specs: readonly DeviceSpec[],
  netns: string | undefined,
): Promise<ReadonlyMap<number, VsbError>> {
  const errors = new Map<number, VsbError>();
  let next = 0;
  while (next < specs.length) {
    const commands = specs
      .slice(next, next + AT_ONCE)
      .flatMap((spec, place) => createCommands(spec).map((command) => ({ command, index: next + place })));
    // It stops at a failure: a mark must not get onto a device of somebody else that has the name.
    const failures = await batch(
      commands.map(({ command }) => command),
      netns,
      'stop',
    );
    next = Math.min(next + AT_ONCE, specs.length);
    for (const [place, error] of failures) {
      const failed = commands[place]?.index;
      if (failed === undefined) continue;
      errors.set(failed, error);
      next = failed + 1;
    }
  }
  return errors;
}
