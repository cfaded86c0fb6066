/** Why a guest cannot have a PCI function. Pure; pci.ts reads the inventory. */
import { fail, type VsbError } from '../errors.ts';
import type { PciFunction, PciInventory } from './pci.ts';

/**
 * Why the function cannot be handed to a guest, or `undefined` where it can: PCI_MISSING, PCI_NOT_NETWORK,
 * PCI_DEFAULT_ROUTE, PCI_NO_IOMMU, PCI_DRIVER, PCI_GROUP_IN_USE. What would hurt the host comes first.
 */
export function passthroughObstacle(address: string, inventory: PciInventory): VsbError | undefined {
  const found = inventory.get(address);
  if (!found) return fail('PCI_MISSING', { address, present: presentIn(inventory), vf: hintOn(inventory) });
  if (!isNetwork(found)) return fail('PCI_NOT_NETWORK', { address, classCode: found.class });
  const route = [found, ...virtualFunctionsOf(found, inventory)]
    .flatMap(({ netdevs }) => netdevs)
    .find(({ isDefaultRoute }) => isDefaultRoute);
  if (route) return fail('PCI_DEFAULT_ROUTE', { address, device: route.name });
  if (found.iommuGroup === undefined) return fail('PCI_NO_IOMMU', { address });
  if (found.driver !== 'vfio-pci') return fail('PCI_DRIVER', { address, driver: found.driver });
  const other = groupMembers(found, inventory).find(isHeldByHost);
  return (
    other &&
    fail('PCI_GROUP_IN_USE', {
      address,
      group: found.iommuGroup,
      other: other.address,
      driver: other.driver ?? '',
    })
  );
}

/** The other functions of its IOMMU group, which go to a guest together or not at all. */
export function groupMembers(one: PciFunction, inventory: PciInventory): PciFunction[] {
  if (one.iommuGroup === undefined) return [];
  return [...inventory.values()].filter(
    ({ address, iommuGroup }) => iommuGroup === one.iommuGroup && address !== one.address,
  );
}

/** Whether it is a network controller (PCI Code and ID Assignment: base class 02). */
function isNetwork({ class: code }: PciFunction): boolean {
  return code.startsWith('02');
}

/** Drivers beside which vfio hands out a group (docs.kernel.org/driver-api/vfio.html): its own, stub, ports of bridges. */
const HARMLESS: ReadonlySet<string> = new Set(['vfio-pci', 'pci-stub', 'pcieport', 'shpchp']);

function isHeldByHost({ driver }: PciFunction): boolean {
  return driver !== undefined && !HARMLESS.has(driver);
}

/** A physical function takes its virtual ones along. */
function virtualFunctionsOf({ virtualFunctions }: PciFunction, inventory: PciInventory): PciFunction[] {
  return virtualFunctions.flatMap((address) => inventory.get(address) ?? []);
}

function presentIn(inventory: PciInventory): string[] {
  return [...inventory.values()].filter(isNetwork).map(({ address }) => address);
}

/** The first physical function that could have more virtual ones: often the one that was meant has not been made. */
function hintOn(inventory: PciInventory): { address: string; made: number; most: number } | undefined {
  for (const { address, vfs } of inventory.values())
    if (vfs && vfs.made < vfs.most) return { address, ...vfs };
  return undefined;
}
