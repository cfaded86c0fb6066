/**
 * The first bytes of a packet that was sampled: Ethernet, VLAN tags, IPv4 or IPv6, and the ports. As far as they go: an
 * agent cuts them (Open vSwitch at 128 bytes), and a guest may send what it likes, so nothing here is malformed. Pure.
 */
import { ipv4FromBytes, ipv6FromBytes } from '../units/addressbytes.ts';
import { macFromBytes, type Mac } from '../units/mac.ts';

/** `header_protocol` of the standard. */
const HeaderProtocol = { ethernet: 1, ipv4: 11, ipv6: 12 } as const;
const EtherType = { ipv4: 0x0800, ipv6: 0x86dd } as const;
/** 802.1Q, 802.1ad, and what came before 802.1ad. */
const VLAN_ETHERTYPES: readonly number[] = [0x8100, 0x88a8, 0x9100];
/** More tags than that are somebody's joke. */
const MAX_VLAN_TAGS = 4;
const Protocol = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58, sctp: 132 } as const;

export interface VlanTag {
  readonly vlan: number;
  readonly priority: number;
}

export interface EthernetHeader {
  readonly sourceMac: Mac;
  readonly destinationMac: Mac;
  /** Outermost first. */
  readonly tags: readonly VlanTag[];
  /** Behind the tags; below 1536 it is a length (IEEE 802.3). */
  readonly ethertype: number;
}

export interface IpHeader {
  readonly version: 4 | 6;
  readonly sourceAddress: string;
  readonly destinationAddress: string;
  /** Of what is carried; in IPv6 behind the extension headers, as far as they are there. */
  readonly protocol: number;
  readonly tos: number;
  readonly ttl: number;
  /** A fragment other than the first: it has no ports. */
  readonly laterFragment: boolean;
}

export type TransportHeader =
  | {
      readonly kind: 'ports';
      readonly sourcePort: number;
      readonly destinationPort: number;
      /** TCP only. */
      readonly tcpFlags: number | undefined;
    }
  | { readonly kind: 'icmp'; readonly type: number; readonly code: number };

/** Each `undefined` where it is not there, or cut off. */
export interface PacketHeaders {
  readonly ethernet: EthernetHeader | undefined;
  readonly ip: IpHeader | undefined;
  readonly transport: TransportHeader | undefined;
}

/** @returns `undefined` for a header protocol other than Ethernet, IPv4 and IPv6 */
export function decodePacket(view: DataView, headerProtocol: number): PacketHeaders | undefined {
  switch (headerProtocol) {
    case HeaderProtocol.ethernet:
      return decodeFrame(view);
    case HeaderProtocol.ipv4:
      return { ethernet: undefined, ...decodeIpPacket(view, 0, EtherType.ipv4) };
    case HeaderProtocol.ipv6:
      return { ethernet: undefined, ...decodeIpPacket(view, 0, EtherType.ipv6) };
    default:
      return undefined;
  }
}

type IpPacket = Omit<PacketHeaders, 'ethernet'>;

const NO_IP: IpPacket = Object.freeze({ ip: undefined, transport: undefined });

function decodeFrame(view: DataView): PacketHeaders {
  if (view.byteLength < 14) return { ethernet: undefined, ...NO_IP };
  const tags: VlanTag[] = [];
  let at = 12;
  let ethertype = view.getUint16(at);
  while (VLAN_ETHERTYPES.includes(ethertype) && view.byteLength - at >= 6 && tags.length < MAX_VLAN_TAGS) {
    const tci = view.getUint16(at + 2);
    tags.push({ vlan: tci & 0xfff, priority: tci >>> 13 });
    at += 4;
    ethertype = view.getUint16(at);
  }
  const ethernet = {
    sourceMac: macFromBytes(view, 6),
    destinationMac: macFromBytes(view, 0),
    tags,
    ethertype,
  };
  return { ethernet, ...decodeIpPacket(view, at + 2, ethertype) };
}

function decodeIpPacket(view: DataView, at: number, ethertype: number): IpPacket {
  if (ethertype === EtherType.ipv4) return decodeIpv4(view, at);
  return ethertype === EtherType.ipv6 ? decodeIpv6(view, at) : NO_IP;
}

function decodeIpv4(view: DataView, at: number): IpPacket {
  if (view.byteLength - at < 20) return NO_IP;
  const first = view.getUint8(at);
  const headerBytes = (first & 0xf) * 4;
  if (first >>> 4 !== 4 || headerBytes < 20) return NO_IP;
  const ip: IpHeader = {
    version: 4,
    sourceAddress: ipv4FromBytes(view, at + 12),
    destinationAddress: ipv4FromBytes(view, at + 16),
    protocol: view.getUint8(at + 9),
    tos: view.getUint8(at + 1),
    ttl: view.getUint8(at + 8),
    laterFragment: (view.getUint16(at + 6) & 0x1fff) !== 0,
  };
  return { ip, transport: decodeTransport(view, at + headerBytes, ip) };
}

function decodeIpv6(view: DataView, at: number): IpPacket {
  if (view.byteLength - at < 40 || view.getUint8(at) >>> 4 !== 6) return NO_IP;
  const upper = skipExtensionHeaders(view, at + 40, view.getUint8(at + 6));
  const ip: IpHeader = {
    version: 6,
    sourceAddress: ipv6FromBytes(view, at + 8),
    destinationAddress: ipv6FromBytes(view, at + 24),
    protocol: upper.protocol,
    tos: (view.getUint16(at) >>> 4) & 0xff,
    ttl: view.getUint8(at + 7),
    laterFragment: upper.laterFragment,
  };
  return { ip, transport: decodeTransport(view, upper.at, ip) };
}

/** Hop-by-hop, routing, fragment, authentication, destination options (RFC 8200 §4, RFC 4302). */
const Extension = { hopByHop: 0, routing: 43, fragment: 44, authentication: 51, destination: 60 } as const;

function skipExtensionHeaders(
  view: DataView,
  start: number,
  first: number,
): { readonly at: number; readonly protocol: number; readonly laterFragment: boolean } {
  let at = start;
  let protocol = first;
  let laterFragment = false;
  // Each takes at least 8 bytes, so this ends with the bytes.
  while (view.byteLength - at >= 8 && !laterFragment) {
    switch (protocol) {
      case Extension.hopByHop:
      case Extension.routing:
      case Extension.destination:
        protocol = view.getUint8(at);
        at += 8 + view.getUint8(at + 1) * 8;
        break;
      case Extension.authentication:
        protocol = view.getUint8(at);
        at += 8 + view.getUint8(at + 1) * 4;
        break;
      case Extension.fragment:
        laterFragment = view.getUint16(at + 2) >>> 3 !== 0;
        protocol = view.getUint8(at);
        at += 8;
        break;
      default:
        return { at, protocol, laterFragment };
    }
  }
  return { at, protocol, laterFragment };
}

function decodeTransport(view: DataView, at: number, ip: IpHeader): TransportHeader | undefined {
  const left = view.byteLength - at;
  if (ip.laterFragment) return undefined;
  switch (ip.protocol) {
    case Protocol.tcp:
    case Protocol.udp:
    case Protocol.sctp:
      if (left < 4) return undefined;
      return {
        kind: 'ports',
        sourcePort: view.getUint16(at),
        destinationPort: view.getUint16(at + 2),
        tcpFlags: ip.protocol === Protocol.tcp && left >= 14 ? view.getUint8(at + 13) : undefined,
      };
    case Protocol.icmp:
    case Protocol.icmpv6:
      return left < 2 ? undefined : { kind: 'icmp', type: view.getUint8(at), code: view.getUint8(at + 1) };
    default:
      return undefined;
  }
}
