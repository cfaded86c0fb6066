/** Every port that a topology wants, NICs and uplinks alike, in the terms of OVSDB's columns. Pure. */
import { nicName, type DesiredNic, type DesiredState, type DesiredUplink } from '../topology/desired.ts';
import type { BitsPerSecond } from '../units/bitrate.ts';
import type { VlanId, VlanMode } from '../units/vlan.ts';
import { vhostSocketPath } from '../units/vhostsocket.ts';
import { NETWORK_KEY, NIC_KEY, OWNER_KEY, VM_KEY } from '../units/externalids.ts';

/** One desired port with its one interface. */
export interface PortSpec {
  readonly name: string;
  readonly bridge: string;
  /** `vm:nic`; `undefined` for an uplink. */
  readonly nic: string | undefined;
  readonly adopt: boolean;
  /** `undefined`: a device of the kernel, which host/ makes. */
  readonly vhostUser: VhostUserSpec | undefined;
  readonly tag: number | undefined;
  readonly trunks: readonly number[];
  readonly vlanMode: VlanMode['mode'] | undefined;
  /** Keys that we set in `external_ids` of the Port; others are left alone. */
  readonly portIds: ReadonlyMap<string, string>;
  /** The same for the Interface. */
  readonly interfaceIds: ReadonlyMap<string, string>;
  /** Whether the port gets an OpenFlow port number that stays. */
  readonly stableOfport: boolean;
  /** What the VM may send: `ingress_policing_rate` in kbit/s and `ingress_policing_burst` in kbit; 0 is no limit. */
  readonly policingRateKbps: bigint;
  readonly policingBurstKb: bigint;
  /** What the VM may receive: linux-htb `max-rate` in bit/s. */
  readonly maxRate: BitsPerSecond | undefined;
}

/** A port whose other end is QEMU itself. */
export interface VhostUserSpec {
  /** `options:vhost-server-path`: Open vSwitch calls QEMU there. */
  readonly serverPath: string;
  /** `mtu_request`; `undefined`: left to the switch. */
  readonly mtu: bigint | undefined;
}

/** All ports of a topology, sorted by name. @param runDir where guests have their sockets */
export function portSpecs(desired: DesiredState, runDir = ''): PortSpec[] {
  const owner = new Map([[OWNER_KEY, desired.name]]);
  const uplinks = desired.bridges.flatMap((bridge) =>
    bridge.uplinks.map((uplink) => uplinkSpec(bridge.name, uplink, owner)),
  );
  const nics = desired.vms.flatMap((vm) =>
    vm.nics.flatMap((nic) =>
      nic.bridge === undefined ? [] : nicSpec(desired.name, nic, nic.bridge, owner, runDir),
    ),
  );
  return [...uplinks, ...nics].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function nicSpec(
  topology: string,
  nic: DesiredNic,
  bridge: string,
  owner: ReadonlyMap<string, string>,
  runDir: string,
): PortSpec {
  const vlan = vlanColumns(nic.vlan);
  const { policingRateKbps, policingBurstKb } = policing(nic.limit.sent);
  return {
    name: nic.device,
    bridge,
    nic: nicName(nic),
    adopt: nic.adopt,
    vhostUser:
      nic.backend.kind === 'vhost-user'
        ? {
            serverPath: vhostSocketPath(runDir, topology, nic.vm, nic.device),
            mtu: nic.mtu === undefined ? undefined : BigInt(nic.mtu),
          }
        : undefined,
    tag: vlan.tag,
    trunks: vlan.trunks,
    vlanMode: vlan.vlanMode,
    portIds: owner,
    interfaceIds: new Map<string, string>()
      .set('attached-mac', nic.mac)
      .set('iface-id', nic.ifaceId)
      .set('vm-id', nic.vmUuid)
      .set(OWNER_KEY, topology)
      .set(NETWORK_KEY, nic.network)
      .set(NIC_KEY, String(nic.index))
      .set(VM_KEY, nic.vm),
    stableOfport: true,
    policingRateKbps,
    policingBurstKb,
    maxRate: nic.limit.received,
  };
}

function uplinkSpec(bridge: string, uplink: DesiredUplink, owner: ReadonlyMap<string, string>): PortSpec {
  return {
    name: uplink.device,
    bridge,
    nic: undefined,
    adopt: uplink.adopt,
    vhostUser: undefined,
    ...vlanColumns(uplink.vlan),
    portIds: owner,
    interfaceIds: owner,
    stableOfport: false,
    ...UNLIMITED,
    maxRate: undefined,
  };
}

const UNTRUNKED: readonly VlanId[] = Object.freeze([]);

function vlanColumns(vlan: VlanMode | undefined): Pick<PortSpec, 'tag' | 'trunks' | 'vlanMode'> {
  if (!vlan) return { tag: undefined, trunks: UNTRUNKED, vlanMode: undefined };
  switch (vlan.mode) {
    case 'access':
      return { tag: vlan.tag, trunks: UNTRUNKED, vlanMode: vlan.mode };
    case 'trunk':
      return { tag: undefined, trunks: vlan.trunks, vlanMode: vlan.mode };
    case 'native-tagged':
    case 'native-untagged':
      return { tag: vlan.tag, trunks: vlan.trunks, vlanMode: vlan.mode };
  }
}

/**
 * A burst of a tenth of the rate is what Open vSwitch advises for TCP; 1,000 kbit is the least that lets a few frames
 * of full size through at once (ovs-vswitchd.conf.db(5), Ingress Policing).
 */
const LEAST_BURST_KB = 1000;

const UNLIMITED = Object.freeze({ policingRateKbps: 0n, policingBurstKb: 0n });

function policing(sent: BitsPerSecond | undefined): Pick<PortSpec, 'policingRateKbps' | 'policingBurstKb'> {
  if (sent === undefined) return UNLIMITED;
  const rateKbps = Math.max(1, Math.round(sent / 1000));
  const burstKb = Math.max(LEAST_BURST_KB, Math.ceil(rateKbps / 10));
  return { policingRateKbps: BigInt(rateKbps), policingBurstKb: BigInt(burstKb) };
}
