import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { vsb } from '../support/cli.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';

interface TraceDocument {
  readonly outcome: string;
  readonly packet: string;
  readonly deliveries: readonly { readonly device: string; readonly end: unknown }[];
  readonly decidedBy?: { readonly match: string; readonly cookie: string; readonly maker: string };
}

describe('vsb trace', function () {
  this.timeout(60_000);
  let sandbox: TestSandbox;

  before(async () => {
    sandbox = await startTestSandbox({ dummy: true });
    await sandbox.vsctl('add-br', 'br0', '--', 'set', 'Bridge', 'br0', 'datapath_type=dummy');
    const nics = [
      ['web1-0', 'web1', '10', '52:54:00:10:00:01'],
      ['db1-0', 'db1', '10', '52:54:00:10:00:03'],
      ['other-0', 'other', '20', '52:54:00:10:00:04'],
    ] as const;
    for (const [device, vm, tag, mac] of nics)
      await sandbox.vsctl(
        ...['add-port', 'br0', device, `tag=${tag}`, '--', 'set', 'Interface', device, 'type=dummy'],
        ...[`external_ids:vswitchboard-vm=${vm}`, 'external_ids:vswitchboard-nic=0'],
        `external_ids:attached-mac="${mac}"`,
      );
    await sandbox.vsctl('add-port', 'br0', 'up0', '--', 'set', 'Interface', 'up0', 'type=dummy');
    await sandbox.ofctl('add-flow', 'br0', 'priority=100,cookie=0x77,tcp,tp_dst=22,actions=drop');
    // The switch learns where db1 is, and says so.
    await sandbox.appctl('fdb/add', 'br0', 'db1-0', '10', '52:54:00:10:00:03');
  });

  after(async () => {
    await sandbox[Symbol.asyncDispose]();
  });

  async function traced(...args: readonly string[]): Promise<{ status: number; document: TraceDocument }> {
    const { status, stdout, stderr } = await vsb(['trace', ...args, '-o', 'json'], { env: sandbox.env });
    expect(stderr).to.equal('');
    return { status, document: JSON.parse(stdout) as TraceDocument };
  }

  it('says in names of VMs who gets a packet', async () => {
    const { status, document } = await traced('web1', 'db1', 'tcp/5432');
    expect(status).to.equal(0);
    expect(document).to.deep.include({
      outcome: 'delivered',
      deliveries: [{ bridge: 'br0', device: 'db1-0', end: { vm: 'db1', nic: 0 } }],
    });
  });

  it('says which rule drops it, and ends with status 1', async () => {
    const { status, document } = await traced('web1:0', 'db1:0', 'tcp/22');
    expect(status).to.equal(1);
    expect(document.outcome).to.equal('dropped');
    expect(document.decidedBy).to.include({ match: 'tcp,tp_dst=22', cookie: '0x77', maker: 'other' });
    const table = await vsb(['trace', 'web1', 'db1', 'tcp/22'], { env: sandbox.env });
    expect(table.status).to.equal(1);
    expect(table.stdout).to.match(/^web1:0 → db1:0 on br0: dropped\n {2}by table 0: .*0x77/);
  });

  it('says that two NICs have no VLAN in common', async () => {
    const { status, stdout } = await vsb(['trace', 'web1', 'other'], { env: sandbox.env });
    expect(status).to.equal(1);
    expect(stdout).to.include('"web1-0" and "other-0" have no VLAN in common (untagged 10; untagged 20)');
  });

  it('traces from and to what is beyond the uplink, with the tags that it takes', async () => {
    const out = await traced('web1', 'uplink');
    expect(out.status).to.equal(0);
    expect(out.document.deliveries.map(({ device }) => device)).to.include('up0');
    const back = await traced('uplink', 'db1', 'icmp');
    expect(back.document).to.deep.include({ outcome: 'delivered' });
    expect(back.document.packet).to.include('dl_vlan=10');
  });

  it('takes addresses from the topology', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'vsb-trace'));
    try {
      const file = join(directory, 'lab.vsb.yaml');
      await writeFile(
        file,
        'version: 1\nname: lab\nbridges: { br0: }\nnetworks: { web: { bridge: br0, vlan: 10, cidr: 10.1.0.0/24 } }\n' +
          'vms:\n  web1: { nics: [{ network: web, ip: 10.1.0.11 }] }\n  db1: { nics: [{ network: web, ip: 10.1.0.21 }] }\n',
      );
      const { status, document } = await traced('web1', '10.1.0.21', 'tcp/5432', '--file', file);
      expect(status).to.equal(0);
      expect(document.packet).to.include('nw_src=10.1.0.11,nw_dst=10.1.0.21');
      expect(document.deliveries).to.have.length(1);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it("gives Open vSwitch's own text", async () => {
    const { stdout } = await vsb(['trace', 'web1', 'db1', '--raw'], { env: sandbox.env });
    expect(stdout).to.match(/^Flow: .*\n\nbridge\("br0"\)\n-+\n 0\. /);
  });

  for (const [args, code, status] of [
    [['web1', 'nobody'], 'NIC_UNKNOWN', 64],
    [['web1', 'db1', 'quux'], 'TRACE_MATCH_INVALID', 64],
    [['web1', 'db1', 'icmp/3'], 'TRACE_MATCH_INVALID', 64],
    [['web1', 'db1', '--file', '/nonexistent'], 'FILE_UNREADABLE', 1],
    [['web1', 'db1', '--ovs-rundir', '/nonexistent'], 'CONTROL_SOCKET_MISSING', 1],
  ] as const)
    it(`fails with ${code} for ${args.join(' ')}`, async () => {
      const result = await vsb(['trace', ...args], { env: sandbox.env });
      expect(result.stderr).to.include(`vsb: error[${code}]: `);
      expect(result.status).to.equal(status);
    });
});

describe('vsb trace, on a bridge that a topology manages', function () {
  this.timeout(60_000);

  it('passes the rules that count, and says whose they are', async () => {
    await using sandbox = await startTestSandbox();
    const options = { env: sandbox.env };
    const file = 'topologies/two-tier.vsb.yaml';
    const applied = await vsb(['apply', file, '--yes'], options);
    expect(applied.status, applied.stderr).to.equal(0);
    const mac = await sandbox.vsctl('get', 'Interface', 'db1-0', 'external_ids:attached-mac');
    await sandbox.appctl('fdb/add', 'br0', 'db1-0', '20', mac.trim().replaceAll('"', ''));
    const { status, stdout } = await vsb(['trace', 'web1', 'db1', 'tcp/5432', '--file', file], options);
    expect(status).to.equal(0);
    // Of web1's NICs the one that is in db1's VLAN.
    expect(stdout).to.match(/^web1:1 → db1:0 on br0: delivered to db1:0 \(db1-0\)\n/);
    expect(stdout).to.match(/by table 60: .*NORMAL \(vsb for "two-tier", cookie 0x5642[0-9a-f]{12}\)/);
    expect(stdout).to.include('nw_src=10.2.0.11,nw_dst=10.2.0.21');
  });
});
