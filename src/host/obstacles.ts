/** Why a device cannot be what a topology wants of it. Pure. */
import { fail, type VsbError } from '../errors.ts';
import { markFor, readMark } from './mark.ts';
import type { DeviceSpec, MacvtapSpec, ObservedDevice, ObservedHost } from './types.ts';

/** Why the device that has the name cannot be used, or `undefined` where it can. */
export function obstacleOf(
  topologyName: string,
  spec: DeviceSpec,
  device: ObservedDevice,
): VsbError | undefined {
  const wanted = { device: spec.name, wanted: wordsOf(spec) };
  if (device.kind !== spec.kind) return fail('DEVICE_OF_OTHER_KIND', { ...wanted, kind: device.kind });
  if (markFor(topologyName, device.alias) || spec.adopt) return undefined;
  // A bridge of somebody else is used as it is.
  if (spec.kind === 'bridge')
    return device.isUp ? undefined : fail('LINUX_BRIDGE_DOWN', { bridge: spec.name });
  return fail('DEVICE_NOT_OURS', { ...wanted, owner: readMark(device.alias)?.topology });
}

/** Why no macvtap can be made on the device below, or `undefined` where one can. */
export function obstacleBelow(spec: MacvtapSpec, observed: ObservedHost): VsbError | undefined {
  const details = { device: spec.lower, nic: spec.nic ?? '' };
  const lower = observed.devices.get(spec.lower);
  if (!lower) return fail('MACVTAP_DEVICE_MISSING', { ...details, present: [...observed.devices.keys()] });
  if (lower.mac === undefined || lower.kind === 'macvtap' || lower.kind === 'macvlan')
    return fail('MACVTAP_DEVICE_UNFIT', {
      ...details,
      kind: lower.mac === undefined ? 'no Ethernet' : lower.kind,
    });
  if (lower.master !== undefined)
    return fail('MACVTAP_DEVICE_IN_BRIDGE', { ...details, master: lower.master });
  if (!lower.isUp) return fail('MACVTAP_DEVICE_DOWN', details);
  const others = [...observed.devices.values()].filter(
    ({ name, lower: below, mode }) => name !== spec.name && below === spec.lower && mode !== undefined,
  );
  // The kernel gives a device to one macvtap alone, or to any number in the other modes.
  const other = others.find(({ mode }) => spec.mode === 'passthru' || mode === 'passthru');
  return other && fail('MACVTAP_DEVICE_BUSY', { ...details, other: other.name, mode: other.mode ?? '' });
}

/** `the tap of web1:0` */
export function wordsOf({ kind, nic }: Pick<DeviceSpec, 'kind' | 'nic'>): string {
  return kind === 'bridge' ? 'a Linux bridge' : `the ${kind} of ${nic ?? ''}`;
}
