import { expect } from 'chai';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OpenFlowConnection, type ConnectOptions } from '../../../src/openflow/connection.ts';
import { VsbError } from '../../../src/errors.ts';
import { encodeHello } from '../../../src/openflow/hello.ts';
import { encodeMessage, MessageType, OPENFLOW_13, OPENFLOW_15 } from '../../../src/openflow/wire.ts';

// What a real switch does not do on demand: silence, garbage, echo requests, half a hello, hanging up.
describe('openflow connection, with a peer that misbehaves', () => {
  it('gives up on a peer that accepts and says nothing', async () => {
    await using peer = await fakePeer(() => undefined);
    await expectCode(peer.connect({ limitMs: 30 }), 'OPENFLOW_TIMEOUT');
  });

  it('gives up on a peer that does not answer a question, and is closed then', async () => {
    await using peer = await fakePeer((socket) => socket.write(encodeHello(1, OPENFLOW_13)));
    await using connection = await peer.connect({ limitMs: 30 });
    await expectCode(connection.portStats(), 'OPENFLOW_TIMEOUT');
    await expectCode(connection.portStats(), 'OPENFLOW_TIMEOUT');
  });

  it('ends on garbage in place of a hello, and says where it came from', async () => {
    await using peer = await fakePeer((socket) =>
      socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'.repeat(2000)),
    );
    const error = await expectCode(peer.connect(), 'OPENFLOW_PROTOCOL');
    expect(error.message).to.contain(peer.path);
  });

  it('refuses a peer of version 1.0, and tells it so', async () => {
    const received: Buffer[] = [];
    await using peer = await fakePeer((socket) => {
      socket.on('data', (chunk) => received.push(chunk));
      socket.write(Buffer.from([1, 0, 0, 8, 0, 0, 0, 5]));
    });
    const error = await expectCode(peer.connect(), 'OPENFLOW_VERSION');
    expect(error.message).to.contain('it speaks 1.0');
    await peer.closed();
    expect(Buffer.concat(received).toString('latin1')).to.contain('only OpenFlow 1.3');
  });

  it('reports a hang-up in the middle of a question', async () => {
    await using peer = await fakePeer((socket) => {
      socket.write(encodeHello(1, OPENFLOW_13));
      socket.on('data', (chunk) => {
        if (chunk.includes(MessageType.multipartRequest)) socket.destroy();
      });
    });
    await using connection = await peer.connect();
    await expectCode(connection.portStats(), 'OPENFLOW_CLOSED');
  });

  it('has not reached a peer that hangs up before its hello', async () => {
    await using peer = await fakePeer((socket) => {
      socket.destroy();
    });
    await expectCode(peer.connect(), 'OPENFLOW_UNREACHABLE');
  });

  it('answers an echo request with the same bytes', async () => {
    const answers = new EventEmitter<{ answer: [Buffer] }>();
    const answer = once(answers, 'answer');
    await using peer = await fakePeer((socket) => {
      socket.write(encodeHello(1, OPENFLOW_13));
      socket.once('data', () => {
        socket.once('data', (chunk) => answers.emit('answer', chunk));
        socket.write(encodeMessage(MessageType.echoRequest, 77, Buffer.from('probe')));
      });
    });
    await using connection = await peer.connect();
    expect(connection).to.be.instanceOf(OpenFlowConnection);
    expect(await answer).to.deep.equal([encodeMessage(MessageType.echoReply, 77, Buffer.from('probe'))]);
  });

  it('matches answers to questions by xid, whatever their order', async () => {
    await using peer = await fakePeer((socket) => {
      socket.write(encodeHello(1, OPENFLOW_13));
      const asked: number[] = [];
      socket.on('data', (chunk) => {
        for (let offset = 0; offset < chunk.length; offset += chunk.readUInt16BE(offset + 2)) {
          if (chunk[offset + 1] === MessageType.featuresRequest) asked.push(chunk.readUInt32BE(offset + 4));
        }
        if (asked.length < 2) return;
        for (const xid of asked.reverse()) socket.write(featuresReply(xid));
      });
    });
    await using connection = await peer.connect();
    const [first, second] = await Promise.all([connection.features(), connection.features()]);
    expect(second.xid).to.equal(first.xid + 1);
    expect(BigInt(`0x${first.datapathId}`)).to.equal(BigInt(first.xid));
    expect(BigInt(`0x${second.datapathId}`)).to.equal(BigInt(second.xid));
  });

  it('lets who awaits an answer go on before it tells an event that came after it', async () => {
    await using peer = await fakePeer((socket) => {
      socket.write(encodeHello(1, OPENFLOW_13));
      socket.on('data', (chunk) => {
        for (let offset = 0; offset < chunk.length; offset += chunk.readUInt16BE(offset + 2)) {
          const xid = chunk.readUInt32BE(offset + 4);
          const type = chunk[offset + 1];
          if (type === MessageType.barrierRequest) socket.write(encodeMessage(MessageType.barrierReply, xid));
          // All in one piece, so that it arrives together.
          if (type === MessageType.featuresRequest)
            socket.write(Buffer.concat([portStatus(0), featuresReply(xid), portStatus(1)]));
        }
      });
    });
    const seen: string[] = [];
    const told = new EventEmitter<{ delete: [] }>();
    const end = once(told, 'delete');
    await using connection = await peer.connect({
      onEvent: (event) => {
        seen.push(event.type === 'port-status' ? event.reason : event.type);
        if (seen.at(-1) === 'delete') told.emit('delete');
      },
    });
    await connection.features();
    seen.push('answer');
    await end;
    expect(seen).to.deep.equal(['add', 'answer', 'delete']);
  });

  it('gives up where events are refused', async () => {
    await using peer = await fakePeer((socket) => {
      socket.write(encodeHello(1, OPENFLOW_13));
      socket.on('data', (chunk) => {
        for (let offset = 0; offset < chunk.length; offset += chunk.readUInt16BE(offset + 2)) {
          if (chunk[offset + 1] !== MessageType.setAsync) continue;
          const badRequest = Buffer.from([0, 1, 0, 5]);
          socket.write(encodeMessage(MessageType.error, chunk.readUInt32BE(offset + 4), badRequest));
        }
      });
    });
    await expectCode(peer.connect({ onEvent: () => expect.fail('an event') }), 'OPENFLOW_REFUSED');
  });

  it('speaks the oldest of the versions that both know, and never one below 1.3', async () => {
    for (const [bitmap, version] of [
      [0b111_0010, 4],
      [0b110_0010, 5],
      [0b100_0000, 6],
    ] as const) {
      await using peer = await fakePeer((socket) => {
        socket.write(helloWithBitmap(bitmap));
        socket.on('data', (chunk) => {
          for (let offset = 0; offset < chunk.length; offset += chunk.readUInt16BE(offset + 2)) {
            if (chunk[offset + 1] !== MessageType.featuresRequest) continue;
            expect(chunk[offset]).to.equal(version);
            const reply = featuresReply(chunk.readUInt32BE(offset + 4));
            reply.writeUInt8(version, 0);
            socket.write(reply);
          }
        });
      });
      await using connection = await peer.connect();
      await connection.features();
    }
    await using old = await fakePeer((socket) => socket.write(helloWithBitmap(0b1110)));
    const error = await expectCode(old.connect(), 'OPENFLOW_VERSION');
    expect(error.message).to.contain('it speaks 1.0, 1.1, 1.2');
  });

  it('ends with its signal, before and after the hello', async () => {
    await using silent = await fakePeer(() => undefined);
    await expectCode(silent.connect({ signal: AbortSignal.abort() }), 'CANCELLED');
    await using peer = await fakePeer((socket) => socket.write(encodeHello(1, OPENFLOW_13)));
    const controller = new AbortController();
    await using connection = await peer.connect({ signal: controller.signal });
    const answer = connection.portStats();
    controller.abort();
    await expectCode(answer, 'CANCELLED');
  });

  it('gives OPENFLOW_CLOSED to who still waits when it is disposed of', async () => {
    await using peer = await fakePeer((socket) => socket.write(encodeHello(1, OPENFLOW_13)));
    const connection = await peer.connect();
    const answer = expectCode(connection.portStats(), 'OPENFLOW_CLOSED');
    await connection[Symbol.asyncDispose]();
    await answer;
  });

  it('says that nobody is there', async () => {
    await using peer = await fakePeer(() => undefined);
    await expectCode(OpenFlowConnection.connect(`${peer.path}.absent`), 'OPENFLOW_UNREACHABLE');
  });
});

interface FakePeer extends AsyncDisposable {
  readonly path: string;
  connect(options?: ConnectOptions): Promise<OpenFlowConnection>;
  /** Once a connection has been closed. */
  closed(): Promise<void>;
}

async function fakePeer(onConnection: (socket: Socket) => unknown): Promise<FakePeer> {
  const directory = await mkdtemp(join(tmpdir(), 'vsb-of-'));
  const path = join(directory, 'br0.mgmt');
  const sockets = new Set<Socket>();
  const closes = new EventEmitter<{ closed: [] }>();
  const closed = once(closes, 'closed');
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => closes.emit('closed'));
    socket.resume();
    onConnection(socket);
  }).listen(path);
  await once(server, 'listening');
  return {
    path,
    connect: (options = {}) => OpenFlowConnection.connect(path, options),
    closed: async () => {
      await closed;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await rm(directory, { recursive: true });
    },
  };
}

/** A features reply whose datapath id is its xid. */
function featuresReply(xid: number): Buffer {
  const body = Buffer.alloc(24);
  body.writeBigUInt64BE(BigInt(xid));
  return encodeMessage(MessageType.featuresReply, xid, body);
}

/** A port-status message of this reason, for port 1. */
function portStatus(reason: number): Buffer {
  const body = Buffer.alloc(72);
  body.writeUInt8(reason, 0);
  body.writeUInt32BE(1, 8);
  return encodeMessage(MessageType.portStatus, 0, body);
}

/** As a peer says it whose highest version is 1.5. */
function helloWithBitmap(bitmap: number): Buffer {
  const hello = encodeHello(1, OPENFLOW_15);
  hello.writeUInt32BE(bitmap, 12);
  return hello;
}

async function expectCode(promise: Promise<unknown>, code: string): Promise<VsbError> {
  const outcome = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(outcome instanceof VsbError)) return expect.fail(`${code} expected, got ${String(outcome)}`);
  expect(outcome.code, outcome.message).to.equal(code);
  return outcome;
}
