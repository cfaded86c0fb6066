/**
 * Whose port is it: bridges, their ports and the VM NICs behind them, read from the replica of Open vSwitch's database.
 * Counters are not here; they come over OpenFlow. Pure.
 */
import { toOfPort, type OfPort } from '../openflow/ofport.ts';
import type { InterfaceRow, OpenVSwitchTables } from '../ovsdb/generated/vswitch.ts';
import type { ColumnChoice, Uuid } from '../ovsdb/schema/schema.ts';
import type { Snapshot } from '../ovsdb/replica/snapshot.ts';
import { NETWORK_KEY, NIC_KEY, OWNER_KEY, VISIBILITY_KEY, vmOf } from '../units/externalids.ts';

/** What the replica has to hold for {@link toBridgePorts}. */
export const SWITCH_PORT_COLUMNS = {
  Bridge: ['name', 'ports', 'external_ids'],
  Port: ['interfaces'],
  Interface: ['name', 'ofport', 'link_state', 'external_ids'],
} as const satisfies ColumnChoice<OpenVSwitchTables>;

/** A VM's NIC, as the keys in `Interface.external_ids` name it. */
export interface NicIdentity {
  /** The VM's name; where only its id is known, that id. */
  readonly vm: string;
  /** Its place in the VM's list (`0`); for a port that is not ours, the port's name. */
  readonly nic: string;
  /** `undefined` for a port that is not ours. */
  readonly topology: string | undefined;
  readonly network: string | undefined;
}

/** An Interface of a bridge, which OpenFlow calls a port. */
export interface SwitchPort {
  readonly bridge: string;
  /** `Interface.name`, the name of its device. */
  readonly port: string;
  readonly interfaceUuid: Uuid;
  /** `undefined` as long as the switch could not open it. */
  readonly ofport: OfPort | undefined;
  /** Whether there is somebody at its other end; `undefined` where the switch does not say. */
  readonly isLinkUp?: boolean | undefined;
  /** `external_ids:attached-mac`, as it is written there. */
  readonly mac: string | undefined;
  /** `undefined` for uplinks, the bridge's own port and all else that is no VM's. */
  readonly owner: NicIdentity | undefined;
}

/** One bridge with its ports, which are sorted by name. */
export interface BridgePorts {
  readonly bridge: string;
  /** Its topology wants it counted who sends to whom (`visibility: pairs`). */
  readonly wantsPairs: boolean;
  readonly ports: readonly SwitchPort[];
}

/** Every bridge of the switch, sorted by name. */
export function toBridgePorts(snapshot: Snapshot<OpenVSwitchTables>): readonly BridgePorts[] {
  return [...snapshot.table('Bridge').values()]
    .map((bridge) => ({
      bridge: bridge.name,
      wantsPairs: bridge.external_ids.get(VISIBILITY_KEY) === 'pairs',
      ports: bridge.ports
        .flatMap((port) => snapshot.row('Port', port)?.interfaces ?? [])
        .flatMap((uuid) => snapshot.row('Interface', uuid) ?? [])
        .map((row) => toSwitchPort(bridge.name, row))
        .sort((a, b) => compareText(a.port, b.port)),
    }))
    .sort((a, b) => compareText(a.bridge, b.bridge));
}

/** Order of names that is the same everywhere, numbers by their value: `tap2` before `tap10`. */
export function compareText(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : Number(a > b));
}

const collator = new Intl.Collator('en', { numeric: true });

function toSwitchPort(bridge: string, row: InterfaceRow): SwitchPort {
  return {
    bridge,
    port: row.name,
    interfaceUuid: row._uuid,
    ofport: row.ofport === undefined ? undefined : toOfPort(Number(row.ofport)),
    isLinkUp: row.link_state === undefined ? undefined : row.link_state === 'up',
    mac: row.external_ids.get('attached-mac'),
    owner: toNicIdentity(row),
  };
}

function toNicIdentity({ name, external_ids: ids }: InterfaceRow): NicIdentity | undefined {
  const vm = vmOf(ids);
  if (vm === undefined) return undefined;
  return {
    vm,
    nic: ids.get(NIC_KEY) ?? name,
    topology: ids.get(OWNER_KEY),
    network: ids.get(NETWORK_KEY),
  };
}
