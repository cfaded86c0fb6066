/** A reader of pcapng for tests, written from the draft (draft-ietf-opsawg-pcapng) and strict about what it allows. */

export type PcapngBlock =
  | { readonly kind: 'section'; readonly application: string | undefined }
  | {
      readonly kind: 'interface';
      readonly name: string | undefined;
      readonly description: string | undefined;
      readonly filter: string | undefined;
      readonly resolution: number | undefined;
      readonly snapLength: number;
    }
  | {
      readonly kind: 'packet';
      readonly interfaceId: number;
      readonly at: bigint;
      readonly bytes: Buffer;
      readonly originalLength: number;
      readonly direction: 'inbound' | 'outbound' | undefined;
    }
  | {
      readonly kind: 'statistics';
      readonly interfaceId: number;
      readonly accepted: number | undefined;
      readonly dropped: number | undefined;
    };

const SECTION = 0x0a0d0d0a;

/** Every block of a file; throws where it is not whole. */
export function readPcapng(file: Buffer): PcapngBlock[] {
  const blocks: PcapngBlock[] = [];
  for (let at = 0; at < file.length;) {
    const type = file.readUInt32LE(at);
    const length = file.readUInt32LE(at + 4);
    if (length % 4 !== 0 || file.readUInt32LE(at + length - 4) !== length)
      throw new Error(`no block at ${String(at)}`);
    blocks.push(readBlock(type, file.subarray(at + 8, at + length - 4)));
    at += length;
  }
  return blocks;
}

function readBlock(type: number, body: Buffer): PcapngBlock {
  switch (type) {
    case SECTION: {
      if (body.readUInt32LE(0) !== 0x1a2b3c4d) throw new Error('another byte order');
      const options = readOptions(body.subarray(16));
      return { kind: 'section', application: options.get(4)?.toString() };
    }
    case 1: {
      if (body.readUInt16LE(0) !== 1) throw new Error('no Ethernet');
      const options = readOptions(body.subarray(8));
      return {
        kind: 'interface',
        name: options.get(2)?.toString(),
        description: options.get(3)?.toString(),
        filter: options.get(11)?.subarray(1).toString(),
        resolution: options.get(9)?.readUInt8(),
        snapLength: body.readUInt32LE(4),
      };
    }
    case 6: {
      const captured = body.readUInt32LE(12);
      const options = readOptions(body.subarray(20 + Math.ceil(captured / 4) * 4));
      const flags = options.get(2)?.readUInt32LE();
      return {
        kind: 'packet',
        interfaceId: body.readUInt32LE(0),
        at: (BigInt(body.readUInt32LE(4)) << 32n) | BigInt(body.readUInt32LE(8)),
        bytes: body.subarray(20, 20 + captured),
        originalLength: body.readUInt32LE(16),
        direction: flags === undefined ? undefined : flags === 1 ? 'inbound' : 'outbound',
      };
    }
    case 5: {
      const options = readOptions(body.subarray(12));
      const count = (code: number): number | undefined => {
        const value = options.get(code);
        return value === undefined ? undefined : Number(value.readBigUInt64LE());
      };
      return { kind: 'statistics', interfaceId: body.readUInt32LE(0), accepted: count(6), dropped: count(7) };
    }
    default:
      throw new Error(`a block of type ${String(type)}`);
  }
}

function readOptions(bytes: Buffer): Map<number, Buffer> {
  const options = new Map<number, Buffer>();
  for (let at = 0; at < bytes.length;) {
    const code = bytes.readUInt16LE(at);
    const length = bytes.readUInt16LE(at + 2);
    if (code === 0) {
      if (at + 4 !== bytes.length) throw new Error('options go on after their end');
      break;
    }
    options.set(code, bytes.subarray(at + 4, at + 4 + length));
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return options;
}
