import { expect } from 'chai';
import { setImmediate as immediate } from 'node:timers/promises';
import { fail, VsbError } from '../../src/errors.ts';
import { Link } from '../../src/jsonrpc/link.ts';
import { databasesOf, spin, startTcpPeer, WatchedLink } from '../support/link.ts';
import { OvsdbServer } from '../support/ovsdb.ts';

const DATABASES = ['Open_vSwitch', '_Server'];

describe('jsonrpc link', () => {
  it('speaks over unix, TCP on IPv4 and IPv6, and by name', async () => {
    await using server = await OvsdbServer.start({
      arguments: ['--remote=ptcp:0:127.0.0.1', '--remote=ptcp:0:[::1]'],
    });
    const port = (host: string) =>
      new RegExp(`0:${host}: listening on port (\\d+)`).exec(server.log())?.[1] ?? 'none';
    const four = port('127\\.0\\.0\\.1');
    const six = port('\\[::1\\]');
    for (const remote of [
      server.remote,
      `tcp:127.0.0.1:${four}`,
      `tcp:[::1]:${six}`,
      `tcp:localhost:${four}`,
    ]) {
      await using watched = new WatchedLink({ remotes: [remote] });
      expect(await databasesOf(await watched.session()), remote).to.deep.equal(DATABASES);
      expect(watched.states).to.deep.equal([
        { at: 'connecting', remote },
        { at: 'up', remote },
      ]);
    }
    expect(server.log()).to.not.include('bad JSON-RPC');
  });

  it('tries shuffled remotes in turn, each at once', async () => {
    await using server = await OvsdbServer.start();
    // Always the last of those left.
    const options = { remotes: [server.remote, 'unix:/nonexistent/2', 'unix:/nonexistent/1'] };
    await using watched = new WatchedLink({ ...options, random: () => 0.999 });
    await watched.session();
    expect(watched.states.map((state) => ('remote' in state ? state.remote : state.at))).to.deep.equal([
      'unix:/nonexistent/1',
      'backoff',
      'unix:/nonexistent/2',
      'backoff',
      server.remote,
      server.remote,
    ]);
    expect(watched.states.flatMap((s) => (s.at === 'backoff' ? [s.retryInMs] : []))).to.deep.equal([0, 0]);
  });

  it('shuffles evenly', () => {
    const remotes = ['tcp:a', 'tcp:b', 'tcp:c'];
    const firsts = new Map<string, number>();
    for (let count = 0; count < 600; count += 1) {
      const tried: string[] = [];
      const link = new Link(
        { remotes: ['tcp:a,tcp:b,tcp:c'], connectTimeoutMs: 1, downloadTimeoutMs: 1 },
        {
          onUp: () => undefined,
          onNotification: () => undefined,
          onState: (state) => {
            if (state.at === 'connecting') {
              tried.push(state.remote);
              void link.close();
            }
          },
        },
      );
      link.start();
      expect(tried).to.have.length(1);
      firsts.set(tried[0] ?? '', (firsts.get(tried[0] ?? '') ?? 0) + 1);
    }
    for (const remote of remotes) expect(firsts.get(remote)).to.be.within(120, 280);
  });

  it('refuses remotes that do not go together, and none', () => {
    const codeOf = (remotes: readonly string[]) => {
      try {
        new WatchedLink({ remotes });
        return undefined;
      } catch (thrown) {
        return thrown instanceof VsbError ? thrown.code : thrown;
      }
    };
    expect(codeOf([])).to.equal('REMOTES_MIXED');
    expect(codeOf(['ptcp:', 'tcp:a'])).to.equal('REMOTES_MIXED');
    expect(codeOf(['ptcp:1', 'ptcp:2'])).to.equal('REMOTES_MIXED');
    expect(codeOf(['x:y'])).to.equal('REMOTE_INVALID');
    expect(codeOf(['ssl:a'])).to.equal('TLS_FILES_MISSING');
  });

  it('comes back when the server was killed and started again', async () => {
    await using server = await OvsdbServer.start();
    await using watched = new WatchedLink({ remotes: [server.remote] });
    const first = await watched.session();
    await databasesOf(first);
    await server.kill();
    expect((await watched.loss()).code).to.equal('OVSDB_LINK_LOST');
    await server.restart();
    expect(await databasesOf(await watched.session(2))).to.deep.equal(DATABASES);
    const before = watched.link.stats;
    expect(before.connects).to.equal(2);
    await databasesOf(await watched.session(2));
    expect(watched.link.stats).to.include({
      messagesSent: before.messagesSent + 1,
      messagesReceived: before.messagesReceived + 1,
    });
    expect(watched.link.stats.bytesReceived).to.be.greaterThan(before.bytesReceived);
    expect(watched.link.stats.bytesSent).to.be.greaterThan(before.bytesSent);
  });

  it('leaves for the next remote when it is told to, and says so to who waits', async () => {
    await using one = await OvsdbServer.start();
    await using two = await OvsdbServer.start();
    await using watched = new WatchedLink({ remotes: [one.remote, two.remote] });
    const first = await watched.session();
    const reason = fail('OVSDB_LINK_LOST', { remote: one.remote, why: 'it is not the leader' });
    one.signal('SIGSTOP');
    const pending = first.request('list_dbs', [], { timeoutMs: 10_000 });
    watched.link.leave(reason);
    expect(await pending).to.deep.equal({ kind: 'lost', reason });
    expect(first.lostReason).to.equal(reason);
    expect(await databasesOf(await watched.session(2))).to.deep.equal(DATABASES);
    expect(watched.states.slice(2)).to.deep.equal([
      { at: 'backoff', retryInMs: 0, reason },
      { at: 'connecting', remote: two.remote },
      { at: 'up', remote: two.remote },
    ]);
  });

  it('may be left or closed by who is told of a state or a session', async () => {
    await using server = await OvsdbServer.start();
    const reason = fail('OVSDB_LINK_LOST', { remote: server.remote, why: 'no reason' });
    for (const at of ['connecting', 'up', 'session', 'backoff'] as const) {
      const seen: string[] = [];
      const closed = new Promise<void>((resolve) => {
        const act = (now: string) => {
          seen.push(now);
          if (now === 'closed') {
            void link.close();
            resolve();
          } else if (seen.filter((each) => each === at).length === 1 && now === at) link.leave(reason);
          else if (now === at) void link.close();
        };
        const link = new Link(
          {
            remotes: [server.remote],
            connectTimeoutMs: 5000,
            downloadTimeoutMs: 5000,
            backoff: { leastMs: 1, mostMs: 1 },
          },
          {
            onUp: (session) => {
              act('session');
              if (at === 'backoff') void session.request('nonsense', [], { timeoutMs: 5000 });
              if (at === 'backoff') link.leave(reason);
            },
            onNotification: () => undefined,
            onState: (state) => {
              act(state.at);
            },
          },
        );
        link.start();
      });
      await closed;
      expect(seen.filter((each) => each === 'closed')).to.have.length(1);
      expect(seen.at(-1), seen.join()).to.equal('closed');
    }
  });

  it('notices a stopped server by its probe, and comes back when it goes on', async () => {
    await using server = await OvsdbServer.start({ arguments: ['--remote=ptcp:0:127.0.0.1'] });
    const port = /0:127\.0\.0\.1: listening on port (\d+)/.exec(server.log())?.[1] ?? 'none';
    const limits = { probeIntervalMs: 200, downloadTimeoutMs: 200, connectTimeoutMs: 1000 };
    for (const remote of [server.remote, `tcp:127.0.0.1:${port}`]) {
      await using watched = new WatchedLink({ remotes: [remote], ...limits });
      await databasesOf(await watched.session());
      const from = watched.states.length;
      server.signal('SIGSTOP');
      const reason = await watched.loss(from);
      expect(reason.code).to.equal('OVSDB_LINK_LOST');
      expect(reason.message).to.include('has not answered a probe for 200 ms');
      server.signal('SIGCONT');
      for (let count = 2; ; count += 1) {
        const session = await watched.session(count);
        const answer = await session.request('list_dbs', [], { timeoutMs: 10_000 });
        if (answer.kind === 'lost') continue;
        expect(answer).to.deep.equal({ kind: 'result', result: DATABASES });
        break;
      }
    }
    expect(server.log()).to.not.include('bad JSON-RPC');
  });

  it('does not probe on unix sockets by default', async () => {
    await using server = await OvsdbServer.start();
    await using watched = new WatchedLink({ remotes: [server.remote] });
    await databasesOf(await watched.session());
    expect(watched.link.stats).to.deep.include({ probesSent: 0, connects: 1, messagesSent: 1 });
  });

  it('does not take its own busy loop for a silent peer', async () => {
    await using server = await OvsdbServer.start({ arguments: ['--remote=ptcp:0:127.0.0.1'] });
    const port = /0:127\.0\.0\.1: listening on port (\d+)/.exec(server.log())?.[1] ?? 'none';
    for (const remote of [server.remote, `tcp:127.0.0.1:${port}`]) {
      await using watched = new WatchedLink({ remotes: [remote], probeIntervalMs: 150 });
      const session = await watched.session();
      for (let round = 0; round < 2; round += 1) {
        // With a probe out, its answer waits while we are busy beyond the interval.
        const { probesSent } = watched.link.stats;
        while (watched.link.stats.probesSent === probesSent) await immediate();
        spin(350);
        // Without one: the answer to a request.
        const asked = session.request('list_dbs', [], { timeoutMs: 150 });
        spin(350);
        expect(await asked).to.deep.equal({ kind: 'result', result: DATABASES });
      }
      expect(watched.link.stats.connects).to.equal(1);
      expect(watched.states.map(({ at }) => at)).to.deep.equal(['connecting', 'up']);
    }
  });

  it('gives a silent peer up when the time for the first copy is over', async () => {
    await using silent = await startTcpPeer(() => undefined);
    await using watched = new WatchedLink({ remotes: [silent.remote], downloadTimeoutMs: 50 }, false);
    const session = await watched.session();
    const pending = session.request('list_dbs', [], { timeoutMs: 10_000 });
    const reason = await watched.loss();
    expect(reason.code).to.equal('OVSDB_TIMEOUT');
    expect(reason.message).to.include(`the first copy of the data from "${silent.remote}"`);
    expect(await pending).to.deep.equal({ kind: 'lost', reason });
  });

  it('gives a peer up that does no more than echo', async () => {
    const echo = '{"id":"echo","method":"echo","params":[]}';
    await using peer = await startTcpPeer((socket) => {
      socket.write(echo);
      socket.on('data', () => socket.write(echo));
    });
    await using watched = new WatchedLink({ remotes: [peer.remote], downloadTimeoutMs: 50 }, false);
    expect((await watched.loss()).code).to.equal('OVSDB_TIMEOUT');
    expect(watched.link.stats.messagesReceived).to.be.greaterThan(2);
  });

  it('waits for a peer whose bytes trickle in', async () => {
    const message = '{"id":1,"result":["trickled"],"error":null}';
    await using peer = await startTcpPeer((socket) => {
      let sent = 0;
      const tap = setInterval(() => {
        socket.write(message.charAt(sent));
        sent += 1;
        if (sent === message.length) clearInterval(tap);
      }, 20);
      socket.on('close', () => {
        clearInterval(tap);
      });
    });
    // The message takes far longer than either limit.
    await using watched = new WatchedLink(
      { remotes: [peer.remote], downloadTimeoutMs: 150, probeIntervalMs: 150 },
      false,
    );
    const session = await watched.session();
    const limits = { timeoutMs: 150, extendWhileReceiving: true };
    expect(await session.request('x', [], limits)).to.deep.equal({ kind: 'result', result: ['trickled'] });
    watched.link.settled();
    expect(watched.link.stats.connects).to.equal(1);
  });

  it('takes any time for a limit, also one that is beyond timers', async () => {
    const warnings: string[] = [];
    const note = (warning: Error) => warnings.push(warning.name);
    process.on('warning', note);
    await using server = await OvsdbServer.start();
    for (const timeoutMs of [Infinity, 2 ** 31]) {
      const limits = {
        connectTimeoutMs: timeoutMs,
        downloadTimeoutMs: timeoutMs,
        probeIntervalMs: timeoutMs,
      };
      await using watched = new WatchedLink({ remotes: [server.remote], ...limits }, false);
      const session = await watched.session();
      const databases = session.request('list_dbs', [], { timeoutMs });
      // A timer of 1 ms would judge before the answer is read.
      spin(5);
      expect(await databases).to.deep.equal({ kind: 'result', result: DATABASES });
    }
    await immediate();
    process.off('warning', note);
    expect(warnings).to.deep.equal([]);
  });

  it('ends at once wherever it stands, and tells it once', async () => {
    await using server = await OvsdbServer.start();
    await using silent = await startTcpPeer(() => undefined);
    for (const remotes of [['unix:/nonexistent'], [server.remote], [silent.remote], ['tcp:192.0.2.1:1']]) {
      await using watched = new WatchedLink({ remotes }, false);
      await Promise.all([watched.link.close(), watched.link.close()]);
      watched.link.start();
      watched.link.leave(fail('CANCELLED', { what: 'nothing' }));
      watched.link.settled();
      expect(watched.states.filter(({ at }) => at === 'closed')).to.have.length(1);
      expect(watched.states.at(-1)?.at).to.equal('closed');
    }
    await using watched = new WatchedLink({ remotes: [server.remote] });
    const session = await watched.session();
    const pending = session.request('list_dbs', [], { timeoutMs: 10_000 });
    await watched.link.close();
    expect(await pending).to.have.nested.property('reason.code', 'CANCELLED');
  });
});
