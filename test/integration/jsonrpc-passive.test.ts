import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { databasesOf, WatchedLink } from '../support/link.ts';
import { OvsdbServer } from '../support/ovsdb.ts';
import { Pki, tlsArguments } from '../support/pki.ts';

const DATABASES = ['Open_vSwitch', '_Server'];

/** Makes a real server call a remote. */
async function call(server: OvsdbServer, remote: string): Promise<void> {
  // Its control socket is there by the time that it answers.
  await server.client('list-dbs', server.remote);
  const control = join(server.directory, 'ctl.sock');
  execFileSync('ovs-appctl', ['--timeout=10', '-t', control, 'ovsdb-server/add-remote', remote]);
}

function portOf(remote: string): string {
  return /^p\w+:(\d+):/.exec(remote)?.[1] ?? 'none';
}

describe('jsonrpc passive', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'vsb-passive-'));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it('is called over TCP, on IPv4 and IPv6', async () => {
    for (const host of ['127.0.0.1', '[::1]']) {
      await using server = await OvsdbServer.start({ init: false });
      await using watched = new WatchedLink({ remotes: [`ptcp:0:${host}`] });
      const port = portOf(await watched.listening());
      await call(server, `tcp:${host}:${port}`);
      const session = await watched.session();
      expect(await databasesOf(session)).to.deep.equal(DATABASES);
      expect(watched.states.at(-1))
        .to.have.property('remote')
        .that.matches(/^tcp:(127\.0\.0\.1|\[::1\]):\d+$/);
      expect(server.log()).to.not.include('bad JSON-RPC');
    }
  });

  it('is called on a unix socket, whose file goes with it', async () => {
    const path = join(directory, 'manager.sock');
    await using server = await OvsdbServer.start({ init: false });
    await using watched = new WatchedLink({ remotes: [`punix:${path}`] });
    expect(await watched.listening()).to.equal(`punix:${path}`);
    await call(server, `unix:${path}`);
    expect(await databasesOf(await watched.session())).to.deep.equal(DATABASES);
    await watched.link.close();
    expect(existsSync(path)).to.equal(false);
  });

  it('is called over TLS, and lets nobody in without a certificate of the CA', async () => {
    using pki = new Pki();
    using strangers = new Pki();
    const tls = pki.issue('us');
    await using stranger = await OvsdbServer.start({
      arguments: tlsArguments({ ...strangers.issue('stranger'), caCertificate: pki.caCertificate }),
      init: false,
    });
    await using server = await OvsdbServer.start({
      arguments: tlsArguments(pki.issue('switch')),
      init: false,
    });
    await using watched = new WatchedLink({ remotes: ['pssl:0:127.0.0.1'], tls });
    const port = portOf(await watched.listening());
    const remote = `ssl:127.0.0.1:${port}`;
    await call(stranger, remote);
    expect(await watched.logged(/^warn: refused/)).to.match(/its certificate is not signed by our CA/);
    stranger.signal('SIGSTOP');
    // Who shows none is refused too, also where it would go on with an earlier TLS session.
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      let session: Buffer | undefined;
      for (let turn = 0; turn < 2; turn += 1) {
        const options = { rejectUnauthorized: false, maxVersion, ...(session ? { session } : {}) };
        const socket = connectTls(Number(port), '127.0.0.1', options);
        socket.on('session', (given: Buffer) => (session = given));
        socket.on('error', () => undefined);
        await new Promise((resolve) => socket.once('close', resolve));
      }
    }
    expect(watched.sessions).to.have.length(0);
    await call(server, remote);
    expect(await databasesOf(await watched.session())).to.deep.equal(DATABASES);
    expect(watched.sessions).to.have.length(1);
  });

  it('is called by a switch whose manager it is', async () => {
    await using server = await OvsdbServer.start({
      arguments: ['--remote=db:Open_vSwitch,Open_vSwitch,manager_options'],
    });
    await using watched = new WatchedLink({ remotes: ['ptcp:0:127.0.0.1'] });
    const port = portOf(await watched.listening());
    await server.vsctl('set-manager', `tcp:127.0.0.1:${port}`);
    expect(await databasesOf(await watched.session())).to.deep.equal(DATABASES);
    await server.vsctl('del-manager');
    expect((await watched.loss()).code).to.equal('OVSDB_LINK_LOST');
  });

  it('talks to whoever called last, and listens on when the caller goes', async () => {
    await using one = await OvsdbServer.start({ init: false });
    await using two = await OvsdbServer.start({ init: false });
    const path = join(directory, 'manager.sock');
    await using watched = new WatchedLink({ remotes: [`punix:${path}`] });
    await watched.listening();
    await call(one, `unix:${path}`);
    const first = await watched.session();
    await databasesOf(first);
    // A caller that is sent away calls again; a stopped one does not.
    one.signal('SIGSTOP');
    const pending = first.request('list_dbs', [], { timeoutMs: 10_000 });
    await call(two, `unix:${path}`);
    const second = await watched.session(2);
    expect(await databasesOf(second)).to.deep.equal(DATABASES);
    expect(await pending)
      .to.have.nested.property('reason.message')
      .that.includes('a newer call came');
    const from = watched.states.length;
    await two.kill();
    await watched.loss(from);
    one.signal('SIGCONT');
    expect(await databasesOf(await watched.session(3))).to.deep.equal(DATABASES);
    expect(watched.states.map(({ at }) => at)).to.deep.equal([
      ...['listening', 'up', 'backoff', 'listening', 'up', 'backoff', 'listening', 'up'],
    ]);
  });

  it('probes a silent caller, and takes its next call', async () => {
    await using server = await OvsdbServer.start({ init: false });
    await using watched = new WatchedLink({ remotes: ['ptcp:0:127.0.0.1'], probeIntervalMs: 200 });
    const port = portOf(await watched.listening());
    await call(server, `tcp:127.0.0.1:${port}`);
    await databasesOf(await watched.session());
    server.signal('SIGSTOP');
    expect((await watched.loss()).message).to.include('has not answered a probe');
    server.signal('SIGCONT');
    expect(await databasesOf(await watched.session(2))).to.deep.equal(DATABASES);
  });

  it('replaces a socket file that nobody listens at, and no other file', async () => {
    const stale = join(directory, 'stale.sock');
    // A listener that is killed leaves its file.
    const script = `require('net').createServer().listen(${JSON.stringify(stale)},()=>process.kill(process.pid,'SIGKILL'))`;
    expect(() => execFileSync(process.execPath, ['-e', script], { stdio: 'pipe' })).to.throw();
    expect(existsSync(stale)).to.equal(true);
    await using watched = new WatchedLink({ remotes: [`punix:${stale}`] });
    await watched.listening();

    const file = join(directory, 'file');
    writeFileSync(file, 'of somebody');
    await using onFile = new WatchedLink({ remotes: [`punix:${file}`] });
    expect((await onFile.loss()).message).to.match(/Cannot listen at "punix:.*something else .*EADDRINUSE/);
    await using onSocket = new WatchedLink({ remotes: [`punix:${stale}`] });
    expect((await onSocket.loss()).code).to.equal('LISTEN_FAILED');
    const socket = connect(stale);
    await once(socket, 'connect');
    await watched.session();
    socket.destroy();
  });

  it('says why it cannot listen, and tries again', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    const { port } = blocker.address() as { port: number };
    await using watched = new WatchedLink({ remotes: [`ptcp:${String(port)}:127.0.0.1`] });
    const reason = await watched.loss();
    expect(reason.code).to.equal('LISTEN_FAILED');
    expect(reason.message).to.match(/EADDRINUSE\). End it, or choose another place/);
    blocker.close();
    await once(blocker, 'close');
    await watched.logged(/^info: listening/);
    await using elsewhere = new WatchedLink({ remotes: ['ptcp:0:192.0.2.1'] });
    expect((await elsewhere.loss()).message).to.match(/no device of this machine has the address/);
    await using nowhere = new WatchedLink({ remotes: ['punix:/nonexistent/x.sock'] });
    expect((await nowhere.loss()).message).to.match(/its directory is not there|no permission/);
  });
});
