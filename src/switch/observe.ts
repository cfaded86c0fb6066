/** Reads the switch out of the replica, ours or not. Pure but for one look at the kernel. */
import { existsSync } from 'node:fs';
import { fail } from '../errors.ts';
import type { OpenVSwitchTables } from '../ovsdb/generated/vswitch.ts';
import type { ColumnChoice, Uuid } from '../ovsdb/schema/schema.ts';
import type { Snapshot } from '../ovsdb/replica/snapshot.ts';
import type {
  ObservedBridge,
  ObservedInterface,
  ObservedPort,
  ObservedQos,
  ObservedSwitch,
} from './observed.ts';
import { PIPELINE_COLUMNS } from './pipeline/pipelinebridge.ts';

/** What the replica has to hold for this room. Statistics are left out: they change every five seconds. */
export const SWITCH_COLUMNS = {
  Open_vSwitch: [
    'bridges',
    'next_cfg',
    'cur_cfg',
    'other_config',
    'external_ids',
    'datapath_types',
    'ovs_version',
    'iface_types',
    'dpdk_initialized',
  ],
  Bridge: [
    'name',
    'ports',
    'datapath_type',
    'datapath_id',
    'rstp_enable',
    'mcast_snooping_enable',
    'controller',
    'fail_mode',
    'external_ids',
  ],
  Port: ['name', 'interfaces', 'tag', 'trunks', 'vlan_mode', 'qos', 'external_ids'],
  Interface: [
    'name',
    'type',
    'options',
    'mtu_request',
    'ofport',
    'ofport_request',
    'error',
    'link_state',
    'admin_state',
    'mac_in_use',
    'status',
    'ingress_policing_rate',
    'ingress_policing_burst',
    'external_ids',
  ],
  QoS: ['type', 'other_config', 'external_ids'],
  Controller: PIPELINE_COLUMNS.Controller,
} as const satisfies ColumnChoice<OpenVSwitchTables>;

/** Where the kernel shows that Open vSwitch's datapath module is loaded or built in. */
const KERNEL_DATAPATH = '/sys/module/openvswitch';

/** The switch as one snapshot has it. Throws SWITCH_NOT_INITIALISED where the database is empty. */
export function observeSwitch(
  snapshot: Snapshot<OpenVSwitchTables>,
  kernelDatapath = existsSync(KERNEL_DATAPATH),
): ObservedSwitch {
  const [root] = snapshot.table('Open_vSwitch').values();
  if (root === undefined) throw fail('SWITCH_NOT_INITIALISED', {});
  const bridges = new Map<string, ObservedBridge>();
  const ports = new Map<string, ObservedPort>();
  const portOfInterface = new Map<string, string>();
  for (const bridge of snapshot.table('Bridge').values()) {
    const portNames: string[] = [];
    for (const uuid of bridge.ports) {
      const port = toPort(snapshot, uuid, bridge.name);
      if (!port) continue;
      portNames.push(port.name);
      ports.set(port.name, port);
      for (const iface of port.interfaces) portOfInterface.set(iface.name, port.name);
    }
    bridges.set(bridge.name, {
      uuid: bridge._uuid,
      name: bridge.name,
      datapathType: bridge.datapath_type,
      rstp: bridge.rstp_enable,
      mcastSnooping: bridge.mcast_snooping_enable,
      externalIds: bridge.external_ids,
      portNames: portNames.sort(),
    });
  }
  return {
    rootUuid: root._uuid,
    kernelDatapath,
    bridges,
    ports,
    portOfInterface,
    qos: qosRows(snapshot),
    ifaceTypes: root.iface_types,
    dpdkInitialised: root.dpdk_initialized,
    runDir: undefined,
    pipelines: undefined,
  };
}

function toPort(snapshot: Snapshot<OpenVSwitchTables>, uuid: Uuid, bridge: string): ObservedPort | undefined {
  const port = snapshot.row('Port', uuid);
  if (!port) return undefined;
  return {
    uuid,
    name: port.name,
    bridge,
    tag: port.tag,
    trunks: port.trunks,
    vlanMode: port.vlan_mode,
    qosUuid: port.qos,
    externalIds: port.external_ids,
    interfaces: port.interfaces.flatMap((iface) => toInterface(snapshot, iface)),
  };
}

function toInterface(snapshot: Snapshot<OpenVSwitchTables>, uuid: Uuid): ObservedInterface[] {
  const iface = snapshot.row('Interface', uuid);
  if (!iface) return [];
  return [
    {
      uuid,
      name: iface.name,
      type: iface.type,
      options: iface.options,
      mtuRequest: iface.mtu_request,
      ofportRequest: iface.ofport_request,
      policingRateKbps: iface.ingress_policing_rate,
      policingBurstKb: iface.ingress_policing_burst,
      linkUp: iface.link_state === 'up',
      externalIds: iface.external_ids,
    },
  ];
}

function qosRows(snapshot: Snapshot<OpenVSwitchTables>): ReadonlyMap<Uuid, ObservedQos> {
  const rows = new Map<Uuid, ObservedQos>();
  for (const [uuid, qos] of snapshot.table('QoS')) {
    rows.set(uuid, {
      uuid,
      type: qos.type,
      maxRate: qos.other_config.get('max-rate'),
      externalIds: qos.external_ids,
    });
  }
  return rows;
}
