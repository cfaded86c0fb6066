import { expect } from 'chai';
import fc from 'fast-check';
import { VsbError } from '../../../src/errors.ts';
import { decodeMessage, type Incoming } from '../../../src/jsonrpc/envelope.ts';
import { Framer, type FramingLimits } from '../../../src/jsonrpc/framing.ts';
import { Members } from '../../../src/jsonrpc/members.ts';
import { Follower, SESSION, whole } from './captured.ts';

/** Few bytes in a batch, so that even small messages have several. */
const SMALL: FramingLimits = { maxBytes: 1 << 20, maxDepth: 1000, batchBytes: 40 };

/** What pieces of a stream say, in order. @param inBatches whether large objects come as such */
function decode(pieces: readonly Buffer[], inBatches: boolean): Incoming[] {
  const framer = new Framer(SMALL);
  return pieces.flatMap((piece) =>
    framer.push(piece).map((frame) => decodeMessage(frame, inBatches ? () => true : undefined)),
  );
}

const plainly = (messages: readonly Incoming[]): unknown =>
  messages.map(({ kind, message }) => [kind, whole(Object.assign({}, message))]);

const EXPECTED = decode([SESSION], false);

describe('a captured session', () => {
  it('is understood whole', () => {
    const kinds = EXPECTED.map(({ kind, message }) =>
      'method' in message ? `${kind} ${message.method}` : `${kind} ${String(message.id)}`,
    );
    const updates = ['notification update', 'notification update2', 'notification update3'];
    expect(kinds.slice(0, 8)).to.deep.equal([
      ...['success 1', 'success 2', 'error 3', 'error 4', 'success 5', 'success 6', 'success 7', 'success 8'],
    ]);
    expect(kinds.filter((kind) => kind.startsWith('notification')).sort()).to.deep.equal(
      [...updates, ...updates, ...updates, 'notification stolen'].sort(),
    );
    const echo = EXPECTED[1];
    expect(echo?.kind === 'success' && echo.message.result).to.deep.equal(['grüße €😀 "\\']);
  });

  it('gives the same rows with each kind of monitor, exact to the last digit', () => {
    const followers = [new Follower(5), new Follower(6), new Follower(7)];
    const filled = new Map<Follower, Follower['content']>();
    for (const message of EXPECTED)
      for (const follower of followers) {
        const before = follower.changes;
        follower.take(message);
        if (message.kind === 'notification' && follower.changes > before && !filled.has(follower))
          filled.set(follower, follower.content);
      }
    const [plain = [], cond, since] = filled.values();
    expect(cond).to.deep.equal(plain);
    expect(since).to.deep.equal(plain);
    expect(new Set(followers.map(({ changes }) => changes)).size).to.equal(1);
    const tables = new Map(plain);
    const eth0 = tables.get('Interface')?.find(({ name }) => name === 'eth0');
    expect([...(eth0?.['statistics'] as Map<string, bigint>)].sort()).to.deep.equal([
      ['n', 12n],
      ['rx', 9223372036854775807n],
      ['tx', -9223372036854775808n],
      ['z', 9007199254740993n],
    ]);
    const bridge = tables.get('Bridge')?.find(({ name }) => name === 'br-ü');
    expect((bridge?.['other_config'] as Map<string, string>).get('ключ')).to.equal('"Wert\\\n\t\u0001 €😀');
    // At its end all is removed but what stands by itself.
    for (const { content } of followers)
      expect(content.map(([name, rows]) => `${name} ${String(rows.length)}`).sort()).to.deep.equal([
        ...['Bridge 0', 'Interface 0', 'Open_vSwitch 1', 'Port 0', 'QoS 1', 'Queue 1'],
      ]);
  });

  it('says the same with every message cut in two at every offset', () => {
    for (const { text } of new Framer().push(SESSION)) {
      const bytes = Buffer.from(text);
      const expected = JSON.stringify(plainly(decode([bytes], false)));
      for (let cut = 0; cut <= bytes.length; cut += 1) {
        const messages = decode([bytes.subarray(0, cut), bytes.subarray(cut)], cut % 2 === 0);
        if (JSON.stringify(plainly(messages)) !== expected) expect.fail(`${text} cut at ${String(cut)}`);
      }
    }
  });

  it('says the same byte by byte, and however it is cut', () => {
    const expected = plainly(EXPECTED);
    const bytes = Array.from(SESSION, (_, at) => SESSION.subarray(at, at + 1));
    for (const inBatches of [false, true]) expect(plainly(decode(bytes, inBatches))).to.deep.equal(expected);
    const copy = decode(bytes, true).find(({ message }) => 'id' in message && message.id === 6);
    expect(
      copy?.kind === 'success' && (copy.message.result as Record<string, unknown>)['Bridge'],
    ).to.be.instanceOf(Members);
    fc.assert(
      fc.property(fc.array(fc.nat(SESSION.length), { maxLength: 30 }), fc.boolean(), (cuts, inBatches) => {
        const offsets = [0, ...cuts.sort((a, b) => a - b), SESSION.length];
        const pieces = offsets.slice(1).map((to, index) => SESSION.subarray(offsets[index], to));
        expect(plainly(decode(pieces, inBatches))).to.deep.equal(expected);
      }),
      { numRuns: 50 },
    );
  });

  it('answers what was damaged with nothing but its codes, and never hangs', () => {
    // Every message by itself, so that what comes before a damaged one has been taken.
    const framer = new Framer();
    const messages = framer.push(SESSION).map((frame) => Buffer.from(frame.text));
    const at = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    const token = fc.constantFrom(
      ...['null', '[]', '{}', '""', '-1', '1e999', '9223372036854775808', '"\\u0000"', '"\\u0000object0"'],
      ...[
        '"__proto__"',
        '["set",[]]',
        '["map",[[1]]]',
        '["uuid","x"]',
        '"\\ud800"',
        '\\',
        '"',
        ',',
        ':',
        '}',
      ],
      ...['{', ']', '[', '"initial"', '"modify"', '"new"', '"delete"', '"id":5', '"result"', '\ufeff', ' '],
    );
    const damage = fc.oneof(
      fc.record({ kind: fc.constant('flip' as const), at, with: fc.integer({ min: 1, max: 255 }) }),
      fc.record({ kind: fc.constant('drop' as const), at, length: fc.integer({ min: 1, max: 60 }) }),
      fc.record({ kind: fc.constant('put' as const), at, bytes: fc.uint8Array({ maxLength: 8 }) }),
      fc.record({ kind: fc.constant('put' as const), at, bytes: token.map((text) => Buffer.from(text)) }),
      // A whole value gives way to another: what is left is still JSON.
      fc.record({ kind: fc.constant('swap' as const), at, text: token }),
      fc.record({ kind: fc.constant('repeat' as const), at, length: fc.integer({ min: 1, max: 200 }) }),
    );
    type Damage = typeof damage extends fc.Arbitrary<infer D> ? D : never;
    const apply = (bytes: Buffer, change: Damage): Buffer => {
      const offset = Math.floor(change.at * bytes.length);
      const head = bytes.subarray(0, offset);
      switch (change.kind) {
        case 'flip': {
          const copy = Buffer.from(bytes);
          copy[offset] = (copy[offset] ?? 0) ^ change.with;
          return copy;
        }
        case 'drop':
          return Buffer.concat([head, bytes.subarray(offset + change.length)]);
        case 'put':
          return Buffer.concat([head, change.bytes, bytes.subarray(offset)]);
        case 'swap': {
          const rest = bytes.subarray(offset).toString('latin1');
          const value = /"(?:[^"\\]|\\.)*"|-?\d+|null|true|false|\[\]|\{\}/.exec(rest);
          if (!value) return bytes;
          const from = offset + value.index;
          return Buffer.concat([
            bytes.subarray(0, from),
            Buffer.from(change.text),
            bytes.subarray(from + value[0].length),
          ]);
        }
        case 'repeat':
          return Buffer.concat([
            head,
            bytes.subarray(offset, offset + change.length),
            bytes.subarray(offset),
          ]);
      }
    };
    let understood = 0;
    fc.assert(
      fc.property(
        fc.nat(messages.length - 1),
        fc.array(damage, { minLength: 1, maxLength: 3 }),
        fc.constantFrom<5 | 6 | 7>(5, 6, 7),
        fc.boolean(),
        (index, damages, monitor, inBatches) => {
          const follower = new Follower(monitor);
          const stream = new Framer(SMALL);
          const take = (bytes: Buffer) => {
            for (const frame of stream.push(bytes))
              follower.take(decodeMessage(frame, inBatches ? () => true : undefined));
          };
          for (const message of messages.slice(0, index)) take(message);
          const before = follower.content;
          try {
            take(damages.reduce(apply, messages[index] as Buffer));
            understood += 1;
          } catch (thrown) {
            expect(thrown, String(thrown)).to.be.instanceOf(VsbError);
            expect((thrown as VsbError).code).to.be.oneOf([
              ...['JSONRPC_SYNTAX', 'JSONRPC_TOO_LARGE', 'JSONRPC_TOO_DEEP', 'OVSDB_PROTOCOL'],
            ]);
            // What was refused has changed nothing; one piece may hold a good message before the bad one.
            if (damages.every(({ kind }) => kind !== 'repeat'))
              expect(follower.content).to.deep.equal(before);
          }
        },
      ),
      { numRuns: 3000 },
    );
    // Most damage is found out at once; enough is not, and goes all the way.
    expect(understood).to.be.greaterThan(100);
  });

  it('reads a damaged message in batches as it does whole', () => {
    const framer = new Framer();
    const messages = framer.push(SESSION).map((frame) => frame.text);
    const read = (bytes: Buffer, inBatches: boolean) => {
      try {
        return plainly(decode([bytes], inBatches));
      } catch (thrown) {
        return (thrown as VsbError).code;
      }
    };
    fc.assert(
      fc.property(
        fc.nat(messages.length - 1),
        fc.nat(),
        fc.string({ maxLength: 4 }),
        (index, offset, text) => {
          const message = messages[index] ?? '';
          const at = offset % message.length;
          const bytes = Buffer.from(message.slice(0, at) + text + message.slice(at + text.length));
          expect(read(bytes, true)).to.deep.equal(read(bytes, false));
        },
      ),
      { numRuns: 3000 },
    );
    // A comma too many, wherever a batch may end.
    for (const message of messages.slice(4, 7))
      for (let at = message.indexOf(','); at >= 0; at = message.indexOf(',', at + 1))
        for (const end of [at, message.indexOf('}', at)]) {
          const bytes = Buffer.from(`${message.slice(0, end)},${message.slice(end)}`);
          expect(read(bytes, true), bytes.toString()).to.deep.equal(read(bytes, false));
        }
  });
});
