/**
 * Captures as pcapng (IETF draft-ietf-opsawg-pcapng), block by block: a section header, a description of each interface, then
 * packets and at last statistics. Several interfaces in one file, with names. Little-endian. Pure.
 */

/** An interface that packets were captured at. */
export interface PcapngInterface {
  readonly name: string;
  readonly description: string;
  /** In the syntax of pcap-filter(7); `undefined`: every packet. */
  readonly filter: string | undefined;
  /** Bytes kept of each packet. */
  readonly snapLength: number;
}

export interface PcapngPacket {
  /** Place of its interface among those described. */
  readonly interfaceId: number;
  /** Nanoseconds since 1970. */
  readonly atNs: bigint;
  readonly bytes: Uint8Array;
  readonly originalLength: number;
  /** Seen from the named interface: `outbound` was sent by it. `undefined`: not known. */
  readonly direction: 'inbound' | 'outbound' | undefined;
}

/** Counts of an interface, each `undefined` where it is not known. */
export interface PcapngStatistics {
  readonly interfaceId: number;
  readonly startNs: bigint;
  readonly endNs: bigint;
  /** Packets that passed the filter. */
  readonly accepted: number | undefined;
  /** Of these, packets that were lost because they were not read in time. */
  readonly dropped: number | undefined;
}

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const INTERFACE_STATISTICS = 5;
const ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const LINKTYPE_ETHERNET = 1;
/** Options, by block (sections 4.1, 4.2, 4.3, 4.6). */
const SHB_USERAPPL = 4;
const IF = { name: 2, description: 3, resolution: 9, filter: 11 } as const;
const EPB_FLAGS = 2;
/** Of an enhanced packet block, before the packet. */
const PACKET_HEAD_BYTES = 28;
/** The one option of it, with the end of options. */
const FLAGS_OPTIONS_BYTES = 12;
const ISB = { start: 2, end: 3, filterAccept: 6, osDrop: 7 } as const;
/** Timestamps count in units of 10^-9 s. */
const NANOSECONDS = Uint8Array.of(9);
/** First byte of if_filter: the text follows. */
const FILTER_AS_TEXT = 0;

/** The beginning of a file. @param application the program that writes it, with its version */
export function renderSectionHeader(application: string): Buffer {
  const body = Buffer.alloc(16);
  body.writeUInt32LE(BYTE_ORDER_MAGIC, 0);
  body.writeUInt16LE(1, 4);
  // The section's length is not known yet: all ones.
  body.fill(0xff, 8);
  return renderBlock(SECTION_HEADER, [body, ...renderOptions([[SHB_USERAPPL, toBytes(application)]])]);
}

/** Describes an interface of Ethernet frames; the first is number 0. */
export function renderInterface({ name, description, filter, snapLength }: PcapngInterface): Buffer {
  const body = Buffer.alloc(8);
  body.writeUInt16LE(LINKTYPE_ETHERNET, 0);
  body.writeUInt32LE(snapLength, 4);
  const options: [number, Uint8Array][] = [
    [IF.name, toBytes(name)],
    [IF.description, toBytes(description)],
    [IF.resolution, NANOSECONDS],
  ];
  if (filter !== undefined)
    options.push([IF.filter, Buffer.concat([Uint8Array.of(FILTER_AS_TEXT), toBytes(filter)])]);
  return renderBlock(INTERFACE_DESCRIPTION, [body, ...renderOptions(options)]);
}

/** One buffer for each packet: a busy NIC has tens of thousands in a second. */
export function renderPacket({ interfaceId, atNs, bytes, originalLength, direction }: PcapngPacket): Buffer {
  const optionsAt = PACKET_HEAD_BYTES + bytes.length + paddingOf(bytes.length);
  const length = optionsAt + (direction === undefined ? 0 : FLAGS_OPTIONS_BYTES) + 4;
  const block = Buffer.alloc(length);
  block.writeUInt32LE(ENHANCED_PACKET, 0);
  block.writeUInt32LE(length, 4);
  block.writeUInt32LE(interfaceId, 8);
  writeTimestamp(block, 12, atNs);
  block.writeUInt32LE(bytes.length, 20);
  block.writeUInt32LE(originalLength, 24);
  block.set(bytes, PACKET_HEAD_BYTES);
  if (direction !== undefined) {
    block.writeUInt16LE(EPB_FLAGS, optionsAt);
    block.writeUInt16LE(4, optionsAt + 2);
    block.writeUInt32LE(direction === 'inbound' ? 1 : 2, optionsAt + 4);
  }
  block.writeUInt32LE(length, length - 4);
  return block;
}

/** What an interface's figures were at the end. */
export function renderStatistics(statistics: PcapngStatistics): Buffer {
  const { interfaceId, startNs, endNs, accepted, dropped } = statistics;
  const body = Buffer.alloc(12);
  body.writeUInt32LE(interfaceId, 0);
  writeTimestamp(body, 4, endNs);
  const options: [number, Uint8Array][] = [
    [ISB.start, timestamp(startNs)],
    [ISB.end, timestamp(endNs)],
  ];
  if (accepted !== undefined) options.push([ISB.filterAccept, uint64(accepted)]);
  if (dropped !== undefined) options.push([ISB.osDrop, uint64(dropped)]);
  return renderBlock(INTERFACE_STATISTICS, [body, ...renderOptions(options)]);
}

/** Type, length, body, and the length again, for readers that go backwards. */
function renderBlock(type: number, body: readonly Uint8Array[]): Buffer {
  const length = 12 + body.reduce((sum, part) => sum + part.length, 0);
  const head = Buffer.alloc(8);
  head.writeUInt32LE(type, 0);
  head.writeUInt32LE(length, 4);
  return Buffer.concat([head, ...body, head.subarray(4)], length);
}

function renderOptions(options: readonly (readonly [number, Uint8Array])[]): Uint8Array[] {
  const parts = options.flatMap(([code, value]) => {
    const head = Buffer.alloc(4);
    head.writeUInt16LE(code, 0);
    head.writeUInt16LE(value.length, 2);
    return [head, value, padding(value.length)];
  });
  // opt_endofopt
  return [...parts, new Uint8Array(4)];
}

/** What fills a length up to the next multiple of 4. */
function padding(length: number): Uint8Array {
  return new Uint8Array(paddingOf(length));
}

function paddingOf(length: number): number {
  return (4 - (length % 4)) % 4;
}

/** At most what an option's length can say. */
function toBytes(text: string): Uint8Array {
  return Buffer.from(text).subarray(0, 0xfff0);
}

function timestamp(atNs: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  writeTimestamp(bytes, 0, atNs);
  return bytes;
}

/** Upper half first, each little-endian. */
function writeTimestamp(target: Buffer, at: number, atNs: bigint): void {
  target.writeUInt32LE(Number((atNs >> 32n) & 0xffff_ffffn), at);
  target.writeUInt32LE(Number(atNs & 0xffff_ffffn), at + 4);
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
