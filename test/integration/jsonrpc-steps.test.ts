import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseRemotes, type ActiveRemote } from '../../src/jsonrpc/remote.ts';
import { Session } from '../../src/jsonrpc/session.ts';
import type { Steps } from '../../src/jsonrpc/steps.ts';
import { spin } from '../support/link.ts';

/** A peer that answers the first request, and says "later" in the same breath. */
async function startPeer() {
  const directory = await mkdtemp(join(tmpdir(), 'vsb-steps'));
  const path = join(directory, 'peer.sock');
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.once('data', () => {
      socket.write('{"id":1,"result":[],"error":null}{"id":null,"method":"later","params":[]}');
      // For who asked twice.
      socket.write('{"id":2,"result":[],"error":null}');
    });
  }).listen(path);
  await once(server, 'listening');
  return {
    remote: parseRemotes(`unix:${path}`)[0] as ActiveRemote,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await rm(directory, { recursive: true });
    },
  };
}

/** A session to it that writes down what happens. */
async function openNoted(remote: ActiveRemote) {
  const events: string[] = [];
  let tellLater: (() => void) | undefined;
  const later = new Promise<void>((resolve) => (tellLater = resolve));
  const session = await Session.open(
    remote,
    {
      onNotification: (method) => {
        events.push(method);
        tellLater?.();
      },
      onLost: () => events.push('lost'),
    },
    {},
  );
  return { events, session, later };
}

describe('a result that is taken in steps', () => {
  it('lets other work of the process come between, and no later message', async () => {
    await using peer = await startPeer();
    const { events, session, later } = await openNoted(peer.remote);
    const answer = await session.request('anything', [], {
      timeoutMs: 5000,
      *onResult(): Steps {
        for (const step of ['one', 'two', 'three']) {
          events.push(step);
          setImmediate(() => events.push(`after ${step}`));
          yield;
        }
        return undefined;
      },
    });
    expect(answer.kind).to.equal('result');
    await later;
    expect(events).to.deep.equal(['one', 'after one', 'two', 'after two', 'three', 'after three', 'later']);
    await session.close();
  });

  it('is no silence of the peer’s for other requests', async () => {
    await using peer = await startPeer();
    const { session } = await openNoted(peer.remote);
    const taken = session.request('anything', [], {
      timeoutMs: 5000,
      *onResult(): Steps {
        for (let step = 0; step < 5; step += 1) {
          spin(30);
          yield;
        }
        return undefined;
      },
    });
    expect((await session.request('another', [], { timeoutMs: 60 })).kind).to.equal('result');
    expect((await taken).kind).to.equal('result');
    await session.close();
  });

  it('ends with the session', async () => {
    await using peer = await startPeer();
    const { events, session } = await openNoted(peer.remote);
    const answer = await session.request('anything', [], {
      timeoutMs: 5000,
      *onResult(): Steps {
        events.push('one');
        setImmediate(() => void session.close());
        yield;
        events.push('never');
        return undefined;
      },
    });
    expect(answer.kind).to.equal('lost');
    await new Promise(setImmediate);
    expect(events).to.deep.equal(['one']);
  });

  it('ends the session by what it throws', async () => {
    await using peer = await startPeer();
    const { events, session } = await openNoted(peer.remote);
    const answer = await session.request('anything', [], {
      timeoutMs: 5000,
      *onResult(): Steps {
        yield;
        throw new Error('it does not fit');
      },
    });
    expect(answer.kind).to.equal('lost');
    expect(events).to.deep.equal(['lost']);
  });
});
