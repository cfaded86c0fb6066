/** A desired state of which only the taps matter. */
import type { DesiredNic, DesiredState } from '../../src/topology/desired.ts';
import { uuidFromNames } from '../../src/units/uuid.ts';
import { macFromHash } from '../../src/units/mac.ts';
import { toVlanId } from '../../src/units/vlan.ts';
import { PLAIN_NIC } from './desired.ts';

/** One VM with one NIC; the VM has the device's name unless another is given. */
export interface TapWish {
  readonly device: string;
  readonly vm?: string;
  readonly model?: DesiredNic['model'];
  readonly adopt?: boolean;
  /** What else is different from a plain tap on br0. */
  readonly nic?: Partial<DesiredNic>;
}

export function desiredTaps(topology: string, wishes: readonly TapWish[]): DesiredState {
  const tag = toVlanId(1);
  if (tag === undefined) throw new Error('no VLAN id');
  const vms = wishes.map((wish) => {
    const name = wish.vm ?? wish.device;
    const uuid = uuidFromNames(topology, name);
    const nic: DesiredNic = {
      vm: name,
      vmUuid: uuid,
      index: 0,
      ifaceId: uuidFromNames(topology, name, '0'),
      network: 'net',
      bridge: 'br0',
      linuxBridge: undefined,
      device: wish.device,
      model: wish.model ?? 'virtio',
      ...PLAIN_NIC,
      mac: macFromHash(Buffer.from(name.padEnd(3)).toString('hex')),
      ip: undefined,
      vlan: { mode: 'access', tag },
      limit: { sent: undefined, received: undefined },
      adopt: wish.adopt ?? false,
      ...wish.nic,
    };
    return { name, uuid, memoryBytes: 2 ** 28, cpus: 1, boot: undefined, disks: [], nics: [nic] };
  });
  return { name: topology, bridges: [], networks: [], vms };
}
