/** What is there: bridge → port → VM NIC, with state and errors, whoever made it. */
import type { InterfaceRow, OpenVSwitchTables, PortRow } from '../ovsdb/generated/vswitch.ts';
import type { Snapshot } from '../ovsdb/replica/snapshot.ts';
import type { ShownBridge, ShownPort, ShownSwitch, ShownVisibility } from '../output/show.ts';
import type { FlowsOptions } from '../switch/pipeline/flowreader.ts';
import { ownerOf } from '../switch/ownership.ts';
import { toPipelineBridges } from '../switch/pipeline/pipelinebridge.ts';
import { inspectPipeline, type InspectedBridge } from '../switch/pipeline/pipelinewriter.ts';
import { NETWORK_KEY, NIC_KEY, vmOf } from '../units/externalids.ts';
import type { Settings } from './settings.ts';
import { connectSwitch } from './switchclient.ts';

/** Who looks wants to see something soon, also of a switch that is stuck. */
const FLOWS = Object.freeze({ limitMs: 3000 });

/** Reads the switch once. Throws what OvsdbClient.connect throws. */
export async function show(settings: Settings, signal?: AbortSignal): Promise<ShownSwitch> {
  await using client = await connectSwitch(settings, { signal, follow: false });
  const snapshot = client.snapshot();
  const [root] = snapshot.table('Open_vSwitch').values();
  const inspected = await inspectBridges(snapshot, { ...FLOWS, ovsRundir: settings.ovsRundir, signal });
  const bridges = [...snapshot.table('Bridge').values()]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((bridge): ShownBridge => ({
      name: bridge.name,
      datapath: bridge.datapath_type || 'system',
      datapathId: bridge.datapath_id,
      owner: ownerOf(bridge.external_ids),
      error: bridge.datapath_id === undefined ? 'no datapath: it is not up' : undefined,
      visibility: toShownVisibility(inspected.get(bridge.name)),
      ports: bridge.ports
        .flatMap((uuid) => snapshot.row('Port', uuid) ?? [])
        .filter((port) => port.name !== bridge.name)
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .map((port) => toShownPort(port, snapshot)),
    }));
  return { remote: settings.remote, ovsVersion: root?.ovs_version, bridges };
}

async function inspectBridges(
  snapshot: Snapshot<OpenVSwitchTables>,
  options: FlowsOptions,
): Promise<ReadonlyMap<string, InspectedBridge>> {
  const bridges = [...toPipelineBridges(snapshot).values()];
  const inspected = await Promise.all(bridges.map((bridge) => inspectPipeline(bridge, options)));
  return new Map(inspected.map((one) => [one.bridge, one]));
}

function toShownVisibility(inspected: InspectedBridge | undefined): ShownVisibility | undefined {
  if (!inspected) return undefined;
  const { mode, reason, foreignFlows, missing, error } = inspected;
  const why = error && `[${error.code}] ${error.message}`;
  return { mode, reason, foreignFlows, missingRules: missing, error: why };
}

function toShownPort(port: PortRow, snapshot: Snapshot<OpenVSwitchTables>): ShownPort {
  const interfaces = port.interfaces.flatMap((uuid) => snapshot.row('Interface', uuid) ?? []);
  const iface = interfaces[0];
  const ids = iface?.external_ids;
  const qos = port.qos === undefined ? undefined : snapshot.row('QoS', port.qos);
  return {
    name: port.name,
    owner: ownerOf(port.external_ids),
    vm: ids && vmOf(ids),
    nic: ids?.get(NIC_KEY),
    network: ids?.get(NETWORK_KEY),
    mac: ids?.get('attached-mac'),
    vlanMode: port.vlan_mode,
    tag: port.tag,
    trunks: port.trunks,
    ofport: iface?.ofport === undefined || iface.ofport < 0n ? undefined : String(iface.ofport),
    link: iface?.link_state,
    sentLimitKbps:
      iface && iface.ingress_policing_rate > 0n ? String(iface.ingress_policing_rate) : undefined,
    receivedLimitBps: qos?.other_config.get('max-rate'),
    error: errorOf(interfaces),
  };
}

function errorOf(interfaces: readonly InterfaceRow[]): string | undefined {
  const errors = interfaces.flatMap((iface) => iface.error ?? []);
  return errors.length > 0 ? errors.join('; ') : undefined;
}
