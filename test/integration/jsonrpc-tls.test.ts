import { expect } from 'chai';
import { once } from 'node:events';
import { chmodSync, copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as immediate } from 'node:timers/promises';
import { createServer, type TLSSocket } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { fail, VsbError } from '../../src/errors.ts';
import { readTls, type TlsFiles } from '../../src/jsonrpc/tls.ts';
import { databasesOf, spin, startTcpPeer, WatchedLink } from '../support/link.ts';
import { OvsdbServer } from '../support/ovsdb.ts';
import { Pki, tlsArguments } from '../support/pki.ts';

const DATABASES = ['Open_vSwitch', '_Server'];

async function startTlsServer(files: TlsFiles, ...more: readonly string[]) {
  const server = await OvsdbServer.start({
    arguments: [...tlsArguments(files), '--remote=pssl:0:127.0.0.1', ...more],
    init: false,
  });
  // It has told where it listens by the time that it answers.
  await server.client('list-dbs', server.remote);
  const ports = [...server.log().matchAll(/0:127\.0\.0\.1: listening on port (\d+)/g)].map(
    ([, port]) => port,
  );
  return { server, ports };
}

/** Why a link to there fails. */
async function failureOf(remote: string, tls: TlsFiles): Promise<VsbError> {
  await using watched = new WatchedLink({ remotes: [remote], tls }, false);
  return await watched.loss();
}

describe('jsonrpc over TLS', () => {
  let pki: Pki;
  let strangers: Pki;
  let serverFiles: TlsFiles;
  let clientFiles: TlsFiles;

  before(() => {
    pki = new Pki();
    strangers = new Pki();
    serverFiles = pki.issue('server');
    clientFiles = pki.issue('client');
  });

  after(() => {
    pki[Symbol.dispose]();
    strangers[Symbol.dispose]();
  });

  it('speaks with a real server, by address and by a name that is not in its certificate', async () => {
    const { server, ports } = await startTlsServer(serverFiles);
    await using _ = server;
    for (const host of ['127.0.0.1', 'localhost']) {
      const remote = `ssl:${host}:${ports[0] ?? ''}`;
      await using watched = new WatchedLink({ remotes: [remote], tls: clientFiles, probeIntervalMs: 120 });
      const session = await watched.session();
      expect(await databasesOf(session)).to.deep.equal(DATABASES);
      while (watched.link.stats.probesSent < 2) await immediate();
      expect(watched.link.stats.connects).to.equal(1);
      // A busy loop of ours trips no probe here either: what has arrived is decrypted first.
      const { probesSent } = watched.link.stats;
      while (watched.link.stats.probesSent === probesSent) await immediate();
      spin(300);
      while (watched.link.stats.probesSent < probesSent + 2) await immediate();
      expect(watched.link.stats.connects).to.equal(1);
      expect(watched.link.stats.bytesSent).to.be.greaterThan(0);
      expect(watched.link.stats.bytesReceived).to.be.greaterThan(0);
    }
    expect(server.log()).to.not.include('bad JSON-RPC');
  });

  it('takes certificates that were renewed while it was up', async () => {
    const { server, ports } = await startTlsServer(serverFiles);
    await using _ = server;
    const files = pki.issue('renewed');
    await using watched = new WatchedLink({ remotes: [`ssl:127.0.0.1:${ports[0] ?? ''}`], tls: files });
    await databasesOf(await watched.session());
    // As if half of a renewal had been done, then the whole.
    copyFileSync(clientFiles.privateKey, files.privateKey);
    const from = watched.states.length;
    watched.link.leave(fail('CANCELLED', { what: 'a look at the renewed files' }));
    await watched.until(
      (states) => states.find((state) => state.at === 'backoff' && state.reason.code === 'TLS_KEY_MISMATCH'),
      from,
    );
    copyFileSync(clientFiles.certificate, files.certificate);
    expect(await databasesOf(await watched.session(2))).to.deep.equal(DATABASES);
  });

  it('does not trust a server of another CA, and says so', async () => {
    const { server, ports } = await startTlsServer(strangers.issue('server'));
    await using _ = server;
    const error = await failureOf(`ssl:127.0.0.1:${ports[0] ?? ''}`, clientFiles);
    expect(error.code).to.equal('OVSDB_UNREACHABLE');
    expect(error.message).to.match(/its certificate is not signed by our CA .* Give the CA that signed/);
  });

  it('says that the server does not know our CA', async () => {
    const { server, ports } = await startTlsServer(serverFiles);
    await using _ = server;
    const files = { ...strangers.issue('client'), caCertificate: pki.caCertificate };
    const error = await failureOf(`ssl:127.0.0.1:${ports[0] ?? ''}`, files);
    expect(error.code).to.be.oneOf(['OVSDB_UNREACHABLE', 'OVSDB_LINK_LOST']);
    expect(error.message).to.match(/does not know the CA|refuses our certificate|decrypt/);
  });

  it('says that a certificate has expired, here or there', async () => {
    const expired = pki.issue('expired', -1);
    await using old = await (async () => {
      const server = createServer({ ...readTls(expired), requestCert: true }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      return {
        port: (server.address() as AddressInfo).port,
        [Symbol.asyncDispose]: async () => {
          server.close();
          await once(server, 'close');
        },
      };
    })();
    const theirs = await failureOf(`ssl:127.0.0.1:${String(old.port)}`, clientFiles);
    expect(theirs.message).to.match(/its certificate has expired/);
    const { server, ports } = await startTlsServer(serverFiles);
    await using _ = server;
    const ours = await failureOf(`ssl:127.0.0.1:${ports[0] ?? ''}`, expired);
    expect(ours.message).to.match(/our certificate has expired|refuses our certificate/);
  });

  it('says that a peer wants a certificate of the right kind', async () => {
    const sockets = new Set<TLSSocket>();
    const server = createServer({
      ...readTls({ ...strangers.issue('picky'), caCertificate: strangers.caCertificate }),
      requestCert: true,
      rejectUnauthorized: true,
      maxVersion: 'TLSv1.2',
    }).listen(0, '127.0.0.1');
    server.on('secureConnection', (socket) => sockets.add(socket));
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const files = { ...clientFiles, caCertificate: strangers.caCertificate };
    const error = await failureOf(`ssl:127.0.0.1:${String(port)}`, files);
    expect(error.message).to.match(
      /does not know the CA|wants a certificate|refuses our certificate|hung up while TLS|lost/,
    );
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });

  it('says that one end speaks TLS and the other does not', async () => {
    const { server, ports } = await startTlsServer(serverFiles, '--remote=ptcp:0:127.0.0.1');
    await using _ = server;
    const results = await Promise.all(
      ports.map(async (port = '') => ({
        plain: await outcomeOf(`tcp:127.0.0.1:${port}`),
        tls: await outcomeOf(`ssl:127.0.0.1:${port}`),
      })),
    );
    const plainPort = results.find(({ plain }) => plain === 'works');
    const tlsPort = results.find(({ tls }) => tls === 'works');
    expect(plainPort?.tls).to.match(/it hung up while TLS was being agreed on|does not speak TLS/);
    expect(tlsPort?.plain).to.match(
      /the other end speaks TLS\. Write ssl:|before it said anything .* write ssl:/,
    );
  });

  /** `works`, or why it does not. */
  async function outcomeOf(remote: string): Promise<string> {
    await using watched = new WatchedLink({ remotes: [remote], tls: clientFiles });
    await watched.until((states) => states.find(({ at }) => at === 'up' || at === 'backoff'));
    if (watched.sessions.length === 0) return (await watched.loss()).message;
    const answer = await (await watched.session()).request('list_dbs', [], { timeoutMs: 10_000 });
    return answer.kind === 'lost' ? answer.reason.message : 'works';
  }

  it('counts the handshake to the time for connecting', async () => {
    await using silent = await startTcpPeer(() => undefined);
    await using watched = new WatchedLink(
      { remotes: [`ssl:127.0.0.1:${String(silent.port)}`], tls: clientFiles, connectTimeoutMs: 50 },
      false,
    );
    const error = await watched.loss();
    expect(error.code).to.equal('OVSDB_TIMEOUT');
    expect(error.message).to.include('connecting to "ssl:127.0.0.1:');
  });

  it('says which file is missing, locked, no file of its kind, or of another pair', () => {
    const failing = (files: Partial<TlsFiles>) => {
      try {
        new WatchedLink({ remotes: ['ssl:127.0.0.1:1'], tls: { ...clientFiles, ...files } });
      } catch (thrown) {
        if (thrown instanceof VsbError) return `${thrown.code}: ${thrown.message}`;
      }
      return 'no error';
    };
    const text = join(pki.directory, 'text');
    writeFileSync(text, 'no PEM');
    expect(failing({ privateKey: '/nonexistent/key' })).to.match(
      /^TLS_FILE_INVALID: The private key "\/nonexistent\/key" cannot be used: there is no such file/,
    );
    expect(failing({ privateKey: text })).to.match(/there is no private key in PEM form in it/);
    expect(failing({ certificate: text })).to.match(/The certificate .* no certificate in PEM form in it/);
    expect(failing({ certificate: '/nonexistent/c' })).to.match(/certificate .* there is no such file/);
    expect(failing({ caCertificate: text })).to.match(/no CA certificate in PEM form in it/);
    expect(failing({ caCertificate: '/nonexistent/ca' })).to.match(/CA certificate .* there is no such file/);
    expect(failing({ caCertificate: pki.directory })).to.match(/CA certificate .* cannot be used/);
    expect(failing({ privateKey: serverFiles.privateKey })).to.match(
      /^TLS_KEY_MISMATCH: The private key .*server\.key" does not belong to the certificate .*client\.pem/,
    );
    const locked = join(pki.directory, 'locked');
    writeFileSync(
      locked,
      '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMII=\n-----END ENCRYPTED PRIVATE KEY-----\n',
    );
    expect(failing({ privateKey: locked })).to.match(/it is locked with a passphrase/);
    if (process.geteuid?.() === 0) return;
    chmodSync(locked, 0);
    expect(failing({ privateKey: locked })).to.match(/no permission to read it/);
  });
});
