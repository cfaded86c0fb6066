/** What a change of the switch carries for apply: which rows become what. Data only. */
import type { Change } from '../domain.ts';
import type { Uuid } from '../ovsdb/schema/schema.ts';
import type { VlanMode } from '../units/vlan.ts';

export interface SwitchChange extends Change {
  readonly domain: 'switch';
  readonly edit: Edit;
}

export type Edit =
  | CreateBridge
  | UpdateBridge
  | { readonly edit: 'remove-bridge'; readonly uuid: Uuid }
  | CreatePort
  | UpdatePort
  | {
      readonly edit: 'remove-port';
      readonly bridgeUuid: Uuid;
      readonly uuid: Uuid;
      readonly qosUuid: Uuid | undefined;
    }
  | { readonly edit: 'remove-qos'; readonly uuid: Uuid }
  /** The accounting pipeline of the bridge that the change is named for, as its rows will be by then. */
  | { readonly edit: 'write-flows' };

export interface CreateBridge {
  readonly edit: 'create-bridge';
  readonly name: string;
  readonly columns: BridgeColumns;
  /** The topology that makes it. */
  readonly owner: string;
  /** Noted on the bridge; `undefined`: its ports alone. */
  readonly visibility: 'pairs' | undefined;
}

export interface UpdateBridge {
  readonly edit: 'update-bridge';
  readonly uuid: Uuid;
  readonly columns: BridgeColumns;
  readonly externalIds: MapEdit;
}

export interface BridgeColumns {
  datapath_type?: string;
  rstp_enable?: boolean;
  mcast_snooping_enable?: boolean;
}

export interface CreatePort {
  readonly edit: 'create-port';
  readonly name: string;
  readonly bridge: string;
  readonly port: PortColumns;
  readonly portIds: ReadonlyMap<string, string>;
  readonly iface: InterfaceColumns;
  readonly interfaceIds: ReadonlyMap<string, string>;
  readonly qos: QosEdit;
}

export interface UpdatePort {
  readonly edit: 'update-port';
  readonly uuid: Uuid;
  readonly port: PortColumns;
  readonly portIds: MapEdit;
  readonly interfaceUuid: Uuid;
  readonly iface: InterfaceColumns;
  readonly interfaceIds: MapEdit;
  readonly qos: QosEdit;
  /** Where the port goes to another bridge. */
  readonly move: { readonly fromUuid: Uuid; readonly toBridge: string } | undefined;
}

/** `undefined` as a value empties the column; an absent key leaves it. */
export interface PortColumns {
  tag?: number | undefined;
  trunks?: readonly number[];
  vlan_mode?: VlanMode['mode'] | undefined;
}

export interface InterfaceColumns {
  type?: string;
  options?: ReadonlyMap<string, string>;
  mtu_request?: bigint | undefined;
  ofport_request?: number | undefined;
  ingress_policing_rate?: bigint;
  ingress_policing_burst?: bigint;
}

/** Keys of a map that are set (an existing value is replaced) and keys that go. */
export interface MapEdit {
  readonly set: ReadonlyMap<string, string>;
  readonly remove: readonly string[];
}

/** What happens to a port's QoS row. */
export type QosEdit =
  | { readonly qos: 'keep' }
  | { readonly qos: 'create'; readonly maxRate: string; readonly owner: string }
  | { readonly qos: 'update'; readonly uuid: Uuid; readonly maxRate: string }
  | { readonly qos: 'remove'; readonly uuid: Uuid };
