/**
 * What Open vSwitch would do with a packet: `ofproto/trace` asked in names of VMs, and answered in them. Nothing is sent.
 * The packet is traffic/trace/tracepacket.ts's, the judgement traffic/trace/traceverdict.ts's.
 */
import { fail, type VsbError } from '../errors.ts';
import type { OfPort } from '../openflow/ofport.ts';
import type { OpenVSwitchTables } from '../ovsdb/generated/vswitch.ts';
import type { Snapshot } from '../ovsdb/replica/snapshot.ts';
import { findControlSocket, runControlCommand } from '../ovsdb/unixctl.ts';
import { ownerOf } from '../switch/ownership.ts';
import type { DesiredState } from '../topology/desired.ts';
import { DEVICE_COLUMNS, findDevices, takesVlan, toDevices, type Device } from '../traffic/devices.ts';
import type { PairEnd } from '../traffic/pairs/pair.ts';
import { toTraceFlow } from '../traffic/trace/tracepacket.ts';
import { parseTrace } from '../traffic/trace/tracetext.ts';
import { judgeTrace, type TraceTarget, type TraceVerdict } from '../traffic/trace/traceverdict.ts';
import { toIpAddress, type IpAddress } from '../units/cidr.ts';
import { toMac, type Mac } from '../units/mac.ts';
import { renderVlans } from '../units/vlan.ts';
import type { Settings } from './settings.ts';
import { connectSwitch } from './switchclient.ts';
import { loadTopology } from './topology.ts';

export interface TraceOptions {
  readonly settings: Settings;
  /** `web1`, `web1:0`, a device, `uplink` or `host`. */
  readonly from: string;
  /** The same, `flood`, or an IP address. */
  readonly to: string;
  /** `arp`, `icmp`, `ip`, `tcp/5432`, or fields of ovs-fields(7). Default: `icmp`. */
  readonly match?: string | undefined;
  /** A topology file, which knows the addresses of NICs; the switch's database does not. */
  readonly file?: string | undefined;
  readonly fromIp?: IpAddress | undefined;
  readonly toIp?: IpAddress | undefined;
  readonly fromMac?: Mac | undefined;
  readonly toMac?: Mac | undefined;
  /** The tag that the sender gives, 0 for none; default: as it would have to. */
  readonly vlan?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Trace extends TraceVerdict {
  readonly from: PairEnd;
  readonly to: PairEnd;
  readonly bridge: string;
  /** As ofproto/trace was asked, in the syntax of ovs-fields(7). */
  readonly packet: string;
  /** What a person has to know beside it: what was supposed, since nobody said it; VLANs that do not meet. */
  readonly remarks: readonly string[];
  /** Open vSwitch's own words. */
  readonly raw: string;
}

/** It takes milliseconds; ovs-vswitchd may be busy. */
const ASK_LIMIT_MS = 10_000;
/** Stands for somebody beyond the uplink; locally administered, and of no vendor. */
const SOMEBODY = toMac('02:00:00:00:00:fe');
const EVERYBODY = toMac('ff:ff:ff:ff:ff:ff');

/**
 * Traces one packet, at one instant: what the switch has learned by then counts.
 * @throws NIC_UNKNOWN, NIC_NOT_ATTACHED, TRACE_MAC_UNKNOWN, TRACE_MATCH_INVALID, CONTROL_…, TOPOLOGY_INVALID, FILE_UNREADABLE,
 *   and what connectSwitch throws
 */
export async function trace(options: TraceOptions): Promise<Trace> {
  const { settings, signal, match = 'icmp' } = options;
  const topology = options.file === undefined ? undefined : await loadTopology(options.file);
  const { devices, topologyOf } = await readSwitch(settings, signal);
  const { from, to, toIp } = resolveEnds(options, devices, topology);
  const remarks = [...vlanRemarks(from, to)];
  const packet = toTraceFlow({
    from: attached(from),
    to,
    fromMac: options.fromMac ?? macOf(from, '--from-mac', remarks),
    toMac: options.toMac ?? targetMac(to, from.bridge, devices, remarks),
    fromIp: options.fromIp ?? ipOf(from, topology),
    toIp,
    vlan: options.vlan,
    match,
  });
  const socket = await findControlSocket(settings.ovsRundir);
  const args = ['--names', from.bridge, packet];
  const answer = await runControlCommand(socket, 'ofproto/trace', args, { timeoutMs: ASK_LIMIT_MS, signal });
  if (answer.outcome === 'refused') throw toRefusal(answer.text.trim(), match);
  const raw = answer.text;
  const verdict = judgeTrace(parseTrace(raw), devices, to, topologyOf);
  const end = typeof to === 'string' ? to : to.end;
  return { ...verdict, from: from.end, to: end, bridge: from.bridge, packet, remarks, raw };
}

async function readSwitch(settings: Settings, signal: AbortSignal | undefined) {
  const options = { columns: DEVICE_COLUMNS, follow: false, signal };
  await using client = await connectSwitch(settings, options);
  const snapshot: Snapshot<OpenVSwitchTables> = client.snapshot();
  const owners = new Map(
    [...snapshot.table('Bridge').values()].map((bridge) => [bridge.name, ownerOf(bridge.external_ids)]),
  );
  return { devices: toDevices(snapshot), topologyOf: (bridge: string) => owners.get(bridge) };
}

interface Ends {
  readonly from: Device;
  readonly to: TraceTarget;
  readonly toIp: IpAddress | undefined;
}

/** Of VMs with several NICs, those two that are on one bridge and in one VLAN, where there are such. */
function resolveEnds(
  options: TraceOptions,
  devices: readonly Device[],
  topology: DesiredState | undefined,
): Ends {
  const address = toIpAddress(options.to);
  const receivers = address ? devicesWithIp(address, devices, topology) : candidates(options.to, devices);
  const senders = candidates(options.from, devices);
  const couples = senders.flatMap((from) => receivers.map((to) => ({ from, to })));
  const best =
    couples.find(({ from, to }) => from.bridge === to.bridge && from !== to && shareVlan(from, to)) ??
    couples.find(({ from, to }) => from.bridge === to.bridge && from !== to) ??
    couples[0];
  const [first] = senders;
  if (!first) throw fail('NIC_UNKNOWN', { name: options.from, known: [] });
  if (!best) {
    const to = options.to === 'host' || options.to === 'flood' ? options.to : 'uplink';
    return { from: first, to, toIp: options.toIp ?? address };
  }
  const to = options.to === 'uplink' || options.to === 'host' ? options.to : best.to;
  return { from: best.from, to, toIp: options.toIp ?? address ?? ipOf(best.to, topology) };
}

/** The host's own end of a bridge, its uplinks, or those of that name. */
function candidates(name: string, devices: readonly Device[]): readonly Device[] {
  if (name === 'flood') return [];
  if (name === 'uplink') return devices.filter(({ end }) => end === 'uplink');
  if (name === 'host')
    return devices.filter((device) => device.end === 'host' && device.name === device.bridge);
  return findDevices(devices, name);
}

function shareVlan(from: Device, to: Device): boolean {
  if (from.untaggedVlan !== undefined && takesVlan(to, from.untaggedVlan)) return true;
  return to.untaggedVlan !== undefined && takesVlan(from, to.untaggedVlan);
}

function attached(device: Device): Device & { readonly ofport: OfPort } {
  const { ofport } = device;
  if (ofport === undefined) throw fail('NIC_NOT_ATTACHED', { device: device.name, bridge: device.bridge });
  return { ...device, ofport };
}

/** The commonest reason of all that a packet does not arrive. */
function vlanRemarks(from: Device, to: TraceTarget): string[] {
  if (typeof to === 'string' || from.bridge !== to.bridge || shareVlan(from, to)) return [];
  return [`"${from.name}" and "${to.name}" have no VLAN in common (${vlansOf(from)}; ${vlansOf(to)})`];
}

function vlansOf({ untaggedVlan, taggedVlans }: Device): string {
  const untagged = untaggedVlan === undefined ? [] : [`untagged ${String(untaggedVlan)}`];
  const tagged = taggedVlans === 'all' ? ['all tagged'] : [`tagged ${renderVlans(taggedVlans)}`];
  return [...untagged, ...(taggedVlans.length === 0 ? [] : tagged)].join(', ');
}

/** Only the packet's text is the asker's; all else is a fault. */
function toRefusal(said: string, match: string): VsbError {
  const isSyntax = said.startsWith('Bad openflow flow syntax');
  if (!isSyntax) return fail('CONTROL_REFUSED', { command: 'ofproto/trace', said });
  return fail('TRACE_MATCH_INVALID', { match, why: said.slice(said.lastIndexOf(': ') + 2) });
}

function macOf(device: Device, flag: string, remarks: string[]): Mac {
  if (device.mac !== undefined) return device.mac;
  if (device.end === 'uplink' && SOMEBODY !== undefined) {
    remarks.push(`supposed: the MAC address ${SOMEBODY} beyond "${device.name}" (${flag} says another)`);
    return SOMEBODY;
  }
  throw fail('TRACE_MAC_UNKNOWN', { end: `"${device.name}"`, flag });
}

function targetMac(to: TraceTarget, bridge: string, devices: readonly Device[], remarks: string[]): Mac {
  if (typeof to !== 'string') return macOf(to, '--to-mac', remarks);
  const host = devices.find((device) => device.name === bridge && device.bridge === bridge);
  const mac = to === 'flood' ? EVERYBODY : to === 'host' ? host?.mac : SOMEBODY;
  if (mac === undefined) throw fail('TRACE_MAC_UNKNOWN', { end: to, flag: '--to-mac' });
  if (to === 'uplink')
    remarks.push(
      `supposed: the MAC address ${mac} beyond the uplink, which the switch never learned (--to-mac says another)`,
    );
  return mac;
}

function devicesWithIp(
  address: IpAddress,
  devices: readonly Device[],
  topology: DesiredState | undefined,
): readonly Device[] {
  const nics = (topology?.vms ?? []).flatMap(({ nics }) => nics);
  const names = new Set(
    nics.filter(({ ip }) => ip?.split('/', 1)[0] === address.text).map((nic) => nic.device),
  );
  return devices.filter(({ name }) => names.has(name));
}

function ipOf(device: Device, topology: DesiredState | undefined): IpAddress | undefined {
  const nics = (topology?.vms ?? []).flatMap(({ nics }) => nics);
  const ip = nics.find((nic) => nic.device === device.name)?.ip;
  return ip === undefined ? undefined : toIpAddress(ip.split('/', 1)[0] ?? '');
}
