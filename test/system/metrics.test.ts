import { chmod } from 'node:fs/promises';
import { expect } from 'chai';
import { vsb } from '../support/cli.ts';
import { documentedMetrics } from '../support/metricsdoc.ts';
import { readMetrics, type ReadMetrics } from '../support/peers/prometheus.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';

const LIMIT_MS = 60_000;

describe('vsb metrics', function () {
  this.timeout(LIMIT_MS);

  it('prints every byte that a VM sent and received, in both formats', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await addVms(sandbox);
    for (const size of [60, 500, 1514]) await inject(sandbox, size);
    for (const format of ['prometheus', 'openmetrics'] as const) {
      const { status, stdout, stderr } = await vsb(['metrics', '-o', format], { env: sandbox.env });
      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
      const metrics = await readMetrics(stdout, format);
      expect(valuesOf(metrics, 'vswitchboard_vm_sent_bytes_total')).to.deep.equal({ web1: 2074, db1: 0 });
      expect(valuesOf(metrics, 'vswitchboard_vm_received_packets_total')).to.deep.equal({ web1: 0, db1: 3 });
      const [info] = metrics.series.filter(({ name }) => name === 'vswitchboard_vm_info');
      expect(info?.labels).to.deep.equal({
        ...{ topology: 'lab', vm: 'web1', nic: '0', network: 'web' },
        ...{ bridge: 'br0', port: 'p1', mac: '52:54:00:00:00:01' },
      });
      // The dummy datapath counts neither.
      expect(valuesOf(metrics, 'vswitchboard_vm_sent_dropped_packets_total')).to.deep.equal({});
    }
  });

  it('prints the metrics that docs/metrics.md describes, and no others', async () => {
    await using sandbox = await startTestSandbox({ netns: true });
    for (const tap of ['p1', 'p2']) {
      await sandbox.inside('ip', 'tuntap', 'add', tap, 'mode', 'tap');
      await sandbox.inside('ip', 'link', 'set', tap, 'up');
    }
    await addVms(sandbox, '--', 'set', 'bridge', 'br0', 'datapath_type=netdev');
    const { stdout, stderr } = await vsb(['metrics'], { env: sandbox.env });
    expect(stderr).to.equal('');
    const { types } = await readMetrics(stdout);
    const printed = [...types].map(([name, type]) => [type === 'counter' ? `${name}_total` : name, type]);
    const expected = [...documentedMetrics()].filter(([name]) => !ONLY_WITH_PAIRS.includes(name));
    expect(Object.fromEntries(printed)).to.deep.equal(Object.fromEntries(expected));
  });

  it('prints what it can where VMs are odd', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await addVms(sandbox);
    const ids = (port: string, ...values: string[]): string[] => ['--', 'set', 'Interface', port, ...values];
    await sandbox.vsctl(
      ...['--', 'add-port', 'br0', 'odd', ...ids('odd', 'external_ids:vm-id="a\\"b\\\\c\\n{é}"')],
      ...['--', 'add-port', 'br0', 'copy', ...ids('copy', 'external_ids:vswitchboard=lab')],
      ...ids('copy', 'external_ids:vswitchboard-vm=web1', 'external_ids:vswitchboard-nic=0'),
    );
    const { stdout } = await vsb(['metrics'], { env: sandbox.env });
    const metrics = await readMetrics(stdout);
    expect(valuesOf(metrics, 'vswitchboard_vm_sent_bytes_total')).to.deep.equal({
      ...{ web1: 0, db1: 0 },
      'a"b\\c\n{é}': 0,
    });
    expect(metrics.series.find(({ name }) => name === 'vswitchboard_nics_left_out')?.value).to.equal(1);
  });

  it('says what it could not read, prints the rest, and fails where nothing can be read', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await addVms(sandbox, '--', 'add-br', 'br1');
    await chmod(sandbox.directory, 0o755);
    await chmod(`${sandbox.directory}/db.sock`, 0o777);
    await chmod(`${sandbox.directory}/br0.mgmt`, 0o777);
    await chmod(`${sandbox.directory}/br1.mgmt`, 0o700);
    const wrapper = ['setpriv', '--reuid=65534', '--clear-groups'];
    const partly = await vsb(['metrics'], { env: sandbox.env, wrapper });
    expect(partly.status, partly.stderr).to.equal(0);
    expect(partly.stderr).to.match(/^vsb: warning\[OPENFLOW_FORBIDDEN\].*br1\.mgmt/m);
    expect(partly.stderr).to.match(/^vsb: warning\[CONTROL_UNREACHABLE\]/m);
    const metrics = await readMetrics(partly.stdout);
    expect(valuesOf(metrics, 'vswitchboard_bridge_up', 'bridge')).to.deep.equal({ br0: 1, br1: 0 });
    expect(valuesOf(metrics, 'vswitchboard_vm_sent_bytes_total')).to.have.keys('web1', 'db1');
    expect(partly.stdout).to.include('vswitchboard_switch_control_up 0').and.not.include('_datapath_');
    await sandbox.kill('ovs-vswitchd');
    const blind = await vsb(['metrics'], { env: sandbox.env });
    expect({ status: blind.status, stdout: blind.stdout }).to.deep.equal({ status: 1, stdout: '' });
    expect(blind.stderr).to.include('error[OPENFLOW_UNREACHABLE]');
  });

  it('refuses wrong usage with 64', async () => {
    for (const args of [['--pairs', 'x'], ['--pairs', '-1'], ['-o', 'json'], ['more']]) {
      const { status, stdout } = await vsb(['metrics', ...args]);
      expect({ status, stdout }, args.join(' ')).to.deep.equal({ status: 64, stdout: '' });
    }
  });
});

const ONLY_WITH_PAIRS = [
  'vswitchboard_vm_host_loss_packets_total',
  'vswitchboard_pair_bytes_total',
  'vswitchboard_pair_packets_total',
  'vswitchboard_pairs_left_out',
];

/** Label (the VM, by default) → value. */
function valuesOf({ series }: ReadMetrics, metric: string, label = 'vm'): Record<string, number> {
  const found = series.filter(({ name }) => name === metric);
  return Object.fromEntries(found.map(({ labels, value }) => [labels[label] ?? '', value]));
}

/** Bridge br0 with web1:0 on p1 and db1:0 on p2. */
async function addVms(sandbox: TestSandbox, ...more: readonly string[]): Promise<void> {
  const nic = (port: string, vm: string, mac: string): string[] => [
    ...['--', 'add-port', 'br0', port, '--', 'set', 'Interface', port, 'external_ids:vswitchboard=lab'],
    ...[`external_ids:vswitchboard-vm=${vm}`, 'external_ids:vswitchboard-nic=0'],
    ...['external_ids:vswitchboard-network=web', `external_ids:attached-mac="${mac}"`],
  ];
  const nics = [...nic('p1', 'web1', '52:54:00:00:00:01'), ...nic('p2', 'db1', '52:54:00:00:00:02')];
  await sandbox.vsctl('add-br', 'br0', ...nics, ...more);
}

/** Lets the switch receive a packet of this size from web1; it floods it to the others. */
async function inject(sandbox: TestSandbox, bytes: number): Promise<void> {
  const flow =
    'in_port(1),eth(src=52:54:00:00:00:01,dst=52:54:00:00:00:02),eth_type(0x0800),' +
    'ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=no),udp(src=1,dst=2)';
  await sandbox.appctl('netdev-dummy/receive', 'p1', flow, '--len', String(bytes));
}
