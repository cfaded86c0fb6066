/** A bridge as the accounting pipeline needs it: what its ports are and whose. Pure. */
import type { InterfaceRow, OpenVSwitchTables, PortRow } from '../../ovsdb/generated/vswitch.ts';
import type { Snapshot } from '../../ovsdb/replica/snapshot.ts';
import type { ColumnChoice } from '../../ovsdb/schema/schema.ts';

/** What the replica has to hold for it. */
export const PIPELINE_COLUMNS = {
  Bridge: ['name', 'ports', 'controller', 'fail_mode', 'external_ids'],
  Port: ['name', 'interfaces', 'tag', 'trunks', 'vlan_mode'],
  Interface: ['name', 'type', 'ofport', 'ofport_request', 'mac_in_use', 'status', 'external_ids'],
  Controller: ['target', 'type'],
} as const satisfies ColumnChoice<OpenVSwitchTables>;

export interface PipelineBridge {
  readonly name: string;
  /** Targets of its primary controllers: who has one gives the flows of the bridge away. */
  readonly controllers: readonly string[];
  /** True where Open vSwitch adds no default rule by itself (`fail_mode`). */
  readonly isSecure: boolean;
  readonly externalIds: ReadonlyMap<string, string>;
  /** One for each Interface, sorted by name. */
  readonly ports: readonly PipelinePort[];
}

/** An Interface with the VLANs of its Port. */
export interface PipelinePort {
  /** The Interface's name. */
  readonly name: string;
  /** The Port's: differs for members of a bond. */
  readonly port: string;
  /** `Interface.type`: empty for a device of the host. */
  readonly type: string;
  /** The OpenFlow port number that it has, else the one that it asks for. */
  readonly ofport: number | undefined;
  /** True where it has that number already. */
  readonly isAttached: boolean;
  /** The device's driver, as ovs-vswitchd tells it. */
  readonly driver: string | undefined;
  readonly macInUse: string | undefined;
  readonly tag: number | undefined;
  readonly trunks: readonly number[];
  readonly vlanMode: string | undefined;
  /** The Interface's. */
  readonly externalIds: ReadonlyMap<string, string>;
}

/** Every bridge of the switch, by name. */
export function toPipelineBridges(snapshot: Snapshot<OpenVSwitchTables>): Map<string, PipelineBridge> {
  const bridges = new Map<string, PipelineBridge>();
  for (const row of snapshot.table('Bridge').values()) {
    const controllers = row.controller
      .flatMap((uuid) => snapshot.row('Controller', uuid) ?? [])
      .filter(({ type }) => type !== 'service');
    bridges.set(row.name, {
      name: row.name,
      controllers: controllers.map(({ target }) => target).sort(),
      isSecure: row.fail_mode === 'secure',
      externalIds: row.external_ids,
      ports: row.ports
        .flatMap((uuid) => snapshot.row('Port', uuid) ?? [])
        .flatMap((port) =>
          port.interfaces
            .flatMap((uuid) => snapshot.row('Interface', uuid) ?? [])
            .map((iface) => toPort(port, iface)),
        )
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
    });
  }
  return bridges;
}

function toPort(port: PortRow, iface: InterfaceRow): PipelinePort {
  const attached = iface.ofport !== undefined && iface.ofport > 0n ? Number(iface.ofport) : undefined;
  return {
    name: iface.name,
    port: port.name,
    type: iface.type,
    ofport: attached ?? iface.ofport_request,
    isAttached: attached !== undefined,
    driver: iface.status.get('driver_name'),
    macInUse: iface.mac_in_use,
    tag: port.tag,
    trunks: port.trunks,
    vlanMode: port.vlan_mode,
    externalIds: iface.external_ids,
  };
}
