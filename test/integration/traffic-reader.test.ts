import { expect } from 'chai';
import { OvsdbClient } from '../../src/ovsdb/client/client.ts';
import { openVSwitch } from '../../src/ovsdb/generated/vswitch.ts';
import { BridgeReader } from '../../src/traffic/bridgereader.ts';
import type { BridgeReading } from '../../src/traffic/portsamples.ts';
import { ratesBetween, type PortSample } from '../../src/traffic/rates.ts';
import { SWITCH_PORT_COLUMNS, toBridgePorts, type BridgePorts } from '../../src/traffic/switchports.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';

describe('reading bridges', () => {
  it('keeps one connection, and opens another where ovs-vswitchd restarted between two questions', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await sandbox.vsctl('add-br', 'br0', '--', 'add-port', 'br0', 'p1');
    using reader = readerOf(sandbox);
    const bridge = await bridgeOf(sandbox);
    const first = sampleOf(await reader.read(bridge));
    const second = sampleOf(await reader.read(bridge));
    expect(second.session).to.equal(first.session);
    expect(ratesBetween(first, second).discontinuity).to.equal(undefined);
    await sandbox.kill('ovs-vswitchd');
    await sandbox.restart('ovs-vswitchd');
    // Our side may not have heard of the end yet; then this question is lost, and the next is not.
    const answers = [await reader.read(await bridgeOf(sandbox)), await reader.read(await bridgeOf(sandbox))];
    const third = sampleOf(answers.find(({ outcome }) => outcome === 'read') ?? expect.fail('twice lost'));
    expect(ratesBetween(second, third).discontinuity).to.equal('new-session');
  });

  it('says why a bridge is lost, and reads it once it is there', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    using reader = readerOf(sandbox);
    const early = await reader.read({ bridge: 'br0', wantsPairs: false, ports: [] });
    expect(early.outcome === 'lost' && early.error.code).to.equal('OPENFLOW_UNREACHABLE');
    await sandbox.vsctl('add-br', 'br0', '--', 'add-port', 'br0', 'p1');
    expect((await reader.read(await bridgeOf(sandbox))).outcome).to.equal('read');
  });

  it('opens a bridge anew that was forgotten', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await sandbox.vsctl('add-br', 'br0', '--', 'add-port', 'br0', 'p1');
    using reader = readerOf(sandbox);
    const bridge = await bridgeOf(sandbox);
    const { session } = sampleOf(await reader.read(bridge));
    reader.keepOnly(new Set(['br0']));
    expect(sampleOf(await reader.read(bridge)).session).to.equal(session);
    reader.keepOnly(new Set());
    expect(sampleOf(await reader.read(bridge)).session).to.not.equal(session);
  });

  it('knows drops and errors of a real tap', async () => {
    await using sandbox = await startTestSandbox({ netns: true });
    await sandbox.inside('ip', 'tuntap', 'add', 'tp1', 'mode', 'tap');
    await sandbox.inside('ip', 'link', 'set', 'tp1', 'up');
    const netdev = ['set', 'bridge', 'br0', 'datapath_type=netdev'];
    await sandbox.vsctl('add-br', 'br0', '--', ...netdev, '--', 'add-port', 'br0', 'tp1');
    using reader = readerOf(sandbox);
    const tap = sampleOf(await reader.read(await bridgeOf(sandbox)), 'tp1');
    expect(tap.counters, 'known and 0, not unknown').to.deep.include({
      rxDropped: 0n,
      rxErrors: 0n,
      rxBytes: 0n,
    });
  });
});

function readerOf(sandbox: TestSandbox): BridgeReader {
  return new BridgeReader({ ovsRundir: sandbox.rundir, limitMs: 5000, nowMs: () => performance.now() });
}

/** Bridge br0 as the database has it, once every port has its number. */
async function bridgeOf(sandbox: TestSandbox): Promise<BridgePorts> {
  const limits = { connectTimeoutMs: 5000, requestTimeoutMs: 5000 };
  const columns = SWITCH_PORT_COLUMNS;
  await using client = await OvsdbClient.connect({
    remote: sandbox.remote,
    schema: openVSwitch,
    columns,
    ...limits,
  });
  return await client.waitFor(
    (snapshot) =>
      toBridgePorts(snapshot).find(
        ({ bridge, ports }) => bridge === 'br0' && ports.every(({ ofport }) => ofport !== undefined),
      ),
    { timeoutMs: 10_000 },
  );
}

function sampleOf(reading: BridgeReading, port = 'p1'): PortSample {
  if (reading.outcome === 'lost') throw reading.error;
  return reading.samples.find((sample) => sample.port === port) ?? expect.fail(`no ${port}`);
}
