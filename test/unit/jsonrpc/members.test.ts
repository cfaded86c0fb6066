import { expect } from 'chai';
import fc from 'fast-check';
import { VsbError } from '../../../src/errors.ts';
import { decodeMessage } from '../../../src/jsonrpc/envelope.ts';
import { Framer } from '../../../src/jsonrpc/framing.ts';
import { Members } from '../../../src/jsonrpc/members.ts';

const LIMITS = { maxBytes: 1 << 20, maxDepth: 100, batchBytes: 20 };

/** The message's result with what is read in batches put together, and how many batches there were. */
function decode(text: string, cut = text.length): { readonly result: unknown; readonly batches: number } {
  const bytes = Buffer.from(text);
  const framer = new Framer(LIMITS);
  const [frame] = [...framer.push(bytes.subarray(0, cut)), ...framer.push(bytes.subarray(cut))];
  if (!frame) throw new Error('no message');
  const incoming = decodeMessage(frame, (id) => id === 1);
  if (incoming.kind !== 'success') throw new Error('no success');
  let batches = 0;
  const whole = (value: unknown): unknown => {
    if (value instanceof Members) {
      const parts = [...value.batches()];
      batches += parts.length;
      return Object.assign({}, ...parts) as unknown;
    }
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(whole);
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, whole(member)]));
  };
  return { result: whole(incoming.message.result), batches };
}

const rows = Object.fromEntries(
  Array.from({ length: 20 }, (_, index) => [
    `row,"{${String(index)}`,
    { new: { n: ['set', [index, '},{\\"']] } },
  ]),
);

describe('members', () => {
  it('reads a table of a reply in batches, in each shape of reply, cut anywhere', () => {
    for (const result of [{ T: rows, U: {}, V: rows }, [false, 'x', { T: rows, U: { a: {} } }]]) {
      const text = JSON.stringify({ id: 1, result, error: null });
      for (let cut = 0; cut < text.length; cut += 7) {
        const read = decode(text, cut);
        expect(read.result).to.deep.equal(result);
        expect(read.batches).to.be.greaterThan(10);
      }
    }
  });

  it('reads any result as it is read whole', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(), (value, cut) => {
        const whole = [value, { T: value, U: rows }];
        const text = (id: number) => JSON.stringify({ id, result: whole, error: null });
        // To JSON.parse `__proto__` is a name like others, to Object.assign it is not.
        if (!text(1).includes('__proto__'))
          expect(decode(text(1), cut % text(1).length).result).to.deep.equal(decode(text(2)).result);
      }),
    );
  });

  it('reads text that is not ASCII, and integers beyond 2^53', () => {
    const text = JSON.stringify({ id: 1, result: { T: { ...rows, ü: { new: '€😀' } } } });
    expect(decode(text).result).to.deep.equal((JSON.parse(text) as { result: unknown }).result);
    const long = `{"id":1,"result":{"T":{"a":{"new":9007199254740993},"b":{"new":"${'x'.repeat(40)}"},"c":{"new":-9223372036854775808}}}}`;
    expect(decode(long).result).to.deep.equal({
      T: {
        a: { new: '\u00009007199254740993' },
        b: { new: 'x'.repeat(40) },
        c: { new: '\u0000-9223372036854775808' },
      },
    });
  });

  it('gives whole results to who does not ask for batches, and where the large object is deeper', () => {
    const text = JSON.stringify({ id: 2, result: { T: rows } });
    expect(decode(text)).to.deep.equal({ result: { T: rows }, batches: 0 });
    const deep = JSON.stringify({ id: 1, result: [[[[{ T: rows }]]]] });
    expect(decode(deep)).to.deep.equal({ result: [[[[{ T: rows }]]]], batches: 0 });
  });

  it('takes no text of the peer for an object of its own', () => {
    // The first result is overridden by the second, as in JSON: its large object is nobody's.
    for (const text of ['\\u0000object0', 'large object 0', '0', '']) {
      const result = { T: text.replace('\\u0000', '\0'), U: [text.length] };
      const twice = `{"id":1,"result":{"T":${JSON.stringify(rows)}},"result":{"T":"${text}","U":[${String(text.length)}]}}`;
      expect(decode(twice)).to.deep.equal({ result, batches: 0 });
    }
  });

  it('refuses what is no JSON where it is read', () => {
    const text = `{"id":1,"result":{"T":{"a":{"new":"${'x'.repeat(40)}"},"b" {}}}}`;
    expect(() => decode(text))
      .to.throw(VsbError)
      .with.property('code', 'JSONRPC_SYNTAX');
  });
});
