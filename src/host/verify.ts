/** Tells which NICs have no working tap, although everything was applied. Pure; taps.ts observes. */
import type { Finding } from '../domain.ts';
import { fail, type VsbError } from '../errors.ts';
import { isOnTap, nicName, type DesiredNic, type DesiredState } from '../topology/desired.ts';
import { refusalOf } from './diff.ts';
import { markFor } from './mark.ts';
import type { ObservedHost } from './types.ts';

/** One finding for each NIC whose tap is missing, down, or not ours; sorted by device. */
export function findingsOnHost(desired: DesiredState, observed: ObservedHost): readonly Finding[] {
  return desired.vms
    .flatMap((vm) => vm.nics.filter(isOnTap))
    .flatMap((nic) => {
      const error = problemOf(desired.name, nic, observed);
      return error ? [toFinding(nic, error)] : [];
    })
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function problemOf(topologyName: string, nic: DesiredNic, observed: ObservedHost): VsbError | undefined {
  const details = { device: nic.device, nic: nicName(nic) };
  const device = observed.devices.get(nic.device);
  if (!device) return fail('TAP_MISSING', details);
  const refusal = refusalOf(topologyName, nic, device);
  if (refusal) return refusal.error;
  if (!markFor(topologyName, device.alias)) return fail('DEVICE_NOT_OURS', { ...details, owner: undefined });
  return device.isUp ? undefined : fail('TAP_DOWN', details);
}

function toFinding(nic: DesiredNic, error: VsbError): Finding {
  const { code, message } = error;
  return { domain: 'host', code, kind: 'tap', name: nic.device, nic: nicName(nic), message };
}
