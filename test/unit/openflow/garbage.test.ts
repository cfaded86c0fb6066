import { expect } from 'chai';
import fc from 'fast-check';
import { VsbError } from '../../../src/errors.ts';
import { MessageSplitter } from '../../../src/openflow/framing.ts';
import {
  encodeMessage,
  MessageType,
  OPENFLOW_13,
  OPENFLOW_14,
  OPENFLOW_15,
  type WireVersion,
} from '../../../src/openflow/wire.ts';
import { fixtureNames, lastBytes, readWhole, versionOf } from '../../support/openflowfixtures.ts';

const VERSIONS = fc.constantFrom(OPENFLOW_13, OPENFLOW_14, OPENFLOW_15);

describe('openflow, on what nobody should send', () => {
  it('reads a message that was cut at any offset, or says OPENFLOW_PROTOCOL', () => {
    for (const name of fixtureNames()) {
      const message = lastBytes(name);
      for (let length = 0; length < message.length; length++) {
        readOrRefuse(withLength(message.subarray(0, length)), versionOf(name));
      }
    }
  });

  it('the same where any byte is 0 or 255', () => {
    for (const name of fixtureNames()) {
      const message = lastBytes(name);
      for (let offset = 8; offset < Math.min(message.length, 1500); offset++) {
        for (const byte of [0, 255]) {
          const corrupted = Buffer.from(message);
          corrupted[offset] = byte;
          readOrRefuse(corrupted, versionOf(name));
        }
      }
    }
  });

  it('the same where many bytes were changed, and the end cut off or added to', () => {
    const change = fc.record({ at: fc.nat(), byte: fc.nat(255) });
    const changes = fc.array(change, { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(
        fc.constantFrom(...fixtureNames()),
        changes,
        fc.nat(),
        fc.uint8Array(),
        VERSIONS,
        (...given) => {
          const [name, changed, cut, added, version] = given;
          const message = lastBytes(name);
          for (const { at, byte } of changed) message[at % message.length] = byte;
          const shortened = message.subarray(0, message.length - (cut % message.length));
          readOrRefuse(withLength(Buffer.concat([shortened, added])), version);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('reads random bytes behind a proper header of each type, or says OPENFLOW_PROTOCOL', () => {
    const type = fc.constantFrom(...Object.values(MessageType));
    // The beginning of each multipart reply.
    const prefix = fc.integer({ min: -1, max: 14 }).map((n) => (n < 0 ? [] : [0, n, 0, 0, 0, 0, 0, 0]));
    fc.assert(
      fc.property(
        type,
        prefix,
        fc.uint8Array({ maxLength: 300 }),
        VERSIONS,
        (messageType, start, rest, version) => {
          readOrRefuse(encodeMessage(messageType, 7, Uint8Array.from([...start, ...rest]), version), version);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('takes random bytes as a message, or says OPENFLOW_PROTOCOL', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), VERSIONS, (bytes, version) => {
        readOrRefuse(Buffer.from(bytes), version);
      }),
    );
  });

  it('splits a random stream into messages of at least a header, or says OPENFLOW_PROTOCOL', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 10 }), (chunks) => {
        const splitter = new MessageSplitter();
        orRefuse(() => {
          for (const chunk of chunks) {
            for (const message of splitter.push(Buffer.from(chunk))) expect(message.length).to.be.at.least(8);
          }
        });
      }),
    );
  });
});

function readOrRefuse(bytes: Buffer, version: WireVersion): void {
  orRefuse(() => readWhole(bytes, version));
}

function orRefuse(act: () => unknown): void {
  try {
    act();
  } catch (thrown) {
    if (!(thrown instanceof VsbError)) throw thrown;
    expect(thrown.code).to.equal('OPENFLOW_PROTOCOL');
  }
}

/** A copy whose header says how long it is. */
function withLength(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  if (copy.length >= 4) copy.writeUInt16BE(copy.length, 2);
  return copy;
}
