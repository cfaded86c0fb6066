/**
 * The devices of the switch by name, with who is behind each and which VLANs it takes: for what Open vSwitch says in names
 * of devices (a trace, its datapath's flows) and for what a person says in names of VMs. Pure.
 */
import { fail } from '../errors.ts';
import type { InterfaceRow, OpenVSwitchTables, PortRow } from '../ovsdb/generated/vswitch.ts';
import type { Snapshot } from '../ovsdb/replica/snapshot.ts';
import type { ColumnChoice } from '../ovsdb/schema/schema.ts';
import { toMac, type Mac } from '../units/mac.ts';
import type { PairEnd } from './pairs/pair.ts';
import { compareText, SWITCH_PORT_COLUMNS, toBridgePorts, type SwitchPort } from './switchports.ts';

/** What the replica has to hold for {@link toDevices}. */
export const DEVICE_COLUMNS = {
  Bridge: SWITCH_PORT_COLUMNS.Bridge,
  Port: [...SWITCH_PORT_COLUMNS.Port, 'tag', 'trunks', 'vlan_mode'],
  Interface: [...SWITCH_PORT_COLUMNS.Interface, 'type', 'mac_in_use'],
} as const satisfies ColumnChoice<OpenVSwitchTables>;

/** A device that is plugged into a bridge. */
export interface Device extends Pick<SwitchPort, 'bridge' | 'ofport'> {
  /** `Interface.name`. */
  readonly name: string;
  /** Who is behind it; never `flood` or `unknown`. */
  readonly end: PairEnd;
  /** Of whoever is behind it: a VM's NIC, or the host's own end. `undefined` where the database does not say. */
  readonly mac: Mac | undefined;
  /** Where frames without a tag belong: `undefined` where they do not come in. 0: to no VLAN. */
  readonly untaggedVlan: number | undefined;
  /** VLANs that come with a tag; `all` for a trunk without a list. */
  readonly taggedVlans: readonly number[] | 'all';
}

/** Every device of every bridge, in order of bridge and name. */
export function toDevices(snapshot: Snapshot<OpenVSwitchTables>): readonly Device[] {
  const portOf = new Map<string, PortRow>();
  for (const port of snapshot.table('Port').values())
    for (const uuid of port.interfaces) portOf.set(uuid, port);
  return toBridgePorts(snapshot).flatMap(({ ports }) =>
    ports.flatMap((port) => {
      const row = snapshot.row('Interface', port.interfaceUuid);
      return row ? toDevice(port, row, portOf.get(port.interfaceUuid)) : [];
    }),
  );
}

/**
 * The NICs or ports that a person means by `web1`, `web1:0`, or a device's name: all NICs of a VM where none is named.
 * @throws NIC_UNKNOWN
 */
export function findDevices(devices: readonly Device[], name: string): readonly Device[] {
  const colon = name.lastIndexOf(':');
  const vm = colon < 0 ? name : name.slice(0, colon);
  const nic = colon < 0 ? undefined : name.slice(colon + 1);
  const ofVm = devices.filter(
    ({ end }) => typeof end !== 'string' && end.vm === vm && (nic === undefined || end.nic === nic),
  );
  if (ofVm.length > 0) return ofVm.toSorted((a, b) => compareText(nicOf(a), nicOf(b)));
  const byDevice = devices.filter((device) => device.name === name);
  if (byDevice.length > 0) return byDevice;
  const known = devices.flatMap(({ end }) => (typeof end === 'string' ? [] : [`${end.vm}:${end.nic}`]));
  throw fail('NIC_UNKNOWN', { name, known: [...new Set(known)].sort(compareText) });
}

/** Whether frames of a VLAN (0: of none) go out at it. */
export function takesVlan({ untaggedVlan, taggedVlans }: Device, vlan: number): boolean {
  return vlan === untaggedVlan || taggedVlans === 'all' || taggedVlans.includes(vlan);
}

function nicOf({ end }: Device): string {
  return typeof end === 'string' ? '' : end.nic;
}

function toDevice(port: SwitchPort, row: InterfaceRow, portRow: PortRow | undefined): Device {
  const isHost = row.type === 'internal' || port.port === port.bridge;
  const end = port.owner ?? (isHost ? 'host' : 'uplink');
  const macText = port.owner ? port.mac : isHost ? row.mac_in_use : undefined;
  return {
    bridge: port.bridge,
    name: port.port,
    ofport: port.ofport,
    end,
    mac: macText === undefined ? undefined : toMac(macText),
    ...toVlans(portRow),
  };
}

/** `Port.vlan_mode` and its defaults: ovs-vswitchd.conf.db(5), "VLAN Configuration". */
function toVlans(port: PortRow | undefined): Pick<Device, 'untaggedVlan' | 'taggedVlans'> {
  const tag = port?.tag;
  const trunks = port?.trunks ?? [];
  const tagged = trunks.length === 0 ? 'all' : trunks;
  switch (port?.vlan_mode ?? (tag === undefined ? 'trunk' : 'access')) {
    case 'access':
      return { untaggedVlan: tag ?? 0, taggedVlans: [] };
    case 'native-tagged':
    case 'native-untagged':
      return { untaggedVlan: tag ?? 0, taggedVlans: tagged };
    case 'trunk':
    case 'dot1q-tunnel':
      return { untaggedVlan: tagged === 'all' || tagged.includes(0) ? 0 : undefined, taggedVlans: tagged };
  }
}
