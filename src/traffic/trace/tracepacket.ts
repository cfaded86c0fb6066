/** The packet that a trace is asked about, as flow text of ovs-fields(7), from what a person says of it. Pure. */
import { fail } from '../../errors.ts';
import type { OfPort } from '../../openflow/ofport.ts';
import type { IpAddress } from '../../units/cidr.ts';
import type { Mac } from '../../units/mac.ts';
import { takesVlan, type Device } from '../devices.ts';
import type { TraceTarget } from './traceverdict.ts';

/** Who sends what to whom. */
export interface TracePacketRequest {
  /** Attached: its `ofport` is known. */
  readonly from: Device & { readonly ofport: OfPort };
  readonly to: TraceTarget;
  readonly fromMac: Mac;
  readonly toMac: Mac;
  readonly fromIp: IpAddress | undefined;
  readonly toIp: IpAddress | undefined;
  /** The tag that the sender gives; 0: none; `undefined`: as the sender would for this receiver. */
  readonly vlan: number | undefined;
  /** `arp`, `icmp`, `ip`, `tcp/5432`, or fields. */
  readonly match: string;
}

/** Ephemeral on Linux and beyond what IANA registers for servers here. */
const SOURCE_PORT = 40_000;
const BROADCAST = 'ff:ff:ff:ff:ff:ff';

/** The packet as flow text. @throws TRACE_MATCH_INVALID */
export function toTraceFlow(request: TracePacketRequest): string {
  const fields = new Map<string, string>([
    ['in_port', String(request.from.ofport)],
    ['dl_src', request.fromMac],
    ['dl_dst', request.toMac],
  ]);
  const vlan = request.vlan ?? tagOf(request.from, request.to);
  if (vlan > 0) fields.set('dl_vlan', String(vlan));
  for (const [field, value] of fieldsOfMatch(request)) fields.set(field, value);
  return [...fields].map(([field, value]) => (value === '' ? field : `${field}=${value}`)).join(',');
}

/** The tag of the receiver's VLAN where the sender has it tagged; else none. */
function tagOf(from: Device, to: TraceTarget): number {
  if (typeof to === 'string' || to.untaggedVlan === undefined || to.untaggedVlan === from.untaggedVlan)
    return 0;
  return takesVlan(from, to.untaggedVlan) ? to.untaggedVlan : 0;
}

function fieldsOfMatch(request: TracePacketRequest): [string, string][] {
  const { match } = request;
  const parts = match.split(',').map((part) => part.trim());
  const [first = '', ...rest] = parts;
  const invalid = (why: string) => fail('TRACE_MATCH_INVALID', { match, why });
  const [, name = '', port] = /^([a-z0-9_]+)(?:\/(\d{1,5}))?$/.exec(first) ?? [];
  const more = (name === '' ? parts : rest).map((part): [string, string] => {
    const [, field = '', value = ''] = /^([a-z][a-z0-9_]*)(?:=([\w:./+|-]+))?$/.exec(part) ?? [];
    if (field === '') throw invalid(`"${part}" is no field`);
    return [field, value];
  });
  if (port !== undefined && Number(port) > 65_535) throw invalid(`${port} is no port`);
  if (port !== undefined && !['tcp', 'udp', 'sctp'].includes(name)) throw invalid(`"${name}" has no ports`);
  return [...fieldsOfProtocol(name, port, request), ...more];
}

function fieldsOfProtocol(
  name: string,
  port: string | undefined,
  { fromIp, toIp, fromMac }: TracePacketRequest,
): [string, string][] {
  if (name === '') return [];
  const isV6 = name.endsWith('6') || fromIp?.family === 6 || toIp?.family === 6;
  if (name === 'arp')
    return [
      ['arp', ''],
      ['dl_dst', BROADCAST],
      ['arp_op', '1'],
      ['arp_sha', fromMac],
      ...addresses('arp_spa', fromIp, 'arp_tpa', toIp),
    ];
  const ip = isV6
    ? addresses('ipv6_src', fromIp, 'ipv6_dst', toIp)
    : addresses('nw_src', fromIp, 'nw_dst', toIp);
  const bare = name.replace(/6$/, '');
  const keyword = bare === 'ip' || bare === 'ipv' ? (isV6 ? 'ipv6' : 'ip') : isV6 ? `${bare}6` : bare;
  const fields: [string, string][] = [[keyword, ''], ...ip, ['nw_ttl', '64']];
  if (port === undefined) return fields;
  return [...fields, [`${bare}_src`, String(SOURCE_PORT)], [`${bare}_dst`, port]];
}

function addresses(
  source: string,
  fromIp: IpAddress | undefined,
  destination: string,
  toIp: IpAddress | undefined,
): [string, string][] {
  return [
    ...(fromIp ? [[source, fromIp.text] as [string, string]] : []),
    ...(toIp ? [[destination, toIp.text] as [string, string]] : []),
  ];
}
