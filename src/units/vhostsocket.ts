/** Where QEMU and Open vSwitch meet for a vhost-user port. Pure. */
import { join } from 'node:path';

/**
 * The socket in the VM's run directory on which QEMU listens and which Open vSwitch calls.
 * @param runDir absolute
 * @param device the port's name
 */
export function vhostSocketPath(runDir: string, topology: string, vm: string, device: string): string {
  return join(runDir, topology, vm, `${device}.sock`);
}
