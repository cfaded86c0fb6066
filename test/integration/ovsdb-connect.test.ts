import { expect } from 'chai';
import fc from 'fast-check';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorCodes, VsbError } from '../../src/errors.ts';
import { OvsdbClient, type ConnectOptions } from '../../src/ovsdb/client/client.ts';
import { openVSwitch, type OpenVSwitchTables } from '../../src/ovsdb/generated/vswitch.ts';
import { OvsdbServer } from '../support/ovsdb.ts';

function connect(remote: string, more: Partial<ConnectOptions<OpenVSwitchTables>> = {}) {
  return OvsdbClient.connect({
    remote,
    schema: openVSwitch,
    columns: { Bridge: ['name'] },
    connectTimeoutMs: 5000,
    requestTimeoutMs: 5000,
    ...more,
  });
}

async function failureOf(promise: Promise<AsyncDisposable>): Promise<VsbError> {
  try {
    await (await promise)[Symbol.asyncDispose]();
  } catch (thrown) {
    if (thrown instanceof VsbError) return thrown;
    throw thrown;
  }
  throw new Error('connected');
}

/** A peer that does what a real server will not. */
async function startPeer(onConnection: (socket: Socket) => void) {
  const directory = mkdtempSync(join(tmpdir(), 'vsb-peer-'));
  const path = join(directory, 'db.sock');
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onConnection(socket);
  }).listen(path);
  await once(server, 'listening');
  return {
    remote: `unix:${path}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
      rmSync(directory, { recursive: true });
    },
  };
}

describe('ovsdb connect', () => {
  it('logs no next try where there is none', async () => {
    const remotes = ['unix:/nonexistent/1.sock', 'unix:/nonexistent/2.sock'];
    const log: string[] = [];
    const tell = (level: string, message: string) => log.push(`${level}: ${message}`);
    const error = await failureOf(connect(remotes.join(','), { log: tell, random: () => 0 }));
    await new Promise(setImmediate);
    expect(error.message).to.include('2.sock');
    expect(log).to.have.lengthOf(1);
    expect(log[0]).to.match(/^warn: .*1\.sock.* Trying again in 0 ms\.$/);
  });

  it('says that there is no server, and what to do', async () => {
    const error = await failureOf(connect('unix:/nonexistent/db.sock'));
    expect(error.code).to.equal('OVSDB_UNREACHABLE');
    expect(error.message).to.match(
      /"unix:\/nonexistent\/db\.sock".*no ovsdb-server.*ENOENT.*Start Open vSwitch/,
    );
    expect((await failureOf(connect('tcp:127.0.0.1:1'))).message).to.include('ECONNREFUSED');
    expect((await failureOf(connect(`unix:/${'x'.repeat(120)}`))).code).to.equal('OVSDB_UNREACHABLE');
  });

  it('says that there is no permission', async () => {
    await using server = await OvsdbServer.start();
    // Root may do everything, so the attempt is made as somebody else.
    const isRoot = process.geteuid?.() === 0;
    if (!isRoot) chmodSync(server.directory, 0);
    if (isRoot) process.seteuid?.(65534);
    let failing: Promise<VsbError>;
    try {
      failing = failureOf(connect(server.remote));
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
    const error = await failing;
    if (!isRoot) chmodSync(server.directory, 0o700);
    expect(error.code).to.equal('OVSDB_UNREACHABLE');
    expect(error.message).to.match(/no permission \(EACCES\)\. Run as root/);
  });

  it('refuses wrong and unsupported remotes', async () => {
    expect((await failureOf(connect('/run/db.sock'))).code).to.equal('REMOTE_INVALID');
    expect((await failureOf(connect('db:a,b,c'))).code).to.equal('REMOTE_UNSUPPORTED');
    expect((await failureOf(connect('ssl:127.0.0.1:6640'))).code).to.equal('TLS_FILES_MISSING');
  });

  it('names the databases of a server that does not have ours', async () => {
    await using server = await OvsdbServer.start();
    const error = await failureOf(
      connect(server.remote, { schema: { ...openVSwitch, name: 'OVN_Northbound' } }),
    );
    expect(error.code).to.equal('OVSDB_NO_DATABASE');
    expect(error.message).to.include('it has: Open_vSwitch');
  });

  it('connects over TCP', async () => {
    await using server = await OvsdbServer.start({ arguments: ['--remote=ptcp:0:127.0.0.1'] });
    const port = /0:127\.0\.0\.1: listening on port (\d+)/.exec(server.log())?.[1] ?? 'none';
    await server.vsctl('add-br', 'br0');
    await using client = await connect(`tcp:127.0.0.1:${port}`);
    expect([...client.snapshot().table('Bridge').values()].map(({ name }) => name)).to.deep.equal(['br0']);
  });

  it('is called by the server, at a passive remote', async () => {
    await using server = await OvsdbServer.start();
    const path = join(server.directory, 'ours.sock');
    const connecting = connect(`punix:${path}`);
    await server.ctl('ovsdb-server/add-remote', `unix:${path}`);
    await using client = await connecting;
    await server.vsctl('add-br', 'br0');
    await client.waitFor((snapshot) => snapshot.table('Bridge').size === 1 || undefined, { timeoutMs: 5000 });
    expect((await failureOf(connect('punix:/nonexistent/ours.sock'))).code).to.equal('LISTEN_FAILED');
    const patient = connect(`punix:${join(server.directory, 'none.sock')}`, { patienceMs: 1 });
    expect((await failureOf(patient)).code).to.equal('OVSDB_TIMEOUT');
  });

  it('stops when it is told to', async () => {
    await using peer = await startPeer(() => undefined);
    const stop = new AbortController();
    const failing = failureOf(connect(peer.remote, { signal: stop.signal }));
    stop.abort();
    expect((await failing).code).to.equal('CANCELLED');
    expect((await failureOf(connect(peer.remote, { signal: stop.signal }))).code).to.equal('CANCELLED');
  });

  it('does not wait for ever for a peer that says nothing, hangs up, or answers nonsense', async () => {
    await using silent = await startPeer(() => undefined);
    expect((await failureOf(connect(silent.remote, { requestTimeoutMs: 1 }))).code).to.equal('OVSDB_TIMEOUT');
    await using rude = await startPeer((socket) => socket.destroy());
    const hungUp = await failureOf(connect(rude.remote));
    expect(hungUp.code).to.equal('OVSDB_LINK_LOST');
    expect(hungUp.message).to.match(/is lost: the (server|other end) closed it/);
    await using web = await startPeer((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
    expect((await failureOf(connect(web.remote))).code).to.equal('JSONRPC_SYNTAX');
    await using odd = await startPeer((socket) => socket.write('{"id":2,"result":[],"error":null}'));
    expect((await failureOf(connect(odd.remote))).code).to.equal('OVSDB_PROTOCOL');
  });

  it('answers echo, and refuses other requests', async () => {
    let answers = '';
    const done = new AbortController();
    await using peer = await startPeer((socket) => {
      socket.on('data', (bytes: Buffer) => {
        answers += bytes.toString();
        if (answers.includes('unknown method')) done.abort();
      });
      socket.write('{"id":"echo","method":"echo","params":[]}{"id":"e2","method":"echo","params":["é"]}');
      socket.write('{"id":"x","method":"steal","params":[]}');
    });
    await failureOf(connect(peer.remote, { signal: done.signal }));
    expect(answers).to.include(
      '{"id":"echo","result":[],"error":null}{"id":"e2","result":["é"],"error":null}',
    );
    expect(answers).to.include('{"id":"x","result":null,"error":"unknown method"}');
  });

  it('answers garbage with nothing but its codes', async () => {
    const codes: string[] = errorCodes().map(({ code }) => code);
    let garbage = Buffer.alloc(0);
    await using peer = await startPeer((socket) => socket.end(garbage));
    // The requests, in order: set_db_change_aware, monitor_cond of _Server, and then of the database its schema and rows.
    const answer = (id: number, result: unknown) => Buffer.from(JSON.stringify({ id, result, error: null }));
    const schema = { name: 'Open_vSwitch', tables: { Bridge: { columns: { name: {} } } } };
    const listed = {
      Database: {
        '6f1d5f4c-4bd8-4ff0-a3a1-0f4bd4ee7d5f': {
          initial: {
            name: 'Open_vSwitch',
            model: 'standalone',
            connected: true,
            schema: JSON.stringify(schema),
          },
        },
      },
    };
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
      fc.tuple(fc.integer({ min: 1, max: 4 }), fc.jsonValue()).map(([id, result]) => answer(id, result)),
      fc.jsonValue().map((rows) => answer(3, [false, '', { Bridge: rows }])),
      fc.jsonValue().map((rows) => answer(2, { Database: rows })),
      fc
        .tuple(fc.constantFrom('_Server', 'Open_vSwitch/1'), fc.jsonValue())
        .map(([id, params]) =>
          Buffer.from(JSON.stringify({ id: null, method: 'update3', params: [id, 0, params] })),
        ),
      fc.constantFrom(
        answer(1, {}),
        answer(2, listed),
        answer(2, {}),
        answer(3, schema),
        Buffer.from('{"id":1,"error":"unknown method"}{"id":2,"error":"unknown database"}'),
        Buffer.from('{"id":3,"error":"unknown database"}'),
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 5 }), async (pieces) => {
        garbage = Buffer.concat(pieces);
        const error = await failureOf(connect(peer.remote)).catch((thrown: unknown) => {
          // A server could say just that.
          if (thrown instanceof Error && thrown.message === 'connected') return undefined;
          throw thrown;
        });
        if (!error) return;
        expect(error.code).to.be.oneOf(codes);
        expect(error.code, error.message).to.not.equal('INTERNAL');
      }),
      { numRuns: 150 },
    );
  });
});
