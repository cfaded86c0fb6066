/** Ports with their interfaces and limits: desired against observed. Pure. */
import type { FieldChange, Impact, Refusal } from '../domain.ts';
import { fail, type VsbError } from '../errors.ts';
import type { Uuid } from '../ovsdb/schema/schema.ts';
import { renderVlans } from '../units/vlan.ts';
import type { InterfaceColumns, MapEdit, PortColumns, QosEdit, SwitchChange } from './change.ts';
import type { ObservedInterface, ObservedPort, ObservedSwitch } from './observed.ts';
import { ofportAllocators, type OfportAllocator } from './ofport.ts';
import { isAdopted, isOwnedBy, ownerOf } from './ownership.ts';
import { ADOPTED_KEY, NETWORK_KEY, NIC_KEY, OWNER_KEY, VM_KEY } from '../units/externalids.ts';
import type { PortSpec } from './portspec.ts';
import { vhostUserColumns, vhostUserObstacle } from './vhostuser.ts';

/** Changes and refusals for the ports that a topology wants. */
export function portChanges(
  topology: string,
  specs: readonly PortSpec[],
  observed: ObservedSwitch,
  datapathOf: (bridge: string) => string,
): { changes: SwitchChange[]; refusals: Refusal[] } {
  const changes: SwitchChange[] = [];
  const refusals: Refusal[] = [];
  const ofports = ofportAllocators(specs, observed);
  for (const spec of specs) {
    const there = observed.ports.get(spec.name);
    const reason =
      reasonToRefuse(topology, spec, there, observed) ??
      vhostUserObstacle(spec, datapathOf(spec.bridge), observed);
    if (reason) {
      refusals.push({ domain: 'switch', kind: 'Port', name: spec.name, error: reason });
      continue;
    }
    if (!there) {
      changes.push(creation(topology, spec, ofports(spec.bridge)));
      continue;
    }
    const iface = there.interfaces[0];
    if (!iface) continue;
    const change = update(topology, spec, there, iface, observed, ofports);
    if (change) changes.push(change);
  }
  return { changes, refusals };
}

/** A column's value as a change shows it. */
type FieldValue = string | number | undefined;

/** A port of ours goes, with the QoS row that is ours. */
export function portRemoval(port: ObservedPort, observed: ObservedSwitch): SwitchChange {
  const bridge = observed.bridges.get(port.bridge);
  if (!bridge) throw fail('INTERNAL', { what: `port ${port.name} is on no bridge` });
  const nic = nicOf(port);
  const isUp = port.interfaces.some((iface) => iface.linkUp);
  const qos = port.qosUuid === undefined ? undefined : observed.qos.get(port.qosUuid);
  const isQosOurs = qos !== undefined && ownerOf(qos.externalIds) === ownerOf(port.externalIds);
  if (isAdopted(port.externalIds)) return letGo(port, nic, isQosOurs ? qos.uuid : undefined);
  return {
    domain: 'switch',
    verb: 'remove',
    kind: 'Port',
    name: port.name,
    ...(nic === undefined ? {} : { nic }),
    reason: 'this topology made it and no longer wants it',
    impact: isUp ? 'traffic-gap' : 'none',
    ...(isUp ? { collateral: [`${nic ?? port.name} is connected and loses ${port.bridge}`] } : {}),
    fields: [],
    edit: {
      edit: 'remove-port',
      bridgeUuid: bridge.uuid,
      uuid: port.uuid,
      qosUuid: isQosOurs ? qos.uuid : undefined,
    },
  };
}

/** A port that was there before us stays, with the settings that it has by now; only our marks and limit go. */
function letGo(port: ObservedPort, nic: string | undefined, qosUuid: Uuid | undefined): SwitchChange {
  const iface = port.interfaces[0];
  if (!iface) throw fail('INTERNAL', { what: `port ${port.name} has no interface` });
  const owner = ownerOf(port.externalIds);
  return {
    domain: 'switch',
    verb: 'update',
    kind: 'Port',
    name: port.name,
    ...(nic === undefined ? {} : { nic }),
    reason: 'it was adopted, not made by this topology: it stays, and is no longer ours',
    impact: 'none',
    fields: [{ field: `external_ids:${OWNER_KEY}`, from: owner, to: undefined }],
    edit: {
      edit: 'update-port',
      uuid: port.uuid,
      port: {},
      portIds: { set: new Map(), remove: [OWNER_KEY, ADOPTED_KEY] },
      interfaceUuid: iface.uuid,
      iface: {},
      interfaceIds: { set: new Map(), remove: [OWNER_KEY, VM_KEY, NIC_KEY, NETWORK_KEY] },
      qos: qosUuid === undefined ? { qos: 'keep' } : { qos: 'remove', uuid: qosUuid },
      move: undefined,
    },
  };
}

function nicOf(port: ObservedPort): string | undefined {
  const ids = port.interfaces[0]?.externalIds;
  const vm = ids?.get(VM_KEY);
  return vm === undefined ? undefined : `${vm}:${ids?.get(NIC_KEY) ?? '?'}`;
}

function reasonToRefuse(
  topology: string,
  spec: PortSpec,
  there: ObservedPort | undefined,
  observed: ObservedSwitch,
): VsbError | undefined {
  if (!there) {
    const port = observed.portOfInterface.get(spec.name);
    if (port === undefined) return undefined;
    return fail('INTERFACE_IN_USE', {
      name: spec.name,
      port,
      bridge: observed.ports.get(port)?.bridge ?? '',
    });
  }
  if (there.name === there.bridge) return fail('PORT_IS_BRIDGE', { port: spec.name });
  if (there.interfaces.length !== 1) return fail('PORT_IS_BOND', { port: spec.name, bridge: there.bridge });
  if (isOwnedBy(topology, there.externalIds) || spec.adopt) return undefined;
  const owner = ownerOf(there.externalIds);
  const maker = owner === undefined ? 'something else' : `the topology "${owner}"`;
  return fail('PORT_NOT_OURS', { port: spec.name, bridge: there.bridge, maker });
}

function creation(topology: string, spec: PortSpec, ofports: OfportAllocator): SwitchChange {
  const port: PortColumns = {};
  const iface: InterfaceColumns = {};
  const fields: FieldChange[] = [{ field: 'bridge', from: undefined, to: spec.bridge }];
  if (spec.vlanMode !== undefined) {
    port.vlan_mode = spec.vlanMode;
    fields.push({ field: 'vlan_mode', from: undefined, to: spec.vlanMode });
  }
  if (spec.tag !== undefined) {
    port.tag = spec.tag;
    fields.push({ field: 'tag', from: undefined, to: String(spec.tag) });
  }
  if (spec.trunks.length > 0) {
    port.trunks = spec.trunks;
    fields.push({ field: 'trunks', from: undefined, to: renderVlans(spec.trunks) });
  }
  if (spec.stableOfport) {
    const ofport = ofports.allocate(spec.name);
    if (ofport !== undefined) iface.ofport_request = ofport;
  }
  const vhostUser = vhostUserColumns(spec, undefined);
  Object.assign(iface, vhostUser.columns);
  fields.push(...vhostUser.differences);
  if (spec.policingRateKbps !== 0n) {
    iface.ingress_policing_rate = spec.policingRateKbps;
    iface.ingress_policing_burst = spec.policingBurstKb;
    fields.push({
      field: 'ingress_policing_rate',
      from: undefined,
      to: `${String(spec.policingRateKbps)} kbit/s`,
    });
  }
  if (spec.maxRate !== undefined) {
    fields.push({ field: 'max-rate', from: undefined, to: `${String(spec.maxRate)} bit/s` });
  }
  return {
    domain: 'switch',
    verb: 'create',
    kind: 'Port',
    name: spec.name,
    ...(spec.nic === undefined ? {} : { nic: spec.nic }),
    reason: 'it is not there yet',
    impact: 'none',
    ...(spec.vlanMode === undefined ? { collateral: ['it carries every VLAN: the file names none'] } : {}),
    fields,
    edit: {
      edit: 'create-port',
      name: spec.name,
      bridge: spec.bridge,
      port,
      portIds: spec.portIds,
      iface,
      interfaceIds: spec.interfaceIds,
      qos:
        spec.maxRate === undefined
          ? { qos: 'keep' }
          : { qos: 'create', maxRate: String(spec.maxRate), owner: topology },
    },
  };
}

function update(
  topology: string,
  spec: PortSpec,
  there: ObservedPort,
  iface: ObservedInterface,
  observed: ObservedSwitch,
  ofports: (bridge: string) => OfportAllocator,
): SwitchChange | undefined {
  const fields: FieldChange[] = [];
  const note = (field: string, from: FieldValue, to: FieldValue): void => {
    fields.push({
      field,
      from: from === undefined ? undefined : String(from),
      to: to === undefined ? undefined : String(to),
    });
  };
  let impact: Impact = 'none';

  const from = there.bridge === spec.bridge ? undefined : observed.bridges.get(there.bridge);
  if (from) {
    note('bridge', there.bridge, spec.bridge);
    impact = 'port-bounce';
  }

  const port: PortColumns = {};
  if (there.vlanMode !== spec.vlanMode) {
    note('vlan_mode', there.vlanMode, spec.vlanMode);
    port.vlan_mode = spec.vlanMode;
  }
  if (there.tag !== spec.tag) {
    note('tag', there.tag, spec.tag);
    port.tag = spec.tag;
  }
  if (renderVlans(there.trunks) !== renderVlans(spec.trunks)) {
    note('trunks', renderVlans(there.trunks) || undefined, renderVlans(spec.trunks) || undefined);
    port.trunks = spec.trunks;
  }
  if (Object.keys(port).length > 0 && impact === 'none') impact = 'flow';

  const vhostUser = vhostUserColumns(spec, iface);
  const columns: InterfaceColumns = { ...vhostUser.columns };
  fields.push(...vhostUser.differences);
  if (vhostUser.differences.length > 0) impact = 'port-bounce';
  if (
    spec.stableOfport &&
    (iface.ofportRequest === undefined || (from && isTaken(iface.ofportRequest, spec.bridge, observed)))
  ) {
    const ofport = ofports(spec.bridge).allocate(spec.name);
    if (ofport !== iface.ofportRequest) {
      note('ofport_request', iface.ofportRequest, ofport);
      columns.ofport_request = ofport;
      impact = 'port-bounce';
    }
  }
  if (iface.policingRateKbps !== spec.policingRateKbps) {
    const [is, wanted] = [iface.policingRateKbps, spec.policingRateKbps];
    note('ingress_policing_rate', `${String(is)} kbit/s`, `${String(wanted)} kbit/s`);
    columns.ingress_policing_rate = wanted;
  }
  if (iface.policingBurstKb !== spec.policingBurstKb) {
    const [is, wanted] = [iface.policingBurstKb, spec.policingBurstKb];
    note('ingress_policing_burst', `${String(is)} kbit`, `${String(wanted)} kbit`);
    columns.ingress_policing_burst = wanted;
  }

  const qos = qosEdit(topology, spec, there, observed, note);
  const portIds = mapEdit('', spec.portIds, there.externalIds, note);
  const interfaceIds = mapEdit('Interface ', spec.interfaceIds, iface.externalIds, note);
  if (fields.length === 0) return undefined;

  const isOurs = isOwnedBy(topology, there.externalIds);
  if (!isOurs) portIds.set.set(ADOPTED_KEY, 'true');
  return {
    domain: 'switch',
    verb: 'update',
    kind: 'Port',
    name: spec.name,
    ...(spec.nic === undefined ? {} : { nic: spec.nic }),
    reason: isOurs ? 'settings differ' : 'it was made by something else and `adopt: true` takes it over',
    impact,
    fields,
    edit: {
      edit: 'update-port',
      uuid: there.uuid,
      port,
      portIds,
      interfaceUuid: iface.uuid,
      iface: columns,
      interfaceIds,
      qos,
      move: from ? { fromUuid: from.uuid, toBridge: spec.bridge } : undefined,
    },
  };
}

function isTaken(ofport: number, bridge: string, observed: ObservedSwitch): boolean {
  return (observed.bridges.get(bridge)?.portNames ?? []).some((name) =>
    observed.ports.get(name)?.interfaces.some((iface) => iface.ofportRequest === ofport),
  );
}

/** A QoS row that is not ours stays where the file has no limit; with a limit the port gets one of ours. */
function qosEdit(
  topology: string,
  spec: PortSpec,
  there: ObservedPort,
  observed: ObservedSwitch,
  note: (field: string, from: FieldValue, to: FieldValue) => void,
): QosEdit {
  const qos = there.qosUuid === undefined ? undefined : observed.qos.get(there.qosUuid);
  const ours = qos && isOwnedBy(topology, qos.externalIds) ? qos : undefined;
  if (spec.maxRate === undefined) {
    if (!ours) return { qos: 'keep' };
    note('max-rate', `${ours.maxRate ?? '?'} bit/s`, undefined);
    return { qos: 'remove', uuid: ours.uuid };
  }
  const maxRate = String(spec.maxRate);
  if (ours && ours.type === 'linux-htb' && ours.maxRate === maxRate) return { qos: 'keep' };
  note('max-rate', qos?.maxRate === undefined ? undefined : `${qos.maxRate} bit/s`, `${maxRate} bit/s`);
  return ours ? { qos: 'update', uuid: ours.uuid, maxRate } : { qos: 'create', maxRate, owner: topology };
}

/** @param row named where it is not the port's own */
function mapEdit(
  row: 'Interface ' | '',
  wanted: ReadonlyMap<string, string>,
  there: ReadonlyMap<string, string>,
  note: (field: string, from: FieldValue, to: FieldValue) => void,
): MapEdit & { readonly set: Map<string, string> } {
  const set = new Map<string, string>();
  for (const [key, value] of wanted) {
    if (there.get(key) === value) continue;
    note(`${row}external_ids:${key}`, there.get(key), value);
    set.set(key, value);
  }
  return { set, remove: [] };
}
