import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { VsbError } from '../../src/errors.ts';
import { askControl, findControlSocket, runControlCommand } from '../../src/ovsdb/unixctl.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';

const LIMIT = { timeoutMs: 15_000 };

describe('unixctl', () => {
  describe('with a real daemon', () => {
    let sandbox: TestSandbox;

    before(async function () {
      this.timeout(30_000);
      sandbox = await startTestSandbox({ dummy: true });
    });

    after(async () => {
      await sandbox[Symbol.asyncDispose]();
    });

    it('finds the socket by the pid file, and runs commands', async () => {
      const path = await findControlSocket(sandbox.rundir);
      expect(path).to.match(/\/ovs-vswitchd\.\d+\.ctl$/);
      const version = await runControlCommand(path, 'version', [], LIMIT);
      expect(version.outcome).to.equal('done');
      expect(version.text).to.match(/^ovs-vswitchd \(Open vSwitch\) /);
      expect(await askControl(path, 'dpif/show', [], LIMIT)).to.equal(await sandbox.appctl('dpif/show'));
      expect(await findControlSocket(sandbox.rundir, 'ovsdb-server')).to.match(/\/ovsdb-server\.\d+\.ctl$/);
    });

    it('hands on what the daemon refuses', async () => {
      const path = await findControlSocket(sandbox.rundir);
      const refused = await runControlCommand(path, 'no/such', ['ü'], LIMIT);
      expect(refused.outcome).to.equal('refused');
      expect(refused.text).to.include('"no/such" is not a valid command');
      const error = await caught(askControl(path, 'ofproto/trace', ['no-such-bridge', 'in_port=1'], LIMIT));
      expect(error.code).to.equal('CONTROL_REFUSED');
      expect(error.message).to.include('no-such-bridge');
    });

    it('runs many at once', async () => {
      const path = await findControlSocket(sandbox.rundir);
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => runControlCommand(path, 'version', [], LIMIT)),
      );
      expect(answers.every(({ outcome }) => outcome === 'done')).to.equal(true);
    });
  });

  it('says that there is no daemon', async () => {
    const error = await caught(runControlCommand('/nonexistent/ctl.sock', 'version', [], LIMIT));
    expect(error.code).to.equal('CONTROL_UNREACHABLE');
    expect(error.message).to.include('/nonexistent/ctl.sock').and.include('ENOENT');
    expect((await caught(findControlSocket('/nonexistent'))).code).to.equal('CONTROL_SOCKET_MISSING');
  });

  it('limits the time for a daemon that does not answer, and heeds the signal', async () => {
    await using fake = await startFake(() => undefined);
    const late = await caught(runControlCommand(fake.path, 'version', [], { timeoutMs: 20 }));
    expect(late.code).to.equal('CONTROL_TIMEOUT');
    const signal = AbortSignal.abort();
    expect((await caught(runControlCommand(fake.path, 'version', [], { ...LIMIT, signal }))).code).to.equal(
      'CANCELLED',
    );
  });

  for (const [what, answer] of [
    ['garbage', 'no json at all'],
    ['a number for a text', '{"id":1,"result":5,"error":null}'],
    ['half an answer', '{"id":1,"result":"ab'],
    ['nothing', ''],
  ] as const)
    it(`calls it an error where ${what} comes back`, async () => {
      await using fake = await startFake((socket) => socket.end(answer));
      const error = await caught(runControlCommand(fake.path, 'dpctl/show', [], LIMIT));
      expect(error.code).to.equal('CONTROL_FAILED');
      expect(error.message).to.include('dpctl/show');
    });

  it('finds the only socket where there is no pid file, and chooses from several by the pid alone', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'vsb-ctl'));
    try {
      await writeFile(join(directory, 'ovs-vswitchd.7.ctl'), '');
      expect(await findControlSocket(directory)).to.equal(join(directory, 'ovs-vswitchd.7.ctl'));
      await writeFile(join(directory, 'ovs-vswitchd.8.ctl'), '');
      expect((await caught(findControlSocket(directory))).message).to.include('ovs-vswitchd.7.ctl, ');
      await writeFile(join(directory, 'ovs-vswitchd.pid'), '8\n');
      expect(await findControlSocket(directory)).to.equal(join(directory, 'ovs-vswitchd.8.ctl'));
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

/** A daemon that does this with who sends something. */
async function startFake(onRequest: (socket: Socket) => unknown) {
  const directory = await mkdtemp(join(tmpdir(), 'vsb-ctl'));
  const sockets = new Set<Socket>();
  const path = join(directory, 'fake.ctl');
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => onRequest(socket));
  }).listen(path);
  await once(server, 'listening');
  return {
    path,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
      await rm(directory, { recursive: true });
    },
  };
}

async function caught(promise: Promise<unknown>): Promise<VsbError> {
  try {
    await promise;
  } catch (thrown) {
    if (thrown instanceof VsbError) return thrown;
    throw thrown;
  }
  throw new Error('it did not fail');
}
