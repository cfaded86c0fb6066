/** NICs whose backend this host cannot give them, where no device of the kernel is made for it. Pure. */
import type { Refusal } from '../domain.ts';
import { fail, type VsbError } from '../errors.ts';
import { nicName, type DesiredNic, type DesiredState } from '../topology/desired.ts';
import { groupMembers, passthroughObstacle } from './passthrough.ts';
import type { PciInventory } from './pci.ts';
import type { ObservedHost } from './types.ts';

/** What only a host with vhost_net has. */
export function vhostNetRefusals(
  desired: DesiredState,
  { vhostNetObstacle: why }: ObservedHost,
): readonly Refusal[] {
  if (why === undefined) return [];
  return desired.vms
    .flatMap((vm) => vm.nics)
    .filter(({ backend }) => backend.kind === 'vhost-net')
    .map((nic) => ({
      domain: 'host',
      kind: 'tap',
      name: nic.device,
      error: fail('VHOST_NET_UNAVAILABLE', { nic: nicName(nic), why }),
    }));
}

/** PCI functions that a guest cannot have, and such as another guest has or would get. */
export function passthroughRefusals(desired: DesiredState, observed: ObservedHost): readonly Refusal[] {
  const { pci } = observed;
  if (!pci) return [];
  const takers = desired.vms
    .flatMap((vm) => vm.nics)
    .flatMap((nic) => (nic.backend.kind === 'passthrough' ? { nic, address: nic.backend.address } : []));
  return takers.flatMap(({ nic, address }, place): Refusal[] => {
    const error =
      passthroughObstacle(address, pci) ??
      takenElsewhere(nic, address, pci, observed) ??
      sharedWith({ nic, address }, takers.slice(0, place), pci);
    return error ? [{ domain: 'host', kind: 'PCI function', name: nicName(nic), error }] : [];
  });
}

interface Taker {
  readonly nic: DesiredNic;
  readonly address: string;
}

/** By a guest that runs now; vfio hands out an IOMMU group to one process. */
function takenElsewhere(
  nic: DesiredNic,
  address: string,
  pci: PciInventory,
  { pciUsers }: ObservedHost,
): VsbError | undefined {
  for (const taken of [address, ...groupOf(address, pci)]) {
    const user = pciUsers?.get(taken);
    if (user && user.uuid !== nic.vmUuid)
      return fail('PCI_IN_USE', { address, nic: nicName(nic), taken, pid: user.pid });
  }
  return undefined;
}

/** By another VM of the same file. The first one keeps it. */
function sharedWith(one: Taker, before: readonly Taker[], pci: PciInventory): VsbError | undefined {
  const members = groupOf(one.address, pci);
  const other = before.find(({ nic, address }) => nic.vm !== one.nic.vm && members.includes(address));
  return (
    other &&
    fail('PCI_GROUP_SPLIT', {
      address: one.address,
      nic: nicName(one.nic),
      other: other.address,
      otherNic: nicName(other.nic),
    })
  );
}

function groupOf(address: string, pci: PciInventory): string[] {
  const found = pci.get(address);
  return found ? groupMembers(found, pci).map((member) => member.address) : [];
}
