/** What this host cannot give a VM's NICs, found before it starts: QEMU would name a file, and libvirt try. */
import { fail } from '../errors.ts';
import { passthroughObstacle } from '../host/passthrough.ts';
import { observePci } from '../host/pci.ts';
import { vhostNetObstacle } from '../host/vhostnet.ts';
import { nicName, type DesiredVm } from '../topology/desired.ts';

/**
 * @param runner libvirt takes a function from its driver by itself (`managed`), also one that the host needs
 * @throws VHOST_NET_UNAVAILABLE, what host/'s passthroughObstacle says
 */
export async function requireBackends({ nics }: DesiredVm, runner: 'qemu' | 'libvirt'): Promise<void> {
  const vhost = nics.find(({ backend }) => backend.kind === 'vhost-net');
  const why = vhost && (await vhostNetObstacle());
  if (vhost && why !== undefined) throw fail('VHOST_NET_UNAVAILABLE', { nic: nicName(vhost), why });

  const addresses = nics.flatMap(({ backend }) => (backend.kind === 'passthrough' ? [backend.address] : []));
  if (addresses.length === 0) return;
  const inventory = await observePci();
  for (const address of addresses) {
    const obstacle = passthroughObstacle(address, inventory);
    if (obstacle && !(runner === 'libvirt' && obstacle.code === 'PCI_DRIVER')) throw obstacle;
  }
}
