/** The command line with remotes other than one unix socket: TLS, several of them, and being called. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { toSettings } from '../../src/app/settings.ts';
import { connectSwitch } from '../../src/app/switchclient.ts';
import { VsbError } from '../../src/errors.ts';
import type { TlsFiles } from '../../src/jsonrpc/tls.ts';
import { vsb } from '../support/cli.ts';
import { OvsdbServer } from '../support/ovsdb.ts';
import { Pki, tlsArguments } from '../support/pki.ts';

const TOPOLOGY = `
version: 1
name: lab
bridges: { br0: { datapath: netdev } }
networks: { web: { bridge: br0, vlan: 10 } }
vms: { a: { nics: [ { network: web } ] } }
`;

describe('vsb, where the switch is', function () {
  this.timeout(60_000);
  let scratch: string;
  let file: string;

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'vsb-remotes-'));
    file = join(scratch, 'lab.vsb.yaml');
    await writeFile(file, TOPOLOGY);
  });

  after(() => rm(scratch, { recursive: true, force: true }));

  /** That `vsb` reads the bridge "there", and plans and applies the topology beside it. */
  async function expectAllVerbs(
    server: OvsdbServer,
    more: readonly string[],
    env: Record<string, string> = {},
  ) {
    await server.vsctl('--', '--may-exist', 'add-br', 'there');
    const show = await vsb(['show', '-o', 'json', ...more], { env });
    expect(show.status, show.stderr).to.equal(0);
    expect(show.stdout).to.contain('"name": "there"');
    const plan = await vsb(['plan', file, '--database-only', '--detailed-exitcode', ...more], { env });
    expect(plan.status, plan.stderr).to.equal(2);
    expect(plan.stdout).to.contain('+ Bridge  br0');
    const apply = await vsb(['apply', file, '--database-only', '--yes', ...more], { env });
    expect(apply.status, apply.stderr).to.equal(0);
    expect((await server.vsctl('list-br')).trim().split('\n')).to.deep.equal(['br0', 'there']);
  }

  describe('with TLS', () => {
    let pki: Pki;
    let files: TlsFiles;
    let server: OvsdbServer;
    let remote: string;

    before(async () => {
      pki = new Pki();
      files = pki.issue('client');
      server = await OvsdbServer.start({
        arguments: [...tlsArguments(pki.issue('server')), '--remote=pssl:0:127.0.0.1'],
      });
      const port = /0:127\.0\.0\.1: listening on port (\d+)/.exec(server.log())?.[1];
      remote = `ssl:127.0.0.1:${port ?? 'none'}`;
    });

    after(async () => {
      await server[Symbol.asyncDispose]();
      pki[Symbol.dispose]();
    });

    it('shows, plans and applies, with the flags of ovs-vsctl', async () => {
      await expectAllVerbs(server, ['--remote', remote, ...tlsArguments(files)]);
    });

    it('takes the short flags, and the variables', async () => {
      const { privateKey, certificate, caCertificate } = files;
      const short = ['-p', privateKey, '-c', certificate, '-C', caCertificate];
      const byFlags = await vsb(['show', '--remote', remote, ...short]);
      expect(byFlags.status, byFlags.stderr).to.equal(0);
      const byVariables = await vsb(['show'], {
        env: {
          VSB_REMOTE: remote,
          VSB_PRIVATE_KEY: privateKey,
          VSB_CERTIFICATE: certificate,
          VSB_CA_CERT: caCertificate,
        },
      });
      expect(byVariables.status, byVariables.stderr).to.equal(0);
      expect(byVariables.stdout).to.equal(byFlags.stdout);
    });

    it('watches by it', async () => {
      await server.vsctl('--', '--may-exist', 'add-br', 'there');
      const flags = ['--for', '100ms', '--ovs-rundir', scratch, '--remote', remote, ...tlsArguments(files)];
      const { stderr, status } = await vsb(['watch', 'vms', ...flags]);
      // Which bridge to ask is known from the database alone. Nobody is there to answer for it.
      expect(stderr)
        .to.contain('error[OPENFLOW_UNREACHABLE]')
        .and.to.match(/(br0|there)\.mgmt"/);
      expect(status).to.equal(1);
    });

    it('tells which file is missing, cannot be used, or is of another CA', async () => {
      const [key = '', certificate = '', ca = ''] = tlsArguments(files);
      const show = (...flags: string[]) => vsb(['show', '--remote', remote, ...flags]);

      const two = await show(key, ca);
      expect(two.stderr).to.contain('error[TLS_FILES_INCOMPLETE]').and.to.contain('Give --certificate too');
      expect(two.status).to.equal(64);

      const none = await show(key, certificate, `--ca-cert=${scratch}/none.pem`);
      expect(none.stderr).to.contain('error[TLS_FILE_INVALID]').and.to.contain(`${scratch}/none.pem`);
      expect(none.status).to.equal(1);

      using strangers = new Pki();
      const foreign = await show(...tlsArguments(strangers.issue('stranger')));
      expect(foreign.stderr)
        .to.contain('error[OVSDB_UNREACHABLE]')
        .and.to.contain('its certificate is not signed by our CA');
      expect(foreign.status).to.equal(1);
    });
  });

  it('tries several remotes, and tells where none of them answers', async () => {
    await using server = await OvsdbServer.start();
    const [dead, dead2] = [`unix:${scratch}/dead.sock`, `unix:${scratch}/dead2.sock`];
    // The order is shuffled.
    for (let turn = 0; turn < 2; turn += 1)
      await expectAllVerbs(server, ['--remote', `${dead},${server.remote},${dead2}`]).finally(() =>
        server.vsctl('--if-exists', 'del-br', 'br0'),
      );
    const { stderr, status } = await vsb(['show', '--remote', `${dead},${dead2}`]);
    expect(stderr).to.contain('error[OVSDB_UNREACHABLE]');
    expect(status).to.equal(1);
    const mixed = await vsb(['show', '--remote', `${server.remote},punix:${scratch}/m.sock`]);
    expect(mixed.stderr).to.contain('error[REMOTES_MIXED]');
    expect(mixed.status).to.equal(64);
  });

  it('is called by the switch', async () => {
    await using server = await OvsdbServer.start();
    const path = join(scratch, 'manager.sock');
    await server.ctl('ovsdb-server/add-remote', `unix:${path}`);
    await expectAllVerbs(server, ['--remote', `punix:${path}`]);
  });

  it('tells at once that somebody else listens there', async () => {
    const path = join(scratch, 'taken.sock');
    const other = createServer((socket) => socket.destroy()).listen(path);
    try {
      const { stderr, status } = await vsb(['show', '--remote', `punix:${path}`]);
      expect(stderr).to.contain('error[LISTEN_FAILED]');
      expect(status).to.equal(1);
    } finally {
      other.close();
    }
  });

  it('does not wait for ever to be called, and tells what the switch has to be told', async () => {
    for (const [remote, manager] of [
      [`punix:${scratch}/silent.sock`, `unix:${scratch}/silent.sock`],
      ['ptcp:0:127.0.0.1', 'tcp:127.0.0.1:0'],
    ] as const) {
      const error = await connectSwitch(toSettings({ remote }, {}), { callLimitMs: 50 }).then(
        () => expect.fail('nobody calls'),
        (thrown: unknown) => thrown,
      );
      expect(error).to.be.instanceOf(VsbError);
      expect(error).to.have.property('code', 'REMOTE_NOT_CALLED');
      expect(error).to.have.property('message').that.contains(`"ovs-vsctl set-manager ${manager}"`);
    }
  });
});
