/** From what the host shows to the way of a NIC's packets. Pure. */
import type { ObservedDevice } from '../host/types.ts';
import type { HostFacts, NicFacts, Path, PortFacts, Remark, Step } from './path.ts';

/** The way of a NIC's packets, with what is broken and what makes it longer than it need be. */
export function toPath(facts: NicFacts, host: HostFacts): Path {
  const { vm, pid, nic } = facts;
  const way = wayOf(facts, host);
  return { vm, nic: nic.index, pid, mac: nic.mac, ...way, steps: [nicStep(facts), ...way.steps] };
}

type Way = Pick<Path, 'steps' | 'uplinks'>;

function wayOf(facts: NicFacts, host: HostFacts): Way {
  const { backend } = facts.nic;
  switch (backend.kind) {
    case 'tap':
      return tapWay(facts, backend.vhost, host);
    case 'vhost-user':
      return vhostUserWay(backend.socket, host);
    case 'passthrough':
      return { steps: [functionStep(backend.address, host)], uplinks: [] };
    case 'other':
      return { steps: [otherStep(facts, backend.type)], uplinks: [] };
  }
}

function nicStep({ vm, pid, nic }: NicFacts): Step {
  const isEmulated = /^(?:e1000|rtl8139)/.test(nic.model);
  const remarks = isEmulated
    ? [{ what: 'emulated: the guest stops at every access to its registers', remedy: 'use model: virtio' }]
    : [];
  const id = `nic:${String(pid)}:${vm}:${String(nic.index)}`;
  const name = nic.model.replace(/^(virtio-net)-.*/, '$1');
  return step({ id, kind: 'nic', name, detail: nic.mac, remarks });
}

function tapWay(facts: NicFacts, vhost: boolean, host: HostFacts): Way {
  const name = facts.device;
  if (name === undefined) {
    const problem = 'cannot see which device QEMU has open. Run as root, in its network namespace (--netns)';
    return {
      steps: [step({ id: `unknown:${nicStep(facts).id}`, kind: 'tap', name: '?', problem })],
      uplinks: [],
    };
  }
  const device = host.devices.get(name);
  const isMacvtap = device?.kind === 'macvtap';
  const remarks = vhostRemarks(facts, vhost, host);
  if (isMacvtap) return macvtapWay(device, vhost, remarks, host);
  const tap = step({
    ...{ id: `device:${name}`, kind: 'tap', name, detail: vhost ? 'vhost-net' : undefined, remarks },
    problem: device
      ? deviceProblem(device, 'QEMU does not have it open')
      : 'there is no such device here. Name its network namespace with --netns',
  });
  const behind = device ? switchWay(device, host) : { steps: [], uplinks: [] };
  return { ...behind, steps: [tap, ...behind.steps] };
}

function vhostRemarks({ nic }: NicFacts, vhost: boolean, { vhostObstacle }: HostFacts): Remark[] {
  if (vhost || !nic.model.startsWith('virtio-net')) return [];
  const what = 'no vhost: one more copy and two more switches of privilege';
  return [{ what, remedy: vhostObstacle ?? 'use backend: vhost-net' }];
}

function macvtapWay(
  device: ObservedDevice,
  vhost: boolean,
  remarks: readonly Remark[],
  { devices }: HostFacts,
): Way {
  const hidden = {
    what: 'no switch of this host sees this traffic',
    remedy: 'use a tap to see and to limit it',
  };
  const mode = `mode ${device.mode ?? 'unknown'}`;
  const macvtap = step({
    ...{ id: `device:${device.name}`, kind: 'macvtap', name: device.name },
    detail: vhost ? `${mode}, vhost-net` : mode,
    problem: deviceProblem(device, 'the device below it has none'),
    remarks: [...remarks, hidden],
  });
  const lower = device.lower === undefined ? undefined : devices.get(device.lower);
  return { steps: [macvtap], uplinks: lower ? [deviceStep(lower)] : [] };
}

/** The switch that a tap is plugged into. */
function switchWay(device: ObservedDevice, host: HostFacts): Way {
  const port = host.ports.find((each) => each.device === device.name);
  if (port) return openVSwitchWay(port, host);
  const master = device.master === undefined ? undefined : host.devices.get(device.master);
  if (master?.kind === 'bridge') return linuxBridgeWay(master, host);
  const problem =
    host.switchError === undefined
      ? `${device.name} is in no bridge: its VM reaches nobody. Run "vsb apply", or plug it in`
      : `${device.name} is in no Linux bridge, and Open vSwitch cannot be asked: ${host.switchError}`;
  return {
    steps: [step({ id: `none:${device.name}`, kind: 'bridge', name: 'no bridge', problem })],
    uplinks: [],
  };
}

function openVSwitchWay(port: PortFacts, { ports, devices }: HostFacts): Way {
  const limit = port.sentLimitKbps === undefined ? [] : [`sent ≤ ${port.sentLimitKbps} kbit/s`];
  const bridge = step({
    ...{ id: `bridge:${port.bridge}`, kind: 'bridge', name: port.bridge, detail: port.datapath },
    via: [`port ${port.ofport ?? 'none'}`, port.vlan, ...limit].join(', '),
    problem: portProblem(port),
    remarks: datapathRemarks(port),
  });
  const uplinks = ports
    .filter((each) => each.bridge === port.bridge && isUplink(each, devices))
    .map((each): Step => {
      const device = devices.get(each.device);
      const problem = portProblem(each) ?? (device && deviceProblem(device, 'no cable, or its peer is down'));
      const detail = each.type === 'system' ? undefined : each.type;
      const via = [`port ${each.ofport ?? 'none'}`, each.vlan].join(', ');
      return step({ id: `device:${each.device}`, kind: 'device', name: each.device, detail, via, problem });
    });
  return { steps: [bridge], uplinks };
}

/** The userspace datapath takes packets of a tap by a system call; those of vhost-user lie in shared memory. */
function datapathRemarks({ datapath, type }: PortFacts): Remark[] {
  if (datapath !== 'netdev' || type !== 'system') return [];
  return [
    {
      what: 'userspace datapath: each packet of a tap goes into and out of the kernel once more',
      remedy: 'load openvswitch and use datapath: system, or keep netdev with DPDK and backend: vhost-user',
    },
  ];
}

function portProblem({ device, error, ofport, link }: PortFacts): string | undefined {
  if (error !== undefined) return error;
  if (ofport === undefined) return `${device} has no OpenFlow port: see the log of ovs-vswitchd`;
  return link === 'down' ? `link of ${device} is down` : undefined;
}

function isUplink(port: PortFacts, devices: ReadonlyMap<string, ObservedDevice>): boolean {
  return (
    !port.isVm &&
    port.vhostSocket === undefined &&
    port.type !== 'internal' &&
    port.type !== 'patch' &&
    devices.get(port.device)?.kind !== 'tap'
  );
}

function linuxBridgeWay(bridge: ObservedDevice, { devices }: HostFacts): Way {
  const problem = bridge.isUp ? undefined : `it is down. Run: ip link set ${bridge.name} up`;
  const others = [...devices.values()].filter(({ master, kind }) => master === bridge.name && kind !== 'tap');
  const id = `bridge:${bridge.name}`;
  return {
    steps: [step({ id, kind: 'bridge', name: bridge.name, detail: 'Linux bridge', problem })],
    uplinks: others.map(deviceStep),
  };
}

function vhostUserWay(socket: string | undefined, host: HostFacts): Way {
  const port = host.ports.find(({ vhostSocket }) => socket !== undefined && vhostSocket === socket);
  const name = port?.device ?? socket ?? '?';
  const unplugged =
    host.switchError === undefined
      ? 'no port of Open vSwitch has this socket. Run "vsb apply"'
      : `Open vSwitch cannot be asked: ${host.switchError}`;
  const ring = step({
    ...{ id: `device:${name}`, kind: 'vhost-user', name, detail: 'shared memory' },
    problem: port ? undefined : unplugged,
  });
  const behind = port ? openVSwitchWay(port, host) : { steps: [], uplinks: [] };
  return { ...behind, steps: [ring, ...behind.steps] };
}

function functionStep(address: string, { functions }: HostFacts): Step {
  const driver = functions.get(address);
  const problem = !functions.has(address)
    ? 'there is no such PCI function on this host'
    : driver === 'vfio-pci'
      ? undefined
      : `bound to ${driver ?? 'no driver'}, not to vfio-pci`;
  const what = 'no switch of this host sees this traffic, and the VM cannot be moved while it runs';
  const remarks = [{ what, remedy: 'use a tap where that matters more than speed' }];
  return step({
    id: `function:${address}`,
    kind: 'function',
    name: address,
    detail: driver,
    problem,
    remarks,
  });
}

function otherStep(facts: NicFacts, type: string): Step {
  const id = `backend:${nicStep(facts).id}`;
  if (type === 'none') {
    const problem = 'nothing is behind this NIC: it has no -netdev';
    return step({ id, kind: 'backend', name: type, problem });
  }
  const remarks =
    type === 'user'
      ? [{ what: 'QEMU itself is the NAT router, in userspace', remedy: 'use a tap on a bridge' }]
      : [];
  return step({ id, kind: 'backend', name: type, remarks });
}

function deviceStep(device: ObservedDevice): Step {
  const problem = deviceProblem(device, 'no cable, or its peer is down');
  const { name, kind } = device;
  return step({
    id: `device:${name}`,
    kind: 'device',
    name,
    detail: kind === 'device' ? undefined : kind,
    problem,
  });
}

function deviceProblem({ name, isUp, hasCarrier }: ObservedDevice, why: string): string | undefined {
  if (!isUp) return `it is down. Run: ip link set ${name} up`;
  return hasCarrier ? undefined : `no carrier: ${why}`;
}

function step(
  known: Pick<Step, 'id' | 'kind' | 'name'> & {
    readonly [Key in 'detail' | 'via' | 'problem']?: string | undefined;
  } & { readonly remarks?: readonly Remark[] },
): Step {
  return { detail: undefined, via: undefined, problem: undefined, remarks: [], ...known };
}
