import { expect } from 'chai';
import { MetricsSource } from '../../src/app/metrics.ts';
import { toSettings } from '../../src/app/settings.ts';
import { readMetrics } from '../support/peers/prometheus.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';

describe('a source of metrics', () => {
  it('goes on where ovs-vswitchd restarts: without figures meanwhile, and with counters from 0 after it', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await addVm(sandbox);
    await inject(sandbox);
    await using source = await openSource(sandbox);
    expect(await valueOf(source, 'vswitchboard_vm_sent_bytes_total')).to.equal(1000);
    await sandbox.kill('ovs-vswitchd');
    const { text, losses, isBlind } = await source.scrape();
    expect(text).to.not.include('vm_sent_bytes_total').and.not.include('_datapath_');
    expect(text).to.include('bridge_up{bridge="br0"} 0\n').and.include('control_up 0\n');
    expect(text).to.include('vswitchboard_vm_info{topology="lab",vm="web1"');
    // Its socket stays; a killed one still takes callers for a moment.
    expect(losses.map(({ code }) => code).join()).to.match(/CONTROL_(UNREACHABLE|FAILED)/);
    expect(isBlind).to.equal(true);
    await sandbox.restart('ovs-vswitchd');
    await inject(sandbox);
    await inject(sandbox);
    expect(await valueOf(source, 'vswitchboard_vm_sent_bytes_total')).to.equal(2000);
    expect(await valueOf(source, 'vswitchboard_bridge_read_failures_total')).to.equal(1);
    expect((await source.scrape()).losses).to.deep.equal([]);
  });

  it('reads the switch once for two that ask at the same time, each in its format', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await addVm(sandbox);
    await using source = await openSource(sandbox);
    const [prometheus, openmetrics] = await Promise.all([source.scrape(), source.scrape('openmetrics')]);
    expect(prometheus.text).to.match(/^vswitchboard_readings_total 1$/m);
    expect(openmetrics.text)
      .to.match(/^vswitchboard_readings_total 1$/m)
      .and.match(/^# EOF\n$/m);
    expect((await source.scrape()).text).to.match(/^vswitchboard_readings_total 2$/m);
  });

  it('keeps a VM that has gone, and heeds one that has come', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await addVm(sandbox);
    await inject(sandbox);
    await using source = await openSource(sandbox);
    await source.scrape();
    await sandbox.vsctl('del-port', 'p1', '--', 'add-port', 'br0', 'p9', '--', ...named('p9', 'db1'));
    const text = await textUntil(source, /vm="db1"/);
    expect(text).to.match(/vm_sent_bytes_total\{.*vm="web1".*\} 1000$/m);
    expect(text).to.match(/vm_sent_bytes_total\{.*vm="db1".*\} 0$/m);
  });
});

function openSource(sandbox: TestSandbox): Promise<MetricsSource> {
  const { remote, rundir: ovsRundir } = sandbox;
  return MetricsSource.open({ settings: toSettings({ remote, ovsRundir }, {}) });
}

/** Of the only series of a metric. */
async function valueOf(source: MetricsSource, metric: string): Promise<number | undefined> {
  const { series } = await readMetrics((await source.scrape()).text);
  return series.find(({ name }) => name === metric)?.value;
}

async function textUntil(source: MetricsSource, pattern: RegExp): Promise<string> {
  const endMs = performance.now() + 10_000;
  for (;;) {
    const { text } = await source.scrape();
    if (pattern.test(text) || performance.now() > endMs) return text;
  }
}

async function addVm(sandbox: TestSandbox): Promise<void> {
  await sandbox.vsctl('add-br', 'br0', '--', 'add-port', 'br0', 'p1', '--', ...named('p1', 'web1'));
}

function named(port: string, vm: string): string[] {
  const ids = ['external_ids:vswitchboard=lab', `external_ids:vswitchboard-vm=${vm}`];
  return ['set', 'Interface', port, ...ids, 'external_ids:vswitchboard-nic=0'];
}

/** 1,000 bytes from p1. */
async function inject(sandbox: TestSandbox): Promise<void> {
  const flow =
    'in_port(1),eth(src=52:54:00:00:00:01,dst=52:54:00:00:00:02),eth_type(0x0800),' +
    'ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=no),udp(src=1,dst=2)';
  await sandbox.appctl('netdev-dummy/receive', 'p1', flow, '--len', '1000');
}
