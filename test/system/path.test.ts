/** `vsb path` and `vsb graph` of real QEMU processes that nobody of vsb started: each way that runs here. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { qmp } from '../../src/guest/qmp.ts';
import { runOrFail, type RunResult } from '../../src/process/run.ts';
import { vsb } from '../support/cli.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';
import { expectError } from '../support/sandboxlab.ts';

interface ShownStep {
  readonly name: string;
  readonly detail?: string;
  readonly via?: string;
  readonly problem?: string;
}
interface ShownPath {
  readonly steps: readonly ShownStep[];
  readonly uplinks: readonly ShownStep[];
}

describe('vsb path', function () {
  this.timeout(120_000);
  let sandbox: TestSandbox;
  let directory: string;
  let vm: string;

  const run = (...args: readonly string[]): Promise<RunResult> => vsb(args, { env: sandbox.env });
  async function pathOf(nic: number): Promise<ShownPath & { readonly status: number }> {
    const { stdout, stderr, status } = await run('path', `${vm}:${String(nic)}`, '-o', 'json');
    expect(stderr).to.equal('');
    const document = JSON.parse(stdout) as { formatVersion: string; paths: [ShownPath] };
    expect(document.formatVersion).to.equal('1.0');
    return { ...document.paths[0], status };
  }
  const ip = (...args: readonly string[]): Promise<string> => sandbox.inside('ip', ...args);

  before(async () => {
    sandbox = await startTestSandbox({ netns: true });
    directory = await mkdtemp(join(tmpdir(), 'vsb-p'));
    // A name that no other test's VM has: all QEMU processes of the host are looked through.
    vm = `way"[1]-${directory.slice(-6)}`;
    await sandbox.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=netdev');
    await ip('link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'peer0');
    await ip('link', 'add', 'eth1', 'type', 'veth', 'peer', 'name', 'peer1');
    await ip('link', 'add', 'lbr0', 'type', 'bridge');
    for (const tap of ['tp0', 'tp1', 'tp3']) await ip('tuntap', 'add', tap, 'mode', 'tap');
    await ip('link', 'set', 'tp1', 'master', 'lbr0');
    await ip('link', 'add', 'link', 'eth1', 'name', 'mv0', 'type', 'macvtap', 'mode', 'vepa');
    for (const device of ['eth0', 'peer0', 'eth1', 'peer1', 'lbr0', 'tp0', 'tp1', 'mv0'])
      await ip('link', 'set', device, 'up');
    await sandbox.vsctl('add-port', 'br0', 'tp0', 'tag=10', '--', 'add-port', 'br0', 'eth0');
    const minors = (await sandbox.inside('sh', '-c', 'cat /sys/class/net/mv0/tap*/dev')).trim().split(':');
    const node = join(directory, 'mv0');
    await runOrFail('mknod', [node, 'c', ...minors], { timeoutMs: 5000 });
    const tap = (number: number, model: string): string[] => [
      ...['-netdev', `tap,id=n${String(number)},ifname=tp${String(number)},script=no,downscript=no`],
      ...['-device', `${model},netdev=n${String(number)},mac=52:54:00:00:00:0${String(number)}`],
    ];
    const qemu = [
      ...['qemu-system-x86_64', '-name', `guest=${vm},debug-threads=on`, '-S', '-accel', 'tcg', '-m', '16'],
      ...['-nodefaults', '-no-user-config', '-display', 'none', '-daemonize'],
      ...['-qmp', `unix:${directory}/qmp.sock,server=on,wait=off`, '-pidfile', join(directory, 'pid')],
      ...[...tap(0, 'virtio-net-pci'), ...tap(1, 'e1000')],
      ...['-netdev', '{"type":"tap","fd":"30","id":"n2"}'],
      ...['-device', '{"driver":"virtio-net-pci","netdev":"n2","mac":"52:54:00:00:00:02"}'],
      ...tap(3, 'rtl8139'),
    ];
    // dash has descriptors of one digit only.
    const start = 'node=$1; shift; exec "$@" 30<>"$node"';
    await sandbox.inside('bash', '-c', start, 'bash', node, ...qemu);
  });
  after(async () => {
    await qmp(join(directory, 'qmp.sock'), 'quit').catch(() => undefined);
    await rm(directory, { recursive: true });
    await sandbox[Symbol.asyncDispose]();
  });

  it('leads from virtio over a tap and Open vSwitch to the uplink', async () => {
    const { steps, uplinks, status } = await pathOf(0);
    expect(steps.map(({ name }) => name)).to.deep.equal(['virtio-net', 'tp0', 'br0']);
    const ofport = (await sandbox.vsctl('get', 'Interface', 'tp0', 'ofport')).trim();
    expect(steps[2]).to.include({ detail: 'netdev', via: `port ${ofport}, access 10` });
    expect(uplinks.map(({ name }) => name)).to.deep.equal(['eth0']);
    expect(status).to.equal(0);
  });

  it('leads from e1000 over a plain bridge, which has no uplink', async () => {
    const { steps, uplinks } = await pathOf(1);
    expect(steps.map(({ name }) => name)).to.deep.equal(['e1000', 'tp1', 'lbr0']);
    expect(steps[2]?.detail).to.equal('Linux bridge');
    expect(uplinks).to.deep.equal([]);
    expect((await run('path', `${vm}:1`)).stdout)
      .to.include('emulated')
      .and.to.include('no uplink');
  });

  it('finds a macvtap by the descriptor that QEMU was handed', async () => {
    const { steps, uplinks } = await pathOf(2);
    expect(steps[1]).to.include({ name: 'mv0', detail: 'mode vepa' });
    expect(uplinks.map(({ name }) => name)).to.deep.equal(['eth1']);
  });

  it('says what is broken, with exit status 1', async () => {
    const { steps, status } = await pathOf(3);
    expect(status).to.equal(1);
    expect(steps[1]?.problem).to.equal('it is down. Run: ip link set tp3 up');
    expect(steps[2]?.problem).to.match(/^tp3 is in no bridge/);
  });

  it('draws the same as graphs that dot takes, whatever the VM is called', async () => {
    const dot = await run('path', vm, '--graph', 'dot');
    const plain = await runOrFail('dot', ['-Tplain'], { timeoutMs: 20_000, input: dot.stdout });
    expect(plain.split('\n').filter((line) => line.startsWith('node '))).to.have.length(14);
    expect(plain).to.include(vm.replaceAll('"', '\\"'));
    const whole = JSON.parse((await run('graph', '-o', 'json')).stdout) as { nodes: { label: string }[] };
    expect(whole.nodes.map(({ label }) => label)).to.include.members([vm, 'br0 (netdev)', 'mv0 (mode vepa)']);
  });

  it('refuses a VM and a NIC that are not there', async () => {
    expectError(await run('path', `${vm}x`), 'GUEST_NOT_FOUND', 'Running: ');
    expectError(await run('path', `${vm}:7`), 'GUEST_NIC_UNKNOWN', 'Its NICs are 0 to 3', 64);
  });

  it('needs no Open vSwitch for what does not pass it', async () => {
    const env = { ...sandbox.env, VSB_REMOTE: `unix:${directory}/none.sock` };
    const { stdout, status } = await vsb(['path', `${vm}:2`], { env });
    expect(stdout).to.include('macvtap mv0 (mode vepa) → eth1');
    expect(status).to.equal(0);
    expect((await vsb(['path', `${vm}:0`], { env })).stdout).to.match(/Open vSwitch cannot be asked: \[/);
    expect(Number(await readFile(join(directory, 'pid'), 'utf8'))).to.be.above(1);
  });
});
