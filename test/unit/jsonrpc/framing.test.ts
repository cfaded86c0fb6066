import { expect } from 'chai';
import fc from 'fast-check';
import { VsbError } from '../../../src/errors.ts';
import { decodeMessage } from '../../../src/jsonrpc/envelope.ts';
import { Framer, type Frame } from '../../../src/jsonrpc/framing.ts';

const MESSAGES = [
  '{"id":1,"result":[],"error":null}',
  '{"id":null,"method":"update","params":[null,{"T":{"}{":{"new":{"n":"ü€😀\\"]\\\\"}}}}]}',
  '{"id":"echo","method":"echo","params":[]}',
  '{"result":[9007199254740993,-12],"id":2,"error":null}',
];

function texts(frames: readonly Frame[]): string[] {
  return frames.map(({ text }) => text);
}

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (thrown) {
    return thrown instanceof VsbError ? thrown.code : String(thrown);
  }
}

describe('framing', () => {
  const stream = Buffer.from(MESSAGES.join(''));

  it('finds messages without a separator, cut in two at every offset', () => {
    for (let cut = 0; cut <= stream.length; cut += 1) {
      const framer = new Framer();
      const frames = [...framer.push(stream.subarray(0, cut)), ...framer.push(stream.subarray(cut))];
      expect(texts(frames), `cut at ${String(cut)}`).to.deep.equal(MESSAGES);
      expect(framer.isInMessage).to.equal(false);
    }
  });

  it('finds them byte by byte', () => {
    const framer = new Framer();
    const frames = Array.from(stream, (byte) => framer.push(Buffer.from([byte]))).flat();
    expect(texts(frames)).to.deep.equal(MESSAGES);
    expect(frames.map(({ hasLongNumber }) => hasLongNumber)).to.deep.equal([false, false, false, true]);
  });

  it('passes over white space between messages', () => {
    expect(texts(new Framer().push(Buffer.from(' {}\r\n\t{ } ')))).to.deep.equal(['{}', '{ }']);
  });

  it('does not take digits in strings, or short numbers, for long ones', () => {
    const frames = new Framer().push(Buffer.from('{"a":"12345678901234567890","b":[123456789012345,678]}'));
    expect(frames[0]?.hasLongNumber).to.equal(false);
  });

  it('finds every message however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.object()),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        (objects, sizes) => {
          const bytes = Buffer.from(objects.map((object) => JSON.stringify(object)).join(''));
          const framer = new Framer();
          const frames: Frame[] = [];
          for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
            const size = sizes[turn % sizes.length] ?? 1;
            frames.push(...framer.push(bytes.subarray(at, at + size)));
            at += size;
          }
          expect(texts(frames)).to.deep.equal(objects.map((object) => JSON.stringify(object)));
        },
      ),
    );
  });

  it('bounds size and depth, each with its code', () => {
    const small = { maxBytes: 10, maxDepth: 3, batchBytes: 4 };
    expect(codeOf(() => new Framer(small).push(Buffer.from('{"a":[[1]]}')))).to.equal('JSONRPC_TOO_LARGE');
    expect(codeOf(() => new Framer(small).push(Buffer.from('{"a":"12345678')))).to.equal('JSONRPC_TOO_LARGE');
    expect(codeOf(() => new Framer(small).push(Buffer.from('{[[[')))).to.equal('JSONRPC_TOO_DEEP');
    expect(texts(new Framer(small).push(Buffer.from('{"a":[[]]}')))).to.have.length(1);
  });

  it('refuses what no message begins with, brackets that do not match, and broken UTF-8', () => {
    for (const garbage of ['HTTP/1.1 400', '[]', '"x"', '}', '{]', '{"a":[}'])
      expect(
        codeOf(() => new Framer().push(Buffer.from(garbage))),
        garbage,
      ).to.equal('JSONRPC_SYNTAX');
    expect(codeOf(() => new Framer().push(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])))).to.equal(
      'JSONRPC_SYNTAX',
    );
  });

  it('answers random garbage with nothing but its codes', () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 20 }),
      fc
        .constantFrom(...'{}[]":,0\\'.split(''), ...MESSAGES, '"id":1', 'null', '"method":"x"')
        .map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const framer = new Framer({ maxBytes: 64, maxDepth: 5, batchBytes: 8 });
        const code = codeOf(() => {
          for (const bytes of pieces) framer.push(bytes).forEach((frame) => decodeMessage(frame));
        });
        expect(code).to.be.oneOf([undefined, 'JSONRPC_SYNTAX', 'JSONRPC_TOO_LARGE', 'JSONRPC_TOO_DEEP']);
      }),
      { numRuns: 2000 },
    );
  });
});
