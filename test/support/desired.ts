/** Desired states for tests, as short as the test's point allows. */
import type { DesiredBridge, DesiredNic, DesiredState } from '../../src/topology/desired.ts';
import { toMac, type Mac } from '../../src/units/mac.ts';
import { toVlanId, type VlanId } from '../../src/units/vlan.ts';

export function vlanId(value: number): VlanId {
  const id = toVlanId(value);
  if (id === undefined) throw new Error(`no VLAN id: ${String(value)}`);
  return id;
}

export function mac(text: string): Mac {
  const address = toMac(text);
  if (address === undefined) throw new Error(`no MAC: ${text}`);
  return address;
}

export function bridge(name: string, settings: Partial<DesiredBridge> = {}): DesiredBridge {
  return {
    name,
    datapath: 'netdev',
    rstp: undefined,
    mcastSnooping: undefined,
    visibility: 'ports',
    adopt: false,
    uplinks: [],
    ...settings,
  };
}

/** What a NIC is of which the file says nothing. */
export const PLAIN_NIC = {
  backend: { kind: 'tap' },
  queues: 1,
  ring: { rx: undefined, tx: undefined },
  offloads: { csum: true, tso: true, ufo: true },
  mtu: undefined,
} as const satisfies Partial<DesiredNic>;

export function nic(vm: string, index: number, settings: Partial<DesiredNic> = {}): DesiredNic {
  return {
    vm,
    vmUuid: `uuid-of-${vm}`,
    index,
    ifaceId: `iface-of-${vm}-${String(index)}`,
    network: 'web',
    bridge: 'br0',
    linuxBridge: undefined,
    device: `${vm}-${String(index)}`,
    model: 'virtio',
    ...PLAIN_NIC,
    mac: mac('52:54:00:10:00:01'),
    ip: undefined,
    vlan: { mode: 'access', tag: vlanId(10) },
    limit: { sent: undefined, received: undefined },
    adopt: false,
    ...settings,
  };
}

/** A state with these bridges and NICs; VMs are made of the NICs. */
export function desiredState(
  name: string,
  bridges: readonly DesiredBridge[],
  nics: readonly DesiredNic[],
): DesiredState {
  const names = [...new Set(nics.map((each) => each.vm))];
  return {
    name,
    bridges,
    networks: [],
    vms: names.map((vm) => ({
      name: vm,
      uuid: `uuid-of-${vm}`,
      memoryBytes: 2 ** 28,
      cpus: 1,
      boot: undefined,
      disks: [],
      nics: nics.filter((each) => each.vm === vm),
    })),
  };
}
