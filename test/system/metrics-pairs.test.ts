import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { MetricsSource } from '../../src/app/metrics.ts';
import { toSettings } from '../../src/app/settings.ts';
import { vsb } from '../support/cli.ts';
import { documentedMetrics } from '../support/metricsdoc.ts';
import { readMetrics, type ReadMetrics } from '../support/peers/prometheus.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';

const MACS = { web1: '525400000001', db1: '525400000002', app1: '525400000003' } as const;
type Vm = keyof typeof MACS;

const LAB = `
version: 1
name: lab
bridges: { br0: { datapath: netdev } }
networks: { web: { bridge: br0 } }
vms:
${Object.entries(MACS)
  .map(([vm, mac]) => `  ${vm}: { nics: [ { network: web, mac: "${mac.replace(/..(?!$)/g, '$&:')}" } ] }`)
  .join('\n')}
`;

describe('metrics of pairs', function () {
  this.timeout(60_000);
  let scratch: string;
  let sandbox: TestSandbox;

  beforeEach(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'vsb-metrics-'));
    sandbox = await startTestSandbox();
    // Nothing but what the test sends.
    await sandbox.inside('sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=1');
    await sandbox.inside('sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1');
    await writeFile(join(scratch, 'lab.vsb.yaml'), LAB);
    const { status, stderr } = await vsb(['apply', join(scratch, 'lab.vsb.yaml'), '--yes'], {
      env: sandbox.env,
    });
    expect(status, stderr).to.equal(0);
  });

  afterEach(async () => {
    await rm(scratch, { recursive: true, force: true });
    await sandbox[Symbol.asyncDispose]();
  });

  it('are those with most bytes, to the byte, and the rest of them', async () => {
    await send('web1', 'db1', 3, 100);
    await send('db1', 'web1', 1, 200);
    await send('web1', 'app1', 2, 1000);
    const { status, stdout, stderr } = await vsb(['metrics', '--pairs', '1'], { env: sandbox.env });
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
    const metrics = await readMetrics(stdout);
    expect(pairsOf(metrics, 'vswitchboard_pair_bytes_total')).to.deep.equal({
      'web1:0 → app1:0 exact': 2000,
      'other → other exact': 500,
    });
    expect(pairsOf(metrics, 'vswitchboard_pair_packets_total')).to.deep.equal({
      'web1:0 → app1:0 exact': 2,
      'other → other exact': 4,
    });
    expect(metrics.series.find(({ name }) => name === 'vswitchboard_pairs_left_out')?.value).to.equal(2);
    const none = await vsb(['metrics'], { env: sandbox.env });
    expect(none.stdout).to.include('vswitchboard_vm_info').and.not.include('vswitchboard_pair');
  });

  it('never let the rest go back, whoever rises', async () => {
    await using source = await openSource(1);
    const [first, second, third] = [
      await sumsAfter('db1', 1),
      await sumsAfter('app1', 3),
      await sumsAfter('db1', 9),
    ];
    expect(first).to.deep.equal({ 'web1:0 → db1:0 exact': 100 });
    expect(second).to.deep.equal({ 'web1:0 → app1:0 exact': 300, 'other → other exact': 0 });
    // Of db1 the 900 that came now are in its own series, with the 100 before.
    expect(third).to.deep.equal({ 'web1:0 → db1:0 exact': 1000, 'other → other exact': 0 });

    async function sumsAfter(to: Vm, packets: number): Promise<Record<string, number>> {
      await send('web1', to, packets, 100);
      return pairsOf(await readMetrics((await source.scrape()).text), 'vswitchboard_pair_bytes_total');
    }
  });

  it('are, with all others, those that docs/metrics.md describes', async () => {
    await send('web1', 'db1', 3, 100);
    await using source = await openSource(20);
    // Loss is known from the second reading on, where it is known by then that all is counted.
    const text = await textUntil(source, /^vswitchboard_vm_host_loss_packets_total/m);
    const { types } = await readMetrics(text);
    const printed = [...types].map(([name, type]) => [type === 'counter' ? `${name}_total` : name, type]);
    expect(Object.fromEntries(printed)).to.deep.equal(Object.fromEntries(documentedMetrics()));
  });

  function openSource(pairs: number): Promise<MetricsSource> {
    const { remote, rundir: ovsRundir } = sandbox;
    return MetricsSource.open({ settings: toSettings({ remote, ovsRundir }, {}), pairs });
  }

  /** Lets the bridge take packets for ones that came from a VM, of so many bytes each; counted when it returns. */
  async function send(from: Vm, to: Vm, packets: number, bytes: number): Promise<void> {
    const port = (await sandbox.vsctl('get', 'Interface', `${from}-0`, 'ofport')).trim();
    const frame = `${MACS[to]}${MACS[from]}88b5`.padEnd(2 * bytes, '0');
    for (let packet = 0; packet < packets; packet++)
      await sandbox.ofctl('packet-out', 'br0', `in_port=${port},packet=${frame},actions=table`);
    await sandbox.appctl('revalidator/wait');
  }
});

/** `from → to quality` → value. */
function pairsOf({ series }: ReadMetrics, metric: string): Record<string, number> {
  const found = series.filter(({ name }) => name === metric);
  return Object.fromEntries(
    found.map(({ labels: { from = '', to = '', quality = '' }, value }) => [
      `${from} → ${to} ${quality}`,
      value,
    ]),
  );
}

async function textUntil(source: MetricsSource, pattern: RegExp): Promise<string> {
  const endMs = performance.now() + 15_000;
  for (;;) {
    const { text } = await source.scrape();
    if (pattern.test(text) || performance.now() > endMs) return text;
  }
}
