import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { vsb } from '../support/cli.ts';
import { startTestSandbox } from '../support/sandbox.ts';

const TOPOLOGY = `
version: 1
name: lab
bridges: { br0: { datapath: netdev } }
networks: { web: { bridge: br0, vlan: 10 } }
vms: { a: { nics: [ { network: web } ] } }
`;

describe('vsb apply, when it goes wrong', function () {
  this.timeout(60_000);
  let scratch: string;
  let file: string;

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'vsb-errors-'));
    file = join(scratch, 'lab.vsb.yaml');
    await writeFile(file, TOPOLOGY);
  });

  after(() => rm(scratch, { recursive: true, force: true }));

  async function expectError(
    args: readonly string[],
    code: string,
    status: number,
    env: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const result = await vsb(args, { env });
    expect(result.stderr).to.contain(`error[${code}]`);
    expect(result.stderr, 'no stack trace for people').not.to.match(/\n\s+at /);
    expect(result.status).to.equal(status);
    return result.stderr;
  }

  it('tells that there is no ovsdb-server', async () => {
    const remote = `unix:${scratch}/nowhere.sock`;
    for (const args of [['plan', file], ['apply', file, '--yes'], ['destroy', file, '--yes'], ['show']]) {
      const text = await expectError([...args, '--remote', remote], 'OVSDB_UNREACHABLE', 1);
      expect(text).to.contain(remote);
    }
  });

  it('tells what a remote looks like', async () => {
    await expectError(['show', '--remote', 'nonsense'], 'REMOTE_INVALID', 64);
    await expectError(['show', '--remote', 'db:a,b,c'], 'REMOTE_UNSUPPORTED', 64);
    const text = await expectError(['show', '--remote', 'ssl:10.0.0.1:6640'], 'TLS_FILES_MISSING', 64);
    expect(text).to.contain('--private-key, --certificate and --ca-cert');
  });

  it('tells that something else than an ovsdb-server is at the remote', async () => {
    const path = join(scratch, 'web.sock');
    const web = createServer((client) => client.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(path);
    try {
      const text = await expectError(
        ['apply', file, '--yes', '--remote', `unix:${path}`],
        'JSONRPC_SYNTAX',
        1,
      );
      expect(text).to.contain("Check that the remote is an OVSDB server's socket");
    } finally {
      web.close();
    }
  });

  it('tells that a file is missing, and that it is not valid', async () => {
    await expectError(['apply', join(scratch, 'none.yaml'), '--yes'], 'FILE_UNREADABLE', 1);
    const broken = join(scratch, 'broken.vsb.yaml');
    await writeFile(broken, TOPOLOGY.replace('vlan: 10', 'vlan: 4096'));
    const result = await vsb(['apply', broken, '--yes']);
    expect(result.status).to.equal(78);
    expect(result.stderr).to.match(/broken\.vsb\.yaml:5:\d+: error\[[A-Z_]+\]: /);
  });

  it('tells wrong usage', async () => {
    for (const args of [
      ['apply'],
      ['aply', file],
      ['apply', file, '--deadline', '5'],
      ['plan', file, '-o', 'xml'],
    ]) {
      const { status, stderr } = await vsb(args);
      expect(status, args.join(' ')).to.equal(64);
      expect(stderr).to.contain('error:');
    }
  });

  it('shows the stack with --log-level debug only', async () => {
    const { stderr } = await vsb([
      'show',
      '--remote',
      `unix:${scratch}/nowhere.sock`,
      '--log-level',
      'debug',
    ]);
    expect(stderr).to.match(/\n\s+at /);
  });

  it('says that the outcome is unknown when ovsdb-server dies in mid-transaction', async () => {
    await using sandbox = await startTestSandbox({ databaseOnly: true });
    // Passes bytes on until a transaction that writes comes by; then the real server is killed with it on its way.
    const path = join(scratch, 'between.sock');
    const between = createServer((client) => {
      const upstream = connect(join(sandbox.directory, 'db.sock'));
      upstream.pipe(client);
      client.on('data', (chunk) => {
        if (chunk.includes('"op":"insert"')) void sandbox.kill('ovsdb-server');
        else upstream.write(chunk);
      });
      for (const socket of [client, upstream]) socket.on('error', () => client.destroy());
      upstream.on('close', () => client.destroy());
    }).listen(path);
    try {
      await expectError(
        ['apply', file, '--yes', '--database-only', '--remote', `unix:${path}`],
        'SWITCH_OUTCOME_UNKNOWN',
        1,
      );
      // Nothing was lost and nothing half done: the next apply finds the database whole, and makes the rest.
      await sandbox.restart('ovsdb-server');
      expect(await sandbox.vsctl('list-br')).to.equal('');
      const again = await vsb(['apply', file, '--yes', '--database-only'], { env: sandbox.env });
      expect(again.status, again.stderr).to.equal(0);
      const plan = await vsb(['plan', file, '--database-only'], { env: sandbox.env });
      expect(plan.stdout).to.include('nothing to change');
    } finally {
      between.close();
    }
  });

  it('tells a user without permission to come as root', async () => {
    await using sandbox = await startTestSandbox({ databaseOnly: true });
    const program = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    await chmod(sandbox.directory, 0o755);
    const result = await vsb(['show'], { env: sandbox.env, wrapper: program });
    expect(result.stderr)
      .to.contain('error[OVSDB_UNREACHABLE]')
      .and.to.match(/permission/i);
    expect(result.status).to.equal(1);
  });
});
