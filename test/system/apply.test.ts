import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { lockSwitch } from '../../src/app/lock.ts';
import { run, runOrFail } from '../../src/process/run.ts';
import { vsb } from '../support/cli.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';

const TWO_TIER = 'topologies/two-tier.vsb.yaml';
const TWO_NICS = `
version: 1
name: lab
bridges: { br0: { datapath: netdev } }
networks: { web: { bridge: br0, vlan: 10, cidr: 10.1.0.0/24 } }
vms:
  a: { nics: [ { network: web, mac: "52:54:00:00:00:0a" } ] }
  b: { nics: [ { network: web } ] }
`;

interface PlanDocument {
  readonly formatVersion: string;
  readonly outcome?: string;
  readonly changes: readonly { readonly verb: string; readonly kind: string; readonly name: string }[];
  readonly refusals: readonly { readonly code: string; readonly message: string }[];
  readonly findings?: readonly { readonly code: string; readonly name: string; readonly message: string }[];
}

describe('vsb apply', function () {
  this.timeout(60_000);
  let scratch: string;
  let sandbox: TestSandbox;

  beforeEach(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'vsb-apply-'));
    // What a missing device, and a kernel without policing, make ovs-vswitchd log.
    sandbox = await startTestSandbox({
      netns: true,
      announced: [
        /could not open network device/,
        /policing action failed/,
        /failed to (set|change) policing/,
      ],
    });
  });

  afterEach(async () => {
    await rm(scratch, { recursive: true, force: true });
    await sandbox[Symbol.asyncDispose]();
  });

  async function file(text: string): Promise<string> {
    const path = join(scratch, 'lab.vsb.yaml');
    await writeFile(path, text);
    return path;
  }

  const command = (...args: readonly string[]): ReturnType<typeof vsb> => vsb(args, { env: sandbox.env });

  function links(): Promise<string> {
    return runOrFail('ip', ['-br', 'link', 'show'], { timeoutMs: 5000, netns: sandbox.netns }).then((text) =>
      text.replace(/\s+(UP|DOWN|UNKNOWN|LOWERLAYERDOWN)\s+.*$/gm, '').trim(),
    );
  }

  it('makes two-tier run, is idempotent, and destroy leaves what was there before', async () => {
    const before = { show: await sandbox.vsctl('show'), links: await links() };
    const applied = await command('apply', TWO_TIER, '--yes');
    expect(applied.stderr).to.equal('');
    expect(applied.status, applied.stdout).to.equal(0);

    const port = (column: string, name: string): Promise<string> =>
      sandbox.vsctl('get', 'Port', name, column).then((text) => text.trim());
    expect((await sandbox.vsctl('list-br')).trim()).to.equal('br0');
    expect((await sandbox.vsctl('list-ports', 'br0')).trim().split('\n').sort()).to.deep.equal([
      'db1-0',
      'web1-0',
      'web1-1',
      'web2-0',
      'web2-1',
    ]);
    expect(await port('tag', 'web1-0')).to.equal('10');
    expect(await port('tag', 'db1-0')).to.equal('20');
    expect(await port('vlan_mode', 'web1-0')).to.equal('access');
    expect(await port('external_ids', 'web1-0')).to.equal('{vswitchboard=two-tier}');
    const ids = await sandbox.vsctl('get', 'Interface', 'web1-0', 'external_ids');
    for (const id of [
      'attached-mac=',
      'iface-id=',
      'vm-id=',
      'vswitchboard=two-tier',
      'vswitchboard-vm=web1',
    ]) {
      expect(ids).to.contain(id);
    }
    expect(await links()).to.contain('web1-0');

    const plan = await command('plan', TWO_TIER, '--detailed-exitcode');
    expect(plan.stdout).to.contain('nothing to change');
    expect(plan.status).to.equal(0);
    const again = await command('apply', TWO_TIER, '--yes');
    expect(again.stdout).to.contain('nothing to change');
    expect(again.status).to.equal(0);

    const destroyed = await command('destroy', TWO_TIER, '--yes');
    expect(destroyed.status, destroyed.stdout + destroyed.stderr).to.equal(0);
    expect({ show: await sandbox.vsctl('show'), links: await links() }).to.deep.equal(before);
    expect((await sandbox.vsctl('--columns=_uuid', 'list', 'QoS')).trim()).to.equal('');
  });

  it('lets one apply at a time change the switch', async () => {
    await using _held = await lockSwitch(sandbox.remote);
    const { status, stderr } = await command('apply', TWO_TIER, '--yes');
    expect(status).to.equal(1);
    expect(stderr).to.contain('error[APPLY_BUSY]');
    expect(await sandbox.vsctl('list-br')).to.equal('');
    expect((await command('plan', TWO_TIER)).status).to.equal(0);
  });

  it('shows a plan first, and exits with 2 where something would change', async () => {
    const path = await file(TWO_NICS);
    const plan = await command('plan', path, '--detailed-exitcode', '-o', 'json');
    expect(plan.status).to.equal(2);
    const document = JSON.parse(plan.stdout) as PlanDocument;
    expect(document.formatVersion).to.equal('1.0');
    expect(document.changes.map(({ verb, kind, name }) => `${verb} ${kind} ${name}`)).to.deep.equal([
      'create tap a-0',
      'create tap b-0',
      'create Bridge br0',
      'create Port a-0',
      'create Port b-0',
      'create flows br0',
    ]);
    expect((await command('plan', path, '-o', 'json')).stdout).to.equal(plan.stdout);
    expect(await sandbox.vsctl('list-br')).to.equal('');
  });

  it('asks, and changes nothing where nobody can answer', async () => {
    const path = await file(TWO_NICS);
    const { status, stderr } = await command('apply', path);
    expect(status).to.equal(1);
    expect(stderr).to.contain('error[PLAN_NOT_CONFIRMED]').and.to.contain('--yes');
    expect(await sandbox.vsctl('list-br')).to.equal('');
  });

  it('leaves everything of others as it was: bridges, ports, QoS, mirrors, external_ids', async () => {
    await sandbox.inside('ip', 'tuntap', 'add', 'dev', 'theirs', 'mode', 'tap');
    await sandbox.inside('ip', 'link', 'set', 'theirs', 'up');
    await sandbox.vsctl(
      ...['add-br', 'br0', '--', 'set', 'Bridge', 'br0', 'datapath_type=netdev', 'external_ids:note=theirs'],
      ...['--', 'add-br', 'br9', '--', 'set', 'Bridge', 'br9', 'datapath_type=netdev'],
      ...['--', 'add-port', 'br0', 'theirs', 'tag=7', '--', 'set', 'Interface', 'theirs', 'external_ids:a=b'],
      ...['--', 'set', 'Port', 'theirs', 'qos=@q', '--', '--id=@q', 'create', 'QoS', 'type=linux-htb'],
      ...[
        '--',
        '--id=@p',
        'get',
        'Port',
        'theirs',
        '--',
        '--id=@m',
        'create',
        'Mirror',
        'name=m',
        'output-vlan=99',
      ],
      ...['--', 'set', 'Bridge', 'br0', 'mirrors=@m', '--', 'set', 'Open_vSwitch', '.', 'external_ids:x=y'],
    );
    const dump = async (): Promise<string> => {
      const tables = ['Bridge', 'Port', 'Interface', 'QoS', 'Mirror'].map(async (table) => {
        const columns = {
          Bridge: 'name,ports,external_ids,mirrors,rstp_enable,mcast_snooping_enable',
          Port: 'name,tag,qos,external_ids',
          Interface: 'name,external_ids,ofport,ofport_request',
          QoS: '_uuid,type,external_ids',
          Mirror: '_uuid,name,output_vlan',
        }[table];
        const text = await sandbox.vsctl(
          '-f',
          'csv',
          '--no-heading',
          `--columns=${columns ?? ''}`,
          'list',
          table,
        );
        return text.trim().split('\n').sort().join('\n');
      });
      return (
        (await Promise.all(tables)).join('\n\n') +
        (await sandbox.vsctl('get', 'Open_vSwitch', '.', 'external_ids'))
      );
    };
    const before = await dump();
    const path = await file(
      TWO_NICS.replace('{ datapath: netdev }', '{ datapath: netdev, mcastSnooping: true }'),
    );
    const applied = await command('apply', path, '--yes');
    expect(applied.status, applied.stdout + applied.stderr).to.equal(0);
    expect((await sandbox.vsctl('list-ports', 'br0')).trim().split('\n').sort()).to.deep.equal([
      'a-0',
      'b-0',
      'theirs',
    ]);
    expect((await sandbox.vsctl('get', 'Bridge', 'br0', 'mcast_snooping_enable')).trim()).to.equal('true');
    expect((await command('destroy', path, '--yes')).status).to.equal(0);
    expect(await dump()).to.equal(before);
  });

  it('refuses a port that is not ours, with nothing done; adopt takes it over', async () => {
    await sandbox.inside('ip', 'tuntap', 'add', 'dev', 'a-0', 'mode', 'tap');
    await sandbox.inside('ip', 'link', 'set', 'a-0', 'up');
    await sandbox.vsctl(
      'add-br',
      'br0',
      '--',
      'set',
      'Bridge',
      'br0',
      'datapath_type=netdev',
      '--',
      'add-port',
      'br0',
      'a-0',
    );
    const before = await sandbox.vsctl('show');
    const refused = await command('apply', await file(TWO_NICS), '--yes');
    expect(refused.status).to.equal(1);
    expect(refused.stderr).to.contain('PORT_NOT_OURS').and.to.contain('adopt: true');
    expect(await sandbox.vsctl('show')).to.equal(before);
    expect(await links()).not.to.contain('b-0');

    const adopting = await file(TWO_NICS.replace('"52:54:00:00:00:0a"', '"52:54:00:00:00:0a", adopt: true'));
    const adopted = await command('apply', adopting, '--yes');
    expect(adopted.status, adopted.stdout + adopted.stderr).to.equal(0);
    expect(await sandbox.vsctl('get', 'Port', 'a-0', 'external_ids')).to.contain('vswitchboard=lab');

    const destroyed = await command('destroy', adopting, '--yes');
    expect(destroyed.status, destroyed.stdout + destroyed.stderr).to.equal(0);
    expect((await sandbox.vsctl('list-ports', 'br0')).trim()).to.equal('a-0');
    expect((await sandbox.vsctl('get', 'Port', 'a-0', 'external_ids')).trim()).to.equal('{}');
    expect(await links())
      .to.contain('a-0')
      .and.not.to.contain('b-0');
  });

  it('names the one port that is not in effect, and makes the others', async () => {
    const path = await file(
      TWO_NICS.replace('netdev }', 'netdev, uplinks: [ { device: nodev, trunk: [10] } ] }'),
    );
    const applied = await command('apply', path, '--yes');
    expect(applied.status).to.equal(1);
    expect(applied.stdout)
      .to.contain('not in effect')
      .and.to.contain('nodev')
      .and.to.contain('No such device');
    const ofports = await Promise.all(
      ['a-0', 'b-0'].map((name) => sandbox.vsctl('get', 'Interface', name, 'ofport').then(Number)),
    );
    expect(ofports.every((ofport) => ofport >= 0x8000)).to.equal(true);

    const again = await command('apply', path, '--yes', '-o', 'json');
    expect(again.status).to.equal(1);
    const document = JSON.parse(again.stdout) as PlanDocument;
    expect(document.outcome).to.equal('unchanged');
    expect(document.findings?.map(({ code, name }) => [code, name])).to.deep.equal([
      ['PORT_NOT_ATTACHED', 'nodev'],
    ]);
  });

  it('says that a bridge has no datapath', async () => {
    sandbox.announce(/failed to (create|open) (datapath|bridge)/);
    const isThere = (await run('test', ['-e', '/sys/module/openvswitch'], { timeoutMs: 5000 })).status === 0;
    // With the kernel module the bridge comes up: then there is nothing to find, and that is what is expected.
    const applied = await command(
      'apply',
      await file(TWO_NICS.replace('netdev', 'system')),
      '--yes',
      '-o',
      'json',
    );
    const codes = (JSON.parse(applied.stdout) as PlanDocument).findings?.map(({ code }) => code) ?? [];
    expect(codes.includes('BRIDGE_NOT_UP')).to.equal(!isThere);
    expect(applied.status).to.equal(isThere ? 0 : 1);
  });

  it('puts limits in effect, or names those that the kernel cannot do', async () => {
    const path = await file(
      TWO_NICS.replace('"52:54:00:00:00:0a"', '"52:54:00:00:00:0a", limit: { sent: 10M, received: 50M }'),
    );
    const applied = await command('apply', path, '--yes', '-o', 'json');
    const tc = (...args: readonly string[]): Promise<string> =>
      runOrFail('tc', args, { timeoutMs: 5000, netns: sandbox.netns });
    expect(await tc('class', 'show', 'dev', 'a-0')).to.contain('ceil 50Mbit');
    const isPoliced = (await tc('filter', 'show', 'dev', 'a-0', 'ingress')).includes('police');
    const findings = (JSON.parse(applied.stdout) as PlanDocument).findings ?? [];
    expect(findings.map(({ code, name }) => [code, name])).to.deep.equal(
      isPoliced ? [] : [['LIMIT_NOT_IN_EFFECT', 'a-0']],
    );
    expect(applied.status).to.equal(isPoliced ? 0 : 1);
    expect((await sandbox.vsctl('get', 'Interface', 'a-0', 'ingress_policing_rate')).trim()).to.equal(
      '10000',
    );

    const unlimited = await command('apply', await file(TWO_NICS), '--yes');
    expect(unlimited.status, unlimited.stdout).to.equal(0);
    expect(await tc('qdisc', 'show', 'dev', 'a-0')).not.to.contain('htb');
    expect((await sandbox.vsctl('--columns=_uuid', 'list', 'QoS')).trim()).to.equal('');
  });

  it('mends what somebody changed, and only that', async () => {
    const path = await file(TWO_NICS);
    expect((await command('apply', path, '--yes')).status).to.equal(0);
    await sandbox.vsctl('set', 'Port', 'a-0', 'tag=99', '--', 'del-port', 'b-0');
    const plan = JSON.parse((await command('plan', path, '-o', 'json')).stdout) as PlanDocument;
    expect(plan.changes.map(({ verb, kind, name }) => `${verb} ${kind} ${name}`)).to.deep.equal([
      'update Port a-0',
      'create Port b-0',
    ]);
    expect((await command('apply', path, '--yes')).status).to.equal(0);
    expect((await sandbox.vsctl('get', 'Port', 'a-0', 'tag')).trim()).to.equal('10');
  });

  it('says that ovs-vswitchd does not take it up', async () => {
    await sandbox.appctl('exit');
    const applied = await command('apply', await file(TWO_NICS), '--yes', '--deadline', '1s');
    expect(applied.status).to.equal(1);
    expect(applied.stdout).to.contain('SWITCH_NOT_CURRENT').and.to.contain('Is it running?');

    // Nothing is to be written now, and what was written is still not taken up: no port is called unattached for that.
    const again = await command(
      'apply',
      join(scratch, 'lab.vsb.yaml'),
      '--yes',
      '--deadline',
      '1s',
      '-o',
      'json',
    );
    const document = JSON.parse(again.stdout) as PlanDocument;
    expect(document.outcome).to.equal('unchanged');
    expect(document.findings?.map(({ code }) => code)).to.deep.equal(['SWITCH_NOT_CURRENT']);
  });

  it('takes the tap of a NIC that the file no longer has away after ovs-vswitchd let go of it', async () => {
    expect((await command('apply', await file(TWO_NICS), '--yes')).status).to.equal(0);
    const applied = await command('apply', await file(TWO_NICS.replace(/^ {2}b: .*$/m, '')), '--yes');
    expect(applied.status, applied.stdout).to.equal(0);
    expect(await links())
      .to.contain('a-0')
      .and.not.to.contain('b-0');
    const log = await readFile(join(sandbox.directory, 'ovs-vswitchd.log'), 'utf8');
    expect(log.split('\n').filter((line) => /\|(WARN|ERR)\|.*b-0/.test(line))).to.deep.equal([]);
  });

  it('says that another device has the name of a bridge', async () => {
    sandbox.announce(/br0/);
    await sandbox.inside('ip', 'tuntap', 'add', 'dev', 'br0', 'mode', 'tun');
    const applied = await command('apply', await file(TWO_NICS), '--yes', '-o', 'json');
    const { findings } = JSON.parse(applied.stdout) as PlanDocument;
    expect(findings?.map(({ code, name }) => [code, name])).to.deep.equal([['BRIDGE_PORT_FAILED', 'br0']]);
    expect(applied.status).to.equal(1);
  });

  it('shows who is on which port, and what is wrong there', async () => {
    const path = await file(
      TWO_NICS.replace('netdev }', 'netdev, uplinks: [ { device: nodev, trunk: [10] } ] }'),
    );
    await command('apply', path, '--yes');
    const shown = await command('show');
    expect(shown.status).to.equal(0);
    expect(shown.stdout).to.match(/^br0 netdev \(lab\) {2}pairs$/m);
    expect(shown.stdout).to.match(/a-0 +a:0 +web +access 10 +52:54:00:00:00:0a/);
    expect(shown.stdout).to.match(/nodev .*error: could not open network device nodev/);
    const document = JSON.parse((await command('show', '-o', 'json')).stdout) as {
      bridges: { ports: { name: string; vm?: string }[] }[];
    };
    expect(document.bridges[0]?.ports.map(({ name, vm }) => [name, vm])).to.deep.equal([
      ['a-0', 'a'],
      ['b-0', 'b'],
      ['nodev', undefined],
    ]);
  });
});
