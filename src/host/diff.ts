/**
 * Compares the taps that a topology wants with the devices that are there. Pure: no I/O, no clock. Devices that are not
 * marked as this topology's are never changed, unless the file says `adopt: true`.
 */
import type { Diff, FieldChange, Refusal } from '../domain.ts';
import { fail } from '../errors.ts';
import { isOnTap, nicName, type DesiredNic, type DesiredState } from '../topology/desired.ts';
import { markFor, markOf, readMark } from './mark.ts';
import type { CreateTap, HostChange, ObservedDevice, ObservedHost, RemoveTap, UpdateTap } from './types.ts';

/** What has to be done so that each NIC has its tap, and no tap is left of NICs that are gone. Sorted by name. */
export function diffHost(desired: DesiredState, observed: ObservedHost): Diff<HostChange> {
  const nics = desired.vms.flatMap((vm) => vm.nics.filter(isOnTap));
  const found = nics.map((nic) => compare(desired.name, nic, observed.devices.get(nic.device)));
  const wanted = new Set(nics.map((nic) => nic.device));
  const gone = leaving(desired.name, observed, wanted, 'the topology has no NIC for it any more');
  return {
    changes: [...found.flatMap((one) => one.change ?? []), ...gone].sort(byName),
    refusals: found.flatMap((one) => one.refusal ?? []).sort(byName),
  };
}

/** What has to go so that no device of this topology is left. Sorted by name. */
export function removalFromHost(topologyName: string, observed: ObservedHost): Diff<HostChange> {
  const gone = leaving(topologyName, observed, new Set(), `topology "${topologyName}" is destroyed`);
  return { changes: gone.sort(byName), refusals: [] };
}

/** Why a device cannot be a NIC's tap, or `undefined` where it can. */
export function refusalOf(
  topologyName: string,
  nic: DesiredNic,
  device: ObservedDevice,
): Refusal | undefined {
  const about = { domain: 'host', kind: 'tap', name: device.name } as const;
  if (device.kind !== 'tap') {
    const details = { device: device.name, nic: nicName(nic), kind: device.kind };
    return { ...about, error: fail('DEVICE_NOT_A_TAP', details) };
  }
  if (markFor(topologyName, device.alias) || nic.adopt) return undefined;
  const owner = readMark(device.alias)?.topology;
  return { ...about, error: fail('DEVICE_NOT_OURS', { device: device.name, nic: nicName(nic), owner }) };
}

function compare(
  topologyName: string,
  nic: DesiredNic,
  device: ObservedDevice | undefined,
): { readonly change?: HostChange | undefined; readonly refusal?: Refusal | undefined } {
  if (!device) return { change: creation(topologyName, nic) };
  const refusal = refusalOf(topologyName, nic, device);
  return refusal ? { refusal } : { change: correction(topologyName, nic, device) };
}

function creation(topologyName: string, nic: DesiredNic): CreateTap {
  const alias = markOf(topologyName, nic, false);
  return {
    domain: 'host',
    verb: 'create',
    kind: 'tap',
    name: nic.device,
    nic: nicName(nic),
    reason: `NIC ${nicName(nic)} has no tap`,
    impact: 'none',
    fields: [
      { field: 'alias', from: undefined, to: alias },
      { field: 'state', from: undefined, to: 'up' },
    ],
    alias,
    vnetHeader: nic.model === 'virtio',
  };
}

/** @returns `undefined` where the tap is as it should be */
function correction(topologyName: string, nic: DesiredNic, device: ObservedDevice): UpdateTap | undefined {
  const mark = markFor(topologyName, device.alias);
  const alias = markOf(topologyName, nic, mark ? mark.isAdopted : true);
  const fields: FieldChange[] = [];
  const reasons: string[] = [];
  if (alias !== device.alias) {
    fields.push({ field: 'alias', from: device.alias, to: alias });
    reasons.push(
      mark
        ? `it was the tap of ${mark.nic}`
        : 'it was made by something else, and the file says "adopt: true"',
    );
  }
  if (!device.isUp) {
    fields.push({ field: 'state', from: 'down', to: 'up' });
    reasons.push('it is down');
  }
  if (fields.length === 0) return undefined;
  return {
    domain: 'host',
    verb: 'update',
    kind: 'tap',
    name: nic.device,
    nic: nicName(nic),
    reason: reasons.join('; '),
    impact: 'none',
    fields,
    aliasBefore: device.alias,
    alias,
    raise: !device.isUp,
  };
}

function leaving(
  topologyName: string,
  observed: ObservedHost,
  wanted: ReadonlySet<string>,
  reason: string,
): (RemoveTap | UpdateTap)[] {
  return [...observed.devices.values()].flatMap((device): (RemoveTap | UpdateTap)[] => {
    const mark = markFor(topologyName, device.alias);
    if (!mark || device.alias === undefined || wanted.has(device.name)) return [];
    const fields = [{ field: 'alias', from: device.alias, to: undefined }];
    const about = { domain: 'host', kind: 'tap', name: device.name, nic: mark.nic, fields } as const;
    const { alias: aliasBefore, hasCarrier } = device;
    if (mark.isAdopted || device.kind !== 'tap') {
      const release = `${reason}; it was there before, so only the owner mark goes`;
      const change = { verb: 'update', reason: release, impact: 'none', alias: '', raise: false } as const;
      return [{ ...about, ...change, aliasBefore }];
    }
    const removal = { ...about, verb: 'remove', reason, aliasBefore } as const;
    if (!hasCarrier) return [{ ...removal, impact: 'none' }];
    const collateral = [`the guest that runs on ${device.name} (${mark.nic}) is cut off`];
    return [{ ...removal, impact: 'traffic-gap', collateral }];
  });
}

/** By code unit, so that the same state gives the same order everywhere. */
function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
