/**
 * The information elements that Open vSwitch sends, by number, with IANA's names ("IPFIX Information Elements") and
 * VMware's (ovs' ofproto/ipfix-enterprise-entities.def): what each value is and how its bytes are read. An element of
 * another number, or whose length does not fit its type, is kept as bytes by records.ts. Pure.
 */
import { ipv4FromBytes, ipv6FromBytes } from '../units/addressbytes.ts';
import { macFromBytes } from '../units/mac.ts';

/** Enterprise numbers: IANA's own elements have none; 29305 means the other direction of one (RFC 5103 §6.1). */
export const REVERSE_ENTERPRISE = 29305;
const VMWARE_ENTERPRISE = 6876;

/** How a value is read. `number`: unsigned, up to 32 bits; `counter`: unsigned, up to 64 bits; `hex`: octets. */
interface ElementTypes {
  readonly number: number;
  readonly counter: bigint;
  readonly ipv4: string;
  readonly ipv6: string;
  readonly mac: string;
  readonly text: string;
  readonly hex: string;
}

type ElementType = keyof ElementTypes;

const STANDARD = {
  octetDeltaCount: [1, 'counter'],
  packetDeltaCount: [2, 'counter'],
  protocolIdentifier: [4, 'number'],
  ipClassOfService: [5, 'number'],
  sourceTransportPort: [7, 'number'],
  sourceIPv4Address: [8, 'ipv4'],
  ingressInterface: [10, 'number'],
  destinationTransportPort: [11, 'number'],
  destinationIPv4Address: [12, 'ipv4'],
  egressInterface: [14, 'number'],
  postMCastPacketDeltaCount: [19, 'counter'],
  postMCastOctetDeltaCount: [20, 'counter'],
  minimumIpTotalLength: [25, 'counter'],
  maximumIpTotalLength: [26, 'counter'],
  sourceIPv6Address: [27, 'ipv6'],
  destinationIPv6Address: [28, 'ipv6'],
  flowLabelIPv6: [31, 'number'],
  sourceMacAddress: [56, 'mac'],
  vlanId: [58, 'number'],
  ipVersion: [60, 'number'],
  flowDirection: [61, 'number'],
  destinationMacAddress: [80, 'mac'],
  interfaceName: [82, 'text'],
  interfaceDescription: [83, 'text'],
  octetTotalCount: [85, 'counter'],
  packetTotalCount: [86, 'counter'],
  droppedOctetDeltaCount: [132, 'counter'],
  droppedPacketDeltaCount: [133, 'counter'],
  droppedOctetTotalCount: [134, 'counter'],
  droppedPacketTotalCount: [135, 'counter'],
  flowEndReason: [136, 'number'],
  observationPointId: [138, 'number'],
  exportingProcessId: [144, 'number'],
  flowStartDeltaMicroseconds: [158, 'number'],
  flowEndDeltaMicroseconds: [159, 'number'],
  notSentPacketTotalCount: [167, 'counter'],
  postMCastPacketTotalCount: [174, 'counter'],
  postMCastOctetTotalCount: [175, 'counter'],
  icmpTypeIPv4: [176, 'number'],
  icmpCodeIPv4: [177, 'number'],
  icmpTypeIPv6: [178, 'number'],
  icmpCodeIPv6: [179, 'number'],
  ipTTL: [192, 'number'],
  ipDiffServCodePoint: [195, 'number'],
  ipPrecedence: [196, 'number'],
  octetDeltaSumOfSquares: [198, 'counter'],
  octetTotalSumOfSquares: [199, 'counter'],
  tcpSynTotalCount: [218, 'counter'],
  tcpFinTotalCount: [219, 'counter'],
  tcpRstTotalCount: [220, 'counter'],
  tcpPshTotalCount: [221, 'counter'],
  tcpAckTotalCount: [222, 'counter'],
  tcpUrgTotalCount: [223, 'counter'],
  ethernetHeaderLength: [240, 'number'],
  dot1qVlanId: [243, 'number'],
  dot1qPriority: [244, 'number'],
  ethernetType: [256, 'number'],
  layer2OctetDeltaCount: [352, 'counter'],
  layer2OctetTotalCount: [353, 'counter'],
  ingressUnicastPacketTotalCount: [354, 'counter'],
  ingressMulticastPacketTotalCount: [355, 'counter'],
  ingressBroadcastPacketTotalCount: [356, 'counter'],
  egressUnicastPacketTotalCount: [357, 'counter'],
  egressBroadcastPacketTotalCount: [358, 'counter'],
  ingressInterfaceType: [368, 'number'],
  egressInterfaceType: [369, 'number'],
} as const satisfies Record<string, readonly [number, ElementType]>;

const VMWARE = {
  tunnelType: [891, 'number'],
  tunnelKey: [892, 'hex'],
  tunnelSourceIPv4Address: [893, 'ipv4'],
  tunnelDestinationIPv4Address: [894, 'ipv4'],
  tunnelProtocolIdentifier: [895, 'number'],
  tunnelSourceTransportPort: [896, 'number'],
  tunnelDestinationTransportPort: [897, 'number'],
  virtualObsID: [898, 'text'],
} as const satisfies Record<string, readonly [number, ElementType]>;

type Elements = typeof STANDARD & typeof VMWARE;
type ElementName = keyof Elements;
type AnyValue = ElementTypes[ElementType];

/**
 * `interfaceName` and `interfaceDescription` have no side of their own: they speak of the ingressInterface or
 * egressInterface before them in the record (RFC 7011 §8 gives several of the same kind an order), and get its name.
 */
type SidedName = `${'ingress' | 'egress'}Interface${'Name' | 'Description'}`;

export type ValueName = ElementName | SidedName;

/**
 * Values by the element's name; absent where the record has none. Texts are the exporter's: not fit for a terminal as
 * they are.
 */
export type IpfixValues = { readonly [Name in ElementName]?: ElementTypes[Elements[Name][1]] } & {
  readonly [Name in SidedName]?: string;
};

/** How the value of an element is read out of `length` bytes; `undefined` where they do not fit its type. */
export type ReadValue = (view: DataView, offset: number, length: number) => AnyValue | undefined;

export interface Element {
  readonly name: ElementName;
  readonly read: ReadValue;
}

/** @returns the element, or `undefined` where its number is not in the tables above. */
export function findElement(enterprise: number, id: number): Element | undefined {
  if (enterprise === VMWARE_ENTERPRISE) return VMWARE_BY_ID.get(id);
  return enterprise === 0 || enterprise === REVERSE_ENTERPRISE ? STANDARD_BY_ID.get(id) : undefined;
}

const READ: { readonly [Type in ElementType]: ReadValue } = {
  number: (view, offset, length) => (length <= 4 ? readUnsigned(view, offset, length) : undefined),
  counter: readCounter,
  ipv4: (view, offset, length) => (length === 4 ? ipv4FromBytes(view, offset) : undefined),
  ipv6: (view, offset, length) => (length === 16 ? ipv6FromBytes(view, offset) : undefined),
  mac: (view, offset, length) => (length === 6 ? macFromBytes(view, offset) : undefined),
  text: (view, offset, length) => readText(view, offset, length),
  hex: (view, offset, length) => bytesOf(view, offset, length).toString('hex'),
};

const STANDARD_BY_ID = byId(STANDARD);
const VMWARE_BY_ID = byId(VMWARE);

function byId(table: Record<string, readonly [number, ElementType]>): ReadonlyMap<number, Element> {
  return new Map(
    Object.entries(table).map(([name, [id, type]]) => [
      id,
      // The keys of the two tables are what ElementName is made of.
      { name: name as ElementName, read: READ[type] },
    ]),
  );
}

/** Up to four bytes; exporters may send fewer than the type has (reduced-size encoding, RFC 7011 §6.2). */
function readUnsigned(view: DataView, offset: number, length: number): number {
  switch (length) {
    case 1:
      return view.getUint8(offset);
    case 2:
      return view.getUint16(offset);
    case 4:
      return view.getUint32(offset);
    default:
      return bytesOf(view, offset, length).reduce((value, byte) => value * 256 + byte, 0);
  }
}

function readCounter(view: DataView, offset: number, length: number): bigint | undefined {
  if (length === 8) return view.getBigUint64(offset);
  if (length > 8) return undefined;
  if (length <= 4) return BigInt(readUnsigned(view, offset, length));
  const high = BigInt(readUnsigned(view, offset, length - 4));
  return (high << 32n) | BigInt(view.getUint32(offset + length - 4));
}

/** A call into the decoder of UTF-8 costs more than that many single characters. */
const SHORT_TEXT = 32;

/** Where a text has a fixed length, some exporters fill it up with zeros. */
function readText(view: DataView, offset: number, length: number): string {
  let end = length;
  while (end > 0 && view.getUint8(offset + end - 1) === 0) end--;
  if (end > SHORT_TEXT) return bytesOf(view, offset, end).toString('utf8');
  let text = '';
  for (let at = offset; at < offset + end; at++) {
    const byte = view.getUint8(at);
    if (byte >= 0x80) return bytesOf(view, offset, end).toString('utf8');
    text += String.fromCharCode(byte);
  }
  return text;
}

function bytesOf(view: DataView, offset: number, length: number): Buffer {
  return Buffer.from(view.buffer, view.byteOffset + offset, length);
}
