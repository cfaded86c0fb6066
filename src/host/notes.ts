/** What the choice of a NIC's model and backend costs, for the reader of a plan. Pure. */
import { nicName, type DesiredNic, type DesiredState } from '../topology/desired.ts';

/** One line for each kind of cost, with the NICs that pay it. */
export function notesOn(desired: DesiredState): string[] {
  const nics = desired.vms.flatMap((vm) => vm.nics);
  const unseen = nics.filter(({ backend }) => backend.kind === 'macvtap' || backend.kind === 'passthrough');
  const emulated = nics.filter(({ model, backend }) => model !== 'virtio' && backend.kind !== 'passthrough');
  return [
    ...(unseen.length === 0
      ? []
      : [
          `${namesOf(unseen)}: no switch sees this traffic (macvtap, passthrough), so there are no figures, no pairs, no VLAN and no limit for it`,
        ]),
    ...(emulated.length === 0
      ? []
      : [
          `${namesOf(emulated)}: e1000 and rtl8139 are emulated register by register, which costs an exit from the guest for each; virtio is the faster one wherever the guest has its driver (docs/nic-paths.md)`,
        ]),
  ];
}

/** More than that many are counted. */
const MOST_NAMES = 5;

function namesOf(nics: readonly DesiredNic[]): string {
  const names = nics.slice(0, MOST_NAMES).map(nicName).join(', ');
  return nics.length > MOST_NAMES ? `${names} and ${String(nics.length - MOST_NAMES)} more` : names;
}
