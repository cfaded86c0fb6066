/** Tells which NICs have no working device, although everything was applied. Pure; observe.ts observes. */
import type { Finding } from '../domain.ts';
import { fail, type VsbError } from '../errors.ts';
import type { DesiredState } from '../topology/desired.ts';
import { diffHost, kindName } from './diff.ts';
import { markFor } from './mark.ts';
import { obstacleOf, wordsOf } from './obstacles.ts';
import { deviceSpecs } from './specs.ts';
import type { DeviceSpec, ObservedHost, UpdateDevice } from './types.ts';

/** One finding for each device that is missing, down, not ours, or not as it was made; sorted by device. */
export function findingsOnHost(desired: DesiredState, observed: ObservedHost): readonly Finding[] {
  const changed = new Map(
    diffHost(desired, observed).changes.flatMap((change) =>
      change.verb === 'update' ? [[change.name, change] as const] : [],
    ),
  );
  return deviceSpecs(desired)
    .flatMap((spec) => {
      const error = problemOf(desired.name, spec, observed, changed.get(spec.name));
      return error ? [toFinding(spec, error)] : [];
    })
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function problemOf(
  topologyName: string,
  spec: DeviceSpec,
  observed: ObservedHost,
  change: UpdateDevice | undefined,
): VsbError | undefined {
  const details = { device: spec.name, wanted: wordsOf(spec) };
  const device = observed.devices.get(spec.name);
  if (!device) return fail('DEVICE_MISSING', details);
  const obstacle = obstacleOf(topologyName, spec, device);
  if (obstacle) return obstacle;
  const isForeign = spec.kind !== 'bridge' && !markFor(topologyName, device.alias);
  if (isForeign) return fail('DEVICE_NOT_OURS', { ...details, owner: undefined });
  if (!device.isUp) return fail('DEVICE_DOWN', details);
  return change && fail('DEVICE_DIFFERS', { ...details, how: change.reason });
}

function toFinding(spec: DeviceSpec, { code, message }: VsbError): Finding {
  const nic = spec.nic === undefined ? {} : { nic: spec.nic };
  return { domain: 'host', code, kind: kindName(spec), name: spec.name, ...nic, message };
}
