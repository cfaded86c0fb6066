import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { VsbError } from '../../src/errors.ts';
import { runOrFail } from '../../src/process/run.ts';
import { openUdpSocket } from '../../src/process/udpsocket.ts';

const LIMIT = { timeoutMs: 20_000 };
const SEND = 'import socket, sys; socket.socket(2, 2).sendto(b"hello", ("127.0.0.1", int(sys.argv[1])))';

describe('a UDP socket in a network namespace', function () {
  this.timeout(30_000);
  const netns = `vsb-u${randomBytes(4).toString('hex')}`;

  before(async () => {
    await runOrFail('ip', ['netns', 'add', netns], LIMIT);
  });

  after(async () => {
    await runOrFail('ip', ['netns', 'del', netns], LIMIT);
  });

  it('says so where the loopback device is down, since nothing would come', async () => {
    const error = await errorOf(openUdpSocket(netns));
    expect(error).to.have.property('code', 'COLLECTOR_UNAVAILABLE');
    expect(error?.message).to.include(`ip -n ${netns} link set lo up`);
  });

  it('hears what is sent there, and nothing of what is sent here', async () => {
    await runOrFail('ip', ['-n', netns, 'link', 'set', 'lo', 'up'], LIMIT);
    const socket = await openUdpSocket(netns);
    try {
      const { port } = socket.address();
      const heard: string[] = [];
      socket.on('message', (datagram) => heard.push(datagram.toString()));
      const message = once(socket, 'message');
      await runOrFail('python3', ['-c', SEND, String(port)], LIMIT);
      await runOrFail('python3', ['-c', SEND, String(port)], { ...LIMIT, netns });
      await message;
      expect(heard).to.deep.equal(['hello']);
    } finally {
      socket.close();
    }
  });

  it('is not to be had in a namespace that is not there', async () => {
    expect(await errorOf(openUdpSocket('vsb-none'))).to.have.property('code', 'NETNS_MISSING');
  });

  it('is to be had here', async () => {
    const socket = await openUdpSocket(undefined);
    expect(socket.address().address).to.equal('127.0.0.1');
    socket.close();
  });
});

async function errorOf(promise: Promise<unknown>): Promise<VsbError | undefined> {
  try {
    await promise;
  } catch (thrown) {
    if (thrown instanceof VsbError) return thrown;
    throw thrown;
  }
  return undefined;
}
