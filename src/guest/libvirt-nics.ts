/**
 * NICs as libvirt's `<interface>` and `<hostdev>`. Pure.
 *
 * Either libvirt makes the host's end and plugs it in (`ports: 'libvirt'`), which needs nothing of vsb but leaves nothing
 * of it after the VM's end; or it opens what `vsb apply` has made, whose port with its VLAN, limit and counters stays
 * (`ports: 'vsb'`). Both at once would fight over the same rows.
 */
import type { DesiredNic } from '../topology/desired.ts';
import type { VlanMode } from '../units/vlan.ts';

/** An element: attributes begin with `@`, `#text` is its text, a list stands for several of a name. */
export interface XmlNode {
  readonly [name: string]: string | XmlNode | readonly XmlNode[];
}

export interface NicSurroundings {
  /** Who makes the host's end of a NIC and plugs it in. */
  readonly ports: 'vsb' | 'libvirt';
  /** Where QEMU listens for Open vSwitch, for a vhost-user NIC. */
  readonly vhostSocket: (nic: DesiredNic) => string;
  /** Whether QEMU may use the virtio-net header on a NIC's tap (offload.ts). */
  readonly vnetHeader: (nic: DesiredNic) => 'on' | 'off';
}

/** The NICs of a VM: those that libvirt calls interfaces, and the functions that it hands over. */
export function interfacesOf(
  nics: readonly DesiredNic[],
  surroundings: NicSurroundings,
): { readonly interfaces: readonly XmlNode[]; readonly hostdevs: readonly XmlNode[] } {
  const interfaces: XmlNode[] = [];
  const hostdevs: XmlNode[] = [];
  for (const nic of nics) {
    if (nic.backend.kind === 'passthrough') hostdevs.push(hostdevOf(nic.backend.address));
    else interfaces.push(interfaceOf(nic, surroundings));
  }
  return { interfaces, hostdevs };
}

function interfaceOf(nic: DesiredNic, surroundings: NicSurroundings): XmlNode {
  return {
    ...connectionOf(nic, surroundings),
    mac: { '@address': nic.mac },
    model: { '@type': nic.model },
    ...driverOf(nic, surroundings),
    ...(nic.mtu === undefined ? {} : { mtu: { '@size': String(nic.mtu) } }),
    // No boot ROM: nothing boots from the network.
    rom: { '@enabled': 'no' },
    alias: { '@name': `ua-net${String(nic.index)}` },
  };
}

/** Its type, and what it is plugged into. */
function connectionOf(nic: DesiredNic, { ports, vhostSocket }: NicSurroundings): XmlNode {
  const { backend } = nic;
  if (backend.kind === 'vhost-user') {
    return {
      '@type': 'vhostuser',
      source: { '@type': 'unix', '@path': vhostSocket(nic), '@mode': 'server' },
    };
  }
  if (ports === 'vsb') {
    return { '@type': 'ethernet', target: { '@dev': nic.device, '@managed': 'no' } };
  }
  const target = { '@dev': nic.device };
  if (backend.kind === 'macvtap') {
    // libvirt writes one of the four in full.
    const mode = backend.mode === 'passthru' ? 'passthrough' : backend.mode;
    return { '@type': 'direct', source: { '@dev': backend.device, '@mode': mode }, target };
  }
  if (nic.bridge === undefined) {
    return { '@type': 'bridge', source: { '@bridge': nic.linuxBridge ?? '' }, target };
  }
  return {
    '@type': 'bridge',
    source: { '@bridge': nic.bridge },
    virtualport: { '@type': 'openvswitch', parameters: { '@interfaceid': nic.ifaceId } },
    vlan: vlanOf(nic.vlan),
    ...bandwidthOf(nic.limit),
    target,
  };
}

/** Never left out: libvirt makes a port without tag then, and Open vSwitch lets every VLAN through. */
function vlanOf(vlan: VlanMode): XmlNode {
  if (vlan.mode === 'access') return { tag: { '@id': String(vlan.tag) } };
  const native = vlan.mode === 'trunk' ? undefined : vlan;
  return {
    '@trunk': 'yes',
    tag: vlan.trunks.map((id) => ({
      '@id': String(id),
      ...(id === native?.tag
        ? { '@nativeMode': native.mode === 'native-tagged' ? 'tagged' : 'untagged' }
        : {}),
    })),
  };
}

/**
 * libvirt counts in kB/s, also where it says KiB: it makes × 8,000 bit/s of what the VM receives (`inbound`) and × 8 kbit/s
 * of what it sends (its virnetdevopenvswitch.c). `average` alone is what a VM is promised; `peak` is its cap.
 */
const BITS_OF_KB = 8000;
/** In kB: as vsb has it in Open vSwitch, a tenth of a second, and 1,000 kbit at least. */
const LEAST_BURST_KB = 125;

function bandwidthOf({ sent, received }: DesiredNic['limit']): XmlNode {
  if (sent === undefined && received === undefined) return {};
  const inbound = received === undefined ? undefined : String(Math.max(1, Math.round(received / BITS_OF_KB)));
  const outbound = sent === undefined ? undefined : Math.max(1, Math.round(sent / BITS_OF_KB));
  return {
    bandwidth: {
      ...(inbound === undefined ? {} : { inbound: { '@average': inbound, '@peak': inbound } }),
      ...(outbound === undefined
        ? {}
        : {
            outbound: {
              '@average': String(outbound),
              '@burst': String(Math.max(LEAST_BURST_KB, Math.ceil(outbound / 10))),
            },
          }),
    },
  };
}

function driverOf(nic: DesiredNic, { vnetHeader }: NicSurroundings): XmlNode {
  if (nic.model !== 'virtio') return {};
  const { queues, ring, offloads, backend } = nic;
  const carriesHeader = backend.kind === 'vhost-user' || vnetHeader(nic) === 'on';
  const [csum, tso, ufo] = [
    offloads.csum && carriesHeader,
    offloads.tso && carriesHeader,
    offloads.ufo && carriesHeader,
  ];
  const settings: Record<string, string> = {
    ...(backend.kind === 'vhost-user' ? {} : { '@name': backend.kind === 'vhost-net' ? 'vhost' : 'qemu' }),
    ...(queues === 1 ? {} : { '@queues': String(queues) }),
    ...(ring.rx === undefined ? {} : { '@rx_queue_size': String(ring.rx) }),
    ...(ring.tx === undefined ? {} : { '@tx_queue_size': String(ring.tx) }),
  };
  const switches = (names: Readonly<Record<string, boolean>>): Record<string, string> =>
    Object.fromEntries(Object.entries(names).flatMap(([name, isOn]) => (isOn ? [] : [[`@${name}`, 'off']])));
  // `host`: what the host takes from the guest; `guest`: what the guest takes from it.
  const host = switches({ csum, gso: tso, tso4: tso, tso6: tso, ecn: tso, ufo });
  const guest = switches({ csum, tso4: tso, tso6: tso, ecn: tso, ufo });
  return {
    driver: {
      ...settings,
      ...(Object.keys(host).length === 0 ? {} : { host }),
      ...(Object.keys(guest).length === 0 ? {} : { guest }),
    },
  };
}

/** libvirt takes the function from its driver and gives it back afterwards (`managed`). */
function hostdevOf(address: string): XmlNode {
  const [, domain = '', bus = '', slot = '', number = ''] = /^(\w+):(\w+):(\w+)\.(\w)$/.exec(address) ?? [];
  return {
    '@mode': 'subsystem',
    '@type': 'pci',
    '@managed': 'yes',
    source: {
      address: {
        '@domain': `0x${domain}`,
        '@bus': `0x${bus}`,
        '@slot': `0x${slot}`,
        '@function': `0x${number}`,
      },
    },
  };
}
