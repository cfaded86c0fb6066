/** Every device that a topology wants of the kernel. Pure. */
import { nicName, type DesiredNic, type DesiredState } from '../topology/desired.ts';
import { markOf, markOfBridge } from './mark.ts';
import type { DeviceSpec, LinuxBridgeSpec } from './types.ts';

/** Bridges before what joins them; a NIC without a device of the kernel (vhost-user, passthrough) has none. */
export function deviceSpecs(desired: DesiredState): DeviceSpec[] {
  const nics = desired.vms.flatMap((vm) => vm.nics);
  const bridges = [...new Set(nics.flatMap(({ linuxBridge }) => linuxBridge ?? []))];
  return [
    ...bridges.map((name) => bridgeSpec(desired.name, name)),
    ...nics.flatMap((nic) => nicSpec(desired.name, nic)),
  ];
}

function bridgeSpec(topology: string, name: string): LinuxBridgeSpec {
  return {
    kind: 'bridge',
    name,
    nic: undefined,
    mark: markOfBridge(topology),
    // A bridge that is there is used as it is, and nobody's mark changes.
    adoptedMark: markOfBridge(topology),
    adopt: false,
    mtu: undefined,
  };
}

function nicSpec(topology: string, nic: DesiredNic): DeviceSpec[] {
  const { backend } = nic;
  const common = {
    name: nic.device,
    nic: nicName(nic),
    mark: markOf(topology, nic, false),
    adoptedMark: markOf(topology, nic, true),
    adopt: nic.adopt,
    mtu: nic.mtu,
  };
  switch (backend.kind) {
    case 'tap':
    case 'vhost-net':
      return [
        {
          ...common,
          kind: 'tap',
          vnetHeader: nic.model === 'virtio',
          multiQueue: nic.queues > 1,
          linuxBridge: nic.linuxBridge,
        },
      ];
    case 'macvtap':
      return [{ ...common, kind: 'macvtap', lower: backend.device, mode: backend.mode, mac: nic.mac }];
    case 'vhost-user':
    case 'passthrough':
      return [];
  }
}
