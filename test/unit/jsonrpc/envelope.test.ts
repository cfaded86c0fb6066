import { expect } from 'chai';
import fc from 'fast-check';
import { VsbError } from '../../../src/errors.ts';
import {
  decodeMessage,
  encodeAnswer,
  encodeNotification,
  encodeRefusal,
  encodeRequest,
} from '../../../src/jsonrpc/envelope.ts';
import { Framer } from '../../../src/jsonrpc/framing.ts';
import { fromMarkedInteger, toMarkedInteger } from '../../../src/jsonrpc/integers.ts';

function decode(text: string) {
  const [frame] = new Framer().push(Buffer.from(text));
  if (!frame) throw new Error('no message');
  return decodeMessage(frame);
}

describe('envelope', () => {
  it('writes JSON-RPC 1.0, without a version member', () => {
    expect(JSON.parse(encodeRequest(7, 'echo', ['x']))).to.deep.equal({
      id: 7,
      method: 'echo',
      params: ['x'],
    });
    expect(JSON.parse(encodeNotification('cancel', [7]))).to.deep.equal({
      id: null,
      method: 'cancel',
      params: [7],
    });
    expect(JSON.parse(encodeAnswer('echo', []))).to.deep.equal({ id: 'echo', result: [], error: null });
    expect(JSON.parse(encodeRefusal('x', 'unknown method'))).to.deep.equal({
      id: 'x',
      result: null,
      error: 'unknown method',
    });
  });

  it('reads results, notifications and requests', () => {
    expect(decode('{"id":1,"result":{},"error":null}')).to.deep.include({ kind: 'success' });
    expect(decode('{"id":null,"method":"update","params":[1]}').kind).to.equal('notification');
    expect(decode('{"method":"update","params":[1]}').kind).to.equal('notification');
    expect(decode('{"id":"echo","method":"echo","params":[]}').kind).to.equal('request');
  });

  it('reads both shapes of errors, with or without a result', () => {
    for (const result of ['', '"result":null,']) {
      const bare = decode(`{"id":1,${result}"error":"unknown method"}`);
      expect(bare.kind === 'error' && bare.message.error.message).to.equal('unknown method');
      const object = decode(`{"id":1,${result}"error":{"error":"syntax error","details":"d","syntax":"s"}}`);
      expect(object.kind === 'error' && object.message.error.message).to.equal('syntax error');
      expect(object.kind === 'error' && (object.message.error.data as unknown)).to.deep.equal({
        error: 'syntax error',
        details: 'd',
        syntax: 's',
      });
    }
  });

  it('refuses what is no message', () => {
    for (const text of [
      '{}',
      '{"id":1}',
      '{"id":{},"result":1}',
      '{"id":1,"method":"x"}',
      '{"id":1,"method":"x","params":{}}',
      '{"a" 1}',
    ])
      expect(() => decode(text), text)
        .to.throw(VsbError)
        .with.property('code', 'JSONRPC_SYNTAX');
  });

  it('carries 64-bit integers exactly, both ways', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const text = encodeRequest(1, 'transact', [
          toMarkedInteger(value),
          '"',
          `${value.toString()} "in text"`,
        ]);
        expect(text).to.include(`[${value.toString()},`);
        const back = decode(text);
        expect(back.kind).to.equal('request');
        if (back.kind !== 'request') return;
        const [integer, quote, inText] = back.message.params as unknown[];
        expect(fromMarkedInteger(integer)).to.equal(value);
        expect([quote, inText]).to.deep.equal(['"', `${value.toString()} "in text"`]);
      }),
    );
  });

  it('finds them beside texts of any length, and any escapes', () => {
    const texts = [
      'x'.repeat(20_000_000),
      '\\',
      '\\"',
      '"',
      '\\\\"1234567890123456789',
      '\n'.repeat(100),
      '',
    ];
    const json = `{"id":1,"result":[${texts.map((text) => `${JSON.stringify(text)},12345678901234567890`).join()}]}`;
    const message = decode(json);
    expect(message.kind === 'success' && message.message.result).to.deep.equal(
      texts.flatMap((text) => [text, '\u000012345678901234567890']),
    );
  });

  it('leaves reals with many digits alone', () => {
    const message = decode('{"id":1,"result":[0.1234567890123456,1e300,123456789012345.5],"error":null}');
    expect(message.kind === 'success' && message.message.result).to.deep.equal([
      0.1234567890123456, 1e300, 123456789012345.5,
    ]);
  });

  it('sends any text that OVSDB can take, and refuses U+0000 and lone surrogates', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const act = () => encodeRequest(1, 'x', [value]);
        if (/\0|\p{Surrogate}/u.test(value))
          expect(act).to.throw(VsbError).with.property('code', 'JSONRPC_UNSENDABLE');
        else expect((JSON.parse(act()) as { params: unknown }).params).to.deep.equal([value]);
      }),
    );
    for (const value of ['\0', '\ud800', 'a\\\0', '"\u00001"', { '\0': 1 }])
      expect(() => encodeRequest(1, 'x', [value]))
        .to.throw(VsbError)
        .with.property('code', 'JSONRPC_UNSENDABLE');
    expect(encodeRequest(1, 'x', ['\\u0000', '\\ud800', '\\\\u0000'])).to.be.a('string');
  });
});
