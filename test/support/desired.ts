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

export function nic(vm: string, index: number, settings: Partial<DesiredNic> = {}): DesiredNic {
  return {
    vm,
    vmUuid: `uuid-of-${vm}`,
    index,
    ifaceId: `iface-of-${vm}-${String(index)}`,
    network: 'web',
    bridge: 'br0',
    device: `${vm}-${String(index)}`,
    model: 'virtio',
    backend: 'tap',
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
      nics: nics.filter((each) => each.vm === vm),
    })),
  };
}
