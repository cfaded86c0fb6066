/** Changes as one OVSDB transaction: VLAN, owner and the port itself are made together, so no packet passes a half-made port. */
import { fail } from '../errors.ts';
import { openVSwitch, type OpenVSwitchTables } from '../ovsdb/generated/vswitch.ts';
import type { Ref } from '../ovsdb/schema/ref.ts';
import type { Uuid } from '../ovsdb/schema/schema.ts';
import { Transaction, type RowInput } from '../ovsdb/transaction/transaction.ts';
import type {
  CreateBridge,
  CreatePort,
  MapEdit,
  QosEdit,
  SwitchChange,
  UpdateBridge,
  UpdatePort,
} from './change.ts';
import type { ObservedSwitch } from './observed.ts';
import { OWNER_KEY, VISIBILITY_KEY } from '../units/externalids.ts';

type Vswitch = Transaction<OpenVSwitchTables>;

/**
 * Compiles changes. Each row that is to be changed is waited for first (for no time), so that one which went meanwhile
 * makes the outcome `try-again`, with nothing written; without that an update finds no row, and says nothing. Sets of
 * ports are changed by one mutation for each bridge: rewriting them, or one mutation for each port, takes time that
 * grows with the square of their number.
 */
export function compileChanges(changes: readonly SwitchChange[], observed: ObservedSwitch): Vswitch {
  const transaction = new Transaction(openVSwitch);
  const membership = new Membership(observed);
  const newBridges: CreateBridge[] = [];
  const removedBridges: Uuid[] = [];

  for (const { name, edit } of changes) {
    switch (edit.edit) {
      case 'create-bridge':
        newBridges.push(edit);
        break;
      case 'update-bridge':
        expectRow(transaction, 'Bridge', edit.uuid, name);
        updateBridge(transaction, edit);
        break;
      case 'remove-bridge':
        expectPorts(transaction, edit.uuid, name, observed);
        removedBridges.push(edit.uuid);
        break;
      case 'create-port':
        membership.add(edit.bridge, createPort(transaction, edit));
        break;
      case 'update-port':
        expectRow(transaction, 'Port', edit.uuid, name);
        updatePort(transaction, edit);
        if (edit.move) {
          membership.remove(edit.move.fromUuid, edit.uuid);
          membership.add(edit.move.toBridge, edit.uuid);
        }
        break;
      case 'remove-port':
        membership.remove(edit.bridgeUuid, edit.uuid);
        if (edit.qosUuid !== undefined) {
          // The port goes at commit, as nothing refers to it; its own reference would keep the QoS row until then.
          transaction.update('Port', edit.uuid, { qos: undefined });
          transaction.delete('QoS', edit.qosUuid);
        }
        break;
      case 'remove-qos':
        transaction.delete('QoS', edit.uuid);
        break;
      case 'write-flows':
        // Flows are no rows: pipelinewriter.ts's.
        break;
    }
  }
  const created = newBridges.map((edit) => createBridge(transaction, edit, membership.takeNew(edit.name)));
  membership.write(transaction, removedBridges);
  if (created.length > 0) {
    transaction.mutate('Open_vSwitch', observed.rootUuid, [['bridges', 'insert', created]]);
  }
  if (removedBridges.length > 0) {
    transaction.mutate('Open_vSwitch', observed.rootUuid, [['bridges', 'delete', removedBridges]]);
  }
  return transaction;
}

function expectRow(transaction: Vswitch, table: 'Bridge' | 'Port', uuid: Uuid, name: string): void {
  transaction.wait(table, uuid, '==', ['name'], [{ name }], { timeoutMs: 0 });
}

/** A bridge goes with all of its ports: one that somebody plugged in since the plan was made must not go unseen. */
function expectPorts(transaction: Vswitch, uuid: Uuid, name: string, observed: ObservedSwitch): void {
  const names = observed.bridges.get(name)?.portNames ?? [];
  const ports = names.flatMap((port) => observed.ports.get(port)?.uuid ?? []);
  transaction.wait('Bridge', uuid, '==', ['ports'], [{ ports }], { timeoutMs: 0 });
}

/** Which ports come to and go from which bridge. */
class Membership {
  readonly #observed: ObservedSwitch;
  readonly #added = new Map<string, (Ref | Uuid)[]>();
  readonly #removed = new Map<Uuid, Uuid[]>();

  constructor(observed: ObservedSwitch) {
    this.#observed = observed;
  }

  add(bridge: string, port: Ref | Uuid): void {
    push(this.#added, bridge, port);
  }

  remove(bridge: Uuid, port: Uuid): void {
    push(this.#removed, bridge, port);
  }

  /** The ports of a bridge that is made in the same transaction. */
  takeNew(bridge: string): readonly (Ref | Uuid)[] {
    const ports = this.#added.get(bridge) ?? [];
    this.#added.delete(bridge);
    return ports;
  }

  write(transaction: Vswitch, removedBridges: readonly Uuid[]): void {
    for (const [name, ports] of this.#added) {
      const bridge = this.#observed.bridges.get(name);
      if (!bridge) throw fail('INTERNAL', { what: `no bridge "${name}" for ${String(ports.length)} ports` });
      expectRow(transaction, 'Bridge', bridge.uuid, name);
      transaction.mutate('Bridge', bridge.uuid, [['ports', 'insert', ports]]);
    }
    for (const [bridge, ports] of this.#removed) {
      // The ports of a bridge that goes are not referenced any more, and go with it.
      if (!removedBridges.includes(bridge))
        transaction.mutate('Bridge', bridge, [['ports', 'delete', ports]]);
    }
  }
}

function push<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

/** A bridge needs a port of its own name, of type internal, as ovs-vsctl's add-br makes it. */
function createBridge(transaction: Vswitch, edit: CreateBridge, ports: readonly (Ref | Uuid)[]): Ref {
  const external_ids = new Map([[OWNER_KEY, edit.owner]]);
  const iface = transaction.insert('Interface', { name: edit.name, type: 'internal', external_ids });
  const local = transaction.insert('Port', { name: edit.name, interfaces: [iface], external_ids });
  return transaction.insert('Bridge', {
    name: edit.name,
    ports: [local, ...ports],
    external_ids:
      edit.visibility === undefined
        ? external_ids
        : new Map([...external_ids, [VISIBILITY_KEY, edit.visibility]]),
    ...edit.columns,
  });
}

function updateBridge(transaction: Vswitch, edit: UpdateBridge): void {
  if (Object.keys(edit.columns).length > 0) {
    transaction.update('Bridge', edit.uuid, edit.columns);
  }
  const mutations = mapMutations(edit.externalIds);
  if (mutations.length > 0) transaction.mutate('Bridge', edit.uuid, mutations);
}

function createPort(transaction: Vswitch, edit: CreatePort): Ref {
  const { name } = edit;
  const iface = transaction.insert('Interface', { name, external_ids: edit.interfaceIds, ...edit.iface });
  const interfaces = [iface];
  if (edit.qos.qos !== 'create') {
    return transaction.insert('Port', { name, interfaces, external_ids: edit.portIds, ...edit.port });
  }
  const qos = insertQos(transaction, edit.qos);
  return transaction.insert('Port', { name, interfaces, external_ids: edit.portIds, ...edit.port, qos });
}

function updatePort(transaction: Vswitch, edit: UpdatePort): void {
  let row: RowInput<OpenVSwitchTables['Port']> = edit.port;
  if (edit.qos.qos === 'create') row = { ...row, qos: insertQos(transaction, edit.qos) };
  if (edit.qos.qos === 'remove') row = { ...row, qos: undefined };
  if (Object.keys(row).length > 0) transaction.update('Port', edit.uuid, row);
  if (edit.qos.qos === 'remove') transaction.delete('QoS', edit.qos.uuid);
  if (edit.qos.qos === 'update') {
    transaction.update('QoS', edit.qos.uuid, qosColumns(edit.qos.maxRate));
  }
  if (Object.keys(edit.iface).length > 0) {
    transaction.update('Interface', edit.interfaceUuid, edit.iface);
  }
  const portIds = mapMutations(edit.portIds);
  if (portIds.length > 0) transaction.mutate('Port', edit.uuid, portIds);
  const interfaceIds = mapMutations(edit.interfaceIds);
  if (interfaceIds.length > 0) {
    transaction.mutate('Interface', edit.interfaceUuid, interfaceIds);
  }
}

function insertQos(transaction: Vswitch, edit: Extract<QosEdit, { qos: 'create' }>): Ref {
  return transaction.insert('QoS', {
    ...qosColumns(edit.maxRate),
    external_ids: new Map([[OWNER_KEY, edit.owner]]),
  });
}

function qosColumns(maxRate: string): { type: string; other_config: ReadonlyMap<string, string> } {
  return { type: 'linux-htb', other_config: new Map([['max-rate', maxRate]]) };
}

/** `insert` does not overwrite a key that is there, so keys go first (RFC 7047 §5.1). */
function mapMutations(
  edit: MapEdit,
): (
  | readonly ['external_ids', 'delete', readonly string[]]
  | readonly ['external_ids', 'insert', ReadonlyMap<string, string>]
)[] {
  const gone = [...edit.remove, ...edit.set.keys()];
  return [
    ...(gone.length > 0 ? [['external_ids', 'delete', gone] as const] : []),
    ...(edit.set.size > 0 ? [['external_ids', 'insert', edit.set] as const] : []),
  ];
}
