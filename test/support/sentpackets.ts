/**
 * The packets that scripts/capture-flow-exports.ts injects into a bridge, and so the truth that the decoders' fixtures are
 * compared with. Lengths are those of whole Ethernet frames.
 */

export interface SentPackets {
  readonly name: string;
  /** The bridge port they come in at. */
  readonly port: 'p1' | 'p2';
  readonly sourceMac: string;
  readonly destinationMac: string;
  readonly tag?: { readonly vlan: number; readonly priority: number };
  readonly ip?: {
    readonly version: 4 | 6;
    readonly sourceAddress: string;
    readonly destinationAddress: string;
    readonly protocol: 'icmp' | 'icmpv6' | 'tcp' | 'udp';
    readonly tos: number;
    readonly ttl: number;
  };
  /** ICMP: type and code. */
  readonly ports?: readonly [source: number, destination: number];
  /** A TCP packet with these flags. */
  readonly tcpFlags?: number;
  /** A fragment other than the first. */
  readonly laterFragment?: true;
  readonly count: number;
  readonly frameBytes: number;
}

export const IP_PROTOCOLS = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58 } as const;

const M1 = '52:54:00:00:00:01';
const M2 = '52:54:00:00:00:02';
const v4 = { version: 4, sourceAddress: '10.0.0.1', destinationAddress: '10.0.0.2' } as const;
const v6 = { version: 6, sourceAddress: '2001:db8::1', destinationAddress: '2001:db8::2' } as const;
const from1 = { port: 'p1', sourceMac: M1, destinationMac: M2 } as const;
const plain = { tos: 0, ttl: 64 } as const;

/** The first teaches the bridge where p2's address is; what goes there from then on is not flooded. */
export const SENT: readonly SentPackets[] = [
  {
    name: 'answer',
    port: 'p2',
    sourceMac: M2,
    destinationMac: M1,
    ip: { version: 4, sourceAddress: '10.0.0.2', destinationAddress: '10.0.0.1', protocol: 'udp', ...plain },
    ports: [2000, 1000],
    count: 1,
    frameBytes: 100,
  },
  {
    ...from1,
    name: 'udp4',
    ip: { ...v4, protocol: 'udp', ...plain },
    ports: [1000, 2000],
    count: 5,
    frameBytes: 542,
  },
  {
    ...from1,
    name: 'tcp4',
    ip: { ...v4, protocol: 'tcp', tos: 0xb8, ttl: 63 },
    ports: [40000, 443],
    tcpFlags: 0x012,
    count: 3,
    frameBytes: 1514,
  },
  {
    ...from1,
    name: 'icmp4',
    ip: { ...v4, protocol: 'icmp', ...plain },
    ports: [8, 0],
    count: 2,
    frameBytes: 98,
  },
  {
    ...from1,
    name: 'fragment4',
    ip: { ...v4, destinationAddress: '10.0.0.9', protocol: 'udp', ...plain },
    laterFragment: true,
    count: 2,
    frameBytes: 200,
  },
  {
    ...from1,
    name: 'udp6',
    ip: { ...v6, protocol: 'udp', ...plain },
    ports: [1000, 53],
    count: 4,
    frameBytes: 300,
  },
  {
    ...from1,
    name: 'tcp6',
    ip: { ...v6, protocol: 'tcp', tos: 0, ttl: 1 },
    ports: [50000, 22],
    tcpFlags: 0x002,
    count: 1,
    frameBytes: 94,
  },
  {
    ...from1,
    name: 'icmp6',
    ip: { ...v6, protocol: 'icmpv6', ...plain },
    ports: [128, 0],
    count: 2,
    frameBytes: 118,
  },
  {
    ...from1,
    name: 'vlan4',
    tag: { vlan: 20, priority: 5 },
    ip: { ...v4, destinationAddress: '10.0.20.2', protocol: 'udp', ...plain },
    ports: [1, 2],
    count: 3,
    frameBytes: 400,
  },
  {
    ...from1,
    name: 'vlan6',
    tag: { vlan: 30, priority: 0 },
    ip: { ...v6, destinationAddress: '2001:db8:30::2', protocol: 'udp', ...plain },
    ports: [3, 4],
    count: 3,
    frameBytes: 402,
  },
  {
    name: 'arp',
    port: 'p1',
    sourceMac: M1,
    destinationMac: 'ff:ff:ff:ff:ff:ff',
    count: 2,
    frameBytes: 60,
  },
];

/** UDP flows that differ in their source port: more than one NetFlow 5 datagram holds. */
export const MANY: readonly SentPackets[] = Array.from({ length: 40 }, (_, index) => ({
  ...from1,
  name: `many${String(index)}`,
  ip: { ...v4, protocol: 'udp', ...plain },
  ports: [20000 + index, 5000],
  count: 1,
  frameBytes: 100 + index,
}));

/** As `ovs-appctl netdev-dummy/receive` reads it. */
export function renderFlow(packets: SentPackets): string {
  const { sourceMac, destinationMac, tag } = packets;
  const ethernet = `in_port(1),eth(src=${sourceMac},dst=${destinationMac})`;
  const inner = renderNetwork(packets);
  if (tag === undefined) return `${ethernet},${inner}`;
  return `${ethernet},eth_type(0x8100),vlan(vid=${String(tag.vlan)},pcp=${String(tag.priority)}),encap(${inner})`;
}

function renderNetwork(packets: SentPackets): string {
  const { ip, sourceMac, laterFragment } = packets;
  if (ip === undefined) {
    return `eth_type(0x0806),arp(sip=10.0.0.1,tip=10.0.0.2,op=1,sha=${sourceMac},tha=00:00:00:00:00:00)`;
  }
  const common = `src=${ip.sourceAddress},dst=${ip.destinationAddress}`;
  const proto = String(IP_PROTOCOLS[ip.protocol]);
  const frag = laterFragment === true ? 'later' : 'no';
  const network =
    ip.version === 4
      ? `eth_type(0x0800),ipv4(${common},proto=${proto},tos=${String(ip.tos)},ttl=${String(ip.ttl)},frag=${frag})`
      : `eth_type(0x86dd),ipv6(${common},label=0x12345,proto=${proto},tclass=${String(ip.tos)},hlimit=${String(ip.ttl)},frag=${frag})`;
  return `${network}${renderTransport(packets)}`;
}

function renderTransport({ ip, ports, tcpFlags }: SentPackets): string {
  if (ip === undefined || ports === undefined) return '';
  const [first, second] = ports.map(String);
  if (ip.protocol.startsWith('icmp')) return `,${ip.protocol}(type=${first ?? ''},code=${second ?? ''})`;
  const transport = `,${ip.protocol}(src=${first ?? ''},dst=${second ?? ''})`;
  return tcpFlags === undefined ? transport : `${transport},tcp_flags(0x${tcpFlags.toString(16)})`;
}
