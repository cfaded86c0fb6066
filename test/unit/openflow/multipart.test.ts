import { expect } from 'chai';
import { decodeMessage } from '../../../src/openflow/codec.ts';
import { multipartReader, type MultipartReply } from '../../../src/openflow/multipart.ts';
import { PORT_DESCRIPTIONS } from '../../../src/openflow/portdescription.ts';
import { PORT_STATS } from '../../../src/openflow/portstats.ts';
import { decodeOfPort, toOfPort } from '../../../src/openflow/ofport.ts';
import { encodeMessage, MessageType, OPENFLOW_13 } from '../../../src/openflow/wire.ts';

describe('openflow multipart', () => {
  it('joins parts until the one without MORE', () => {
    const ofports: number[] = [];
    const read = multipartReader(PORT_STATS, OPENFLOW_13, ({ ofport }) => ofports.push(ofport));
    expect(read(part([1, 2], true))).to.equal(false);
    expect(read(part([], true))).to.equal(false);
    expect(read(part([3], false))).to.equal(true);
    expect(ofports).to.deep.equal([1, 2, 3]);
  });

  it('refuses a part of another kind', () => {
    const read = multipartReader(PORT_DESCRIPTIONS, OPENFLOW_13, () => expect.fail('taken'));
    expect(() => read(part([1], false))).to.throw('a part of type 4');
  });

  it('leaves out numbers that no port of Open vSwitch has', () => {
    const { body } = part([0, 0xfffffffe, 0xffffffff, 70000], false);
    expect(PORT_STATS.decode(body, OPENFLOW_13).map(({ ofport }) => Number(ofport))).to.deep.equal([65534]);
  });
});

describe('openflow port numbers', () => {
  it('are 16 bits, as in the database', () => {
    expect(decodeOfPort(0xfffffffe)).to.equal(65534);
    expect(decodeOfPort(65279)).to.equal(65279);
    for (const none of [-1, 0, 65280, 65535, 1.5]) expect(toOfPort(none), String(none)).to.equal(undefined);
  });
});

/** A part with port statistics of these port numbers, all counters 0. */
function part(ofports: readonly number[], more: boolean): MultipartReply {
  const body = Buffer.alloc(8 + ofports.length * 112);
  body.writeUInt16BE(4, 0);
  body.writeUInt16BE(more ? 1 : 0, 2);
  ofports.forEach((ofport, index) => body.writeUInt32BE(ofport, 8 + index * 112));
  const message = decodeMessage(encodeMessage(MessageType.multipartReply, 1, body), OPENFLOW_13);
  return message.type === 'multipart-reply' ? message : expect.fail(message.type);
}
