import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import { VsbError } from '../../src/errors.ts';
import { batch } from '../../src/host/ipbatch.ts';
import { hostDomain } from '../../src/host/domain.ts';
import type { HostChange } from '../../src/host/types.ts';
import { run, runOrFail } from '../../src/process/run.ts';
import { desiredTaps, type TapWish } from '../support/desiredtaps.ts';

const WAIT = { deadlineMs: 15_000 };

describe('taps in the kernel', () => {
  const netns = `vsb-t${randomBytes(4).toString('hex')}`;
  const host = hostDomain({ netns });

  async function ip(...args: readonly string[]): Promise<string> {
    return runOrFail('ip', args, { timeoutMs: 10_000, netns });
  }
  async function link(device: string): Promise<string> {
    return (await run('ip', ['-d', '-o', 'link', 'show', 'dev', device], { timeoutMs: 10_000, netns }))
      .stdout;
  }
  async function plan(wishes: readonly TapWish[], topology = 'lab') {
    const desired = desiredTaps(topology, wishes);
    return { desired, ...host.diff(desired, await host.observe(desired)) };
  }
  async function bringAbout(wishes: readonly TapWish[], topology = 'lab'): Promise<readonly HostChange[]> {
    const { desired, changes, refusals } = await plan(wishes, topology);
    expect(refusals).to.deep.equal([]);
    expect((await host.apply(changes, WAIT)).failed).to.deep.equal([]);
    expect((await plan(wishes, topology)).changes, 'a second plan').to.deep.equal([]);
    expect(await host.verify(desired, WAIT)).to.deep.equal([]);
    return changes;
  }
  async function destroy(topology = 'lab'): Promise<readonly HostChange[]> {
    const { changes } = host.removal(topology, await host.observe(desiredTaps(topology, [])));
    expect((await host.apply(changes, WAIT)).failed).to.deep.equal([]);
    return changes;
  }

  beforeEach(() => runOrFail('ip', ['netns', 'add', netns], { timeoutMs: 10_000 }));
  afterEach(() => runOrFail('ip', ['netns', 'del', netns], { timeoutMs: 10_000 }));

  it('are made persistent, up and marked, and go again', async () => {
    await ip('link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1');
    const before = await ip('-o', 'link', 'show');
    await bringAbout([{ device: 'web1-0' }, { device: 'web1-1', model: 'e1000' }]);
    const virtio = await link('web1-0');
    expect(virtio).to.match(/<[^>]*\bUP\b[^>]*>/);
    expect(virtio).to.match(/type tap .*vnet_hdr on.* persist on/);
    expect(virtio).to.contain('alias vswitchboard:lab:web1-0:0');
    expect(await link('web1-1')).to.match(/type tap .*vnet_hdr off.* persist on/);
    expect(await bringAbout([{ device: 'web1-1', model: 'e1000' }])).to.have.length(1);
    expect(await link('web1-0')).to.equal('');
    expect(await destroy()).to.have.length(1);
    expect(await ip('-o', 'link', 'show')).to.equal(before);
  });

  it('are raised again when something has lowered them', async () => {
    await bringAbout([{ device: 'web1-0' }]);
    await ip('link', 'set', 'web1-0', 'down');
    const desired = desiredTaps('lab', [{ device: 'web1-0' }]);
    expect((await host.verify(desired, WAIT)).map((finding) => finding.code)).to.deep.equal(['DEVICE_DOWN']);
    const [change] = await bringAbout([{ device: 'web1-0' }]);
    expect(change).to.deep.include({ verb: 'update', reason: 'it is down', impact: 'none' });
    await ip('link', 'del', 'web1-0');
    expect((await host.verify(desired, WAIT)).map((finding) => finding.code)).to.deep.equal([
      'DEVICE_MISSING',
    ]);
  });

  it('of others are refused, and adopted only on request; then they outlive us as they were', async () => {
    await ip('tuntap', 'add', 'dev', 'web1-0', 'mode', 'tap');
    const [address] = /link\/ether \S+/.exec(await link('web1-0')) ?? [];
    const refused = await plan([{ device: 'web1-0' }]);
    expect(refused.changes).to.deep.equal([]);
    expect(refused.refusals.map((refusal) => refusal.error.code)).to.deep.equal(['DEVICE_NOT_OURS']);
    await bringAbout([{ device: 'web1-0', adopt: true }]);
    expect(await link('web1-0'))
      .to.contain(address)
      .and.to.match(/\bUP\b/);
    // Once ours, the word may go from the file.
    expect((await plan([{ device: 'web1-0' }])).refusals).to.deep.equal([]);
    await destroy();
    expect(await link('web1-0'))
      .to.contain(address)
      .and.not.to.contain('alias');
  });

  it('of another topology are left alone', async () => {
    await bringAbout([{ device: 'web1-0' }], 'other');
    const { changes, refusals } = await plan([{ device: 'web1-0' }]);
    expect(changes).to.deep.equal([]);
    expect(refusals[0]?.error.message).to.contain('belongs to topology "other"');
    expect(await destroy()).to.deep.equal([]);
    expect(await link('web1-0')).not.to.equal('');
  });

  it('are not made of other kinds of device', async () => {
    await ip('link', 'add', 'web1-0', 'type', 'veth', 'peer', 'name', 'peer');
    await ip('tuntap', 'add', 'dev', 'web2-0', 'mode', 'tun');
    const { refusals } = await plan([
      { device: 'web1-0', adopt: true },
      { device: 'web2-0', adopt: true },
    ]);
    expect(refusals.map((refusal) => [refusal.error.code, refusal.error.details['kind']])).to.deep.equal([
      ['DEVICE_OF_OTHER_KIND', 'veth'],
      ['DEVICE_OF_OTHER_KIND', 'tun'],
    ]);
  });

  it('say so when they are taken from a running guest', async () => {
    await bringAbout([{ device: 'web1-0' }]);
    await using guest = await openTap(netns, 'web1-0');
    expect(guest.device).to.equal('web1-0');
    const { changes } = await plan([]);
    expect(changes.map((change) => [change.verb, change.impact])).to.deep.equal([['remove', 'traffic-gap']]);
    expect(changes[0]?.collateral?.join()).to.contain('web1-0');
    await bringAbout([]);
    expect(await link('web1-0')).to.equal('');
  });

  it('that cannot be made do not stop the others', async () => {
    const { changes } = await plan([{ device: 'web1-0' }, { device: 'web2-0' }, { device: 'web3-0' }]);
    await ip('link', 'add', 'web2-0', 'type', 'veth', 'peer', 'name', 'peer');
    const { failed } = await host.apply(changes, WAIT);
    expect(failed.map(({ change, error }) => [change.name, error.code])).to.deep.equal([
      ['web2-0', 'DEVICE_NOT_OURS'],
    ]);
    expect(await link('web1-0')).to.contain('alias vswitchboard:lab:');
    expect(await link('web3-0')).to.contain('alias vswitchboard:lab:');
    expect(await link('web2-0')).not.to.contain('alias');
  });

  it('are told apart in one batch: each failure belongs to its command', async () => {
    const make = 'tuntap add dev web1-0 mode tap';
    const commands = [make, make, 'link set dev none up', 'link set dev web1-0 up'];
    const errors = await batch(commands, netns);
    expect([...errors].map(([index, error]) => [index, error.details['said']])).to.deep.equal([
      [1, 'ioctl(TUNSETIFF): Device or resource busy'],
      [2, 'Cannot find device "none"'],
    ]);
    expect(await link('web1-0')).to.match(/<[^>]*\bUP\b/);
  });

  it('that changed hands since the plan are left alone', async () => {
    await bringAbout([{ device: 'web1-0' }]);
    const { changes } = await plan([]);
    await ip('link', 'set', 'web1-0', 'alias', 'mine now');
    const { failed } = await host.apply(changes, WAIT);
    expect(failed.map(({ error }) => error.code)).to.deep.equal(['DEVICE_NOT_OURS']);
    expect(await link('web1-0')).to.contain('alias mine now');
  });

  it('are all marked when somebody interrupts in the middle, and none is there when before', async () => {
    const many = Array.from({ length: 100 }, (_, index) => ({ device: `many-${String(index)}` }));
    const { changes } = await plan(many);
    const early = await host
      .apply(changes, { ...WAIT, signal: AbortSignal.abort() })
      .catch((thrown: unknown) => thrown);
    expect(early).to.be.instanceOf(VsbError).with.property('code', 'CANCELLED');
    expect(await ip('-o', 'link', 'show')).not.to.contain('many-');

    const stop = new AbortController();
    // Patience is over at once, too: it is patience with ovs-vswitchd.
    const applying = host.apply(changes, { deadlineMs: 1, signal: stop.signal });
    while (!(await ip('-o', 'link', 'show')).includes('many-')) continue;
    stop.abort();
    expect((await applying).failed).to.deep.equal([]);
    expect((await plan(many)).changes, 'all made, marked and up').to.deep.equal([]);
  });

  it('need a namespace that is there', async () => {
    const elsewhere = hostDomain({ netns: 'vsb-no-such' });
    const error: unknown = await elsewhere.observe(desiredTaps('lab', [])).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(VsbError).with.property('code', 'NETNS_MISSING');
  });

  it('are made many at once', async () => {
    const many = Array.from({ length: 100 }, (_, index) => ({ device: `many-${String(index)}` }));
    expect(await bringAbout(many)).to.have.length(100);
    expect(await destroy()).to.have.length(100);
  });
});

/** Holds a tap open as QEMU does: QEMU itself, stopped before its first instruction. */
async function openTap(netns: string, device: string): Promise<AsyncDisposable & { device: string }> {
  const abort = new AbortController();
  const args = ['-S', '-accel', 'tcg', '-m', '16', '-nodefaults', '-no-user-config', '-display', 'none'];
  const netdev = [
    '-netdev',
    `tap,id=n0,ifname=${device},script=no,downscript=no`,
    '-device',
    'e1000,netdev=n0',
  ];
  const running = run('qemu-system-x86_64', [...args, ...netdev], {
    timeoutMs: 60_000,
    signal: abort.signal,
    netns,
  }).catch((thrown: unknown) => thrown);
  const ended = { has: false };
  void running.then(() => (ended.has = true));
  for (;;) {
    const { stdout } = await run('ip', ['-o', 'link', 'show', 'dev', device], { timeoutMs: 10_000, netns });
    if (stdout.includes('LOWER_UP')) break;
    if (ended.has) throw new Error(`QEMU ended: ${JSON.stringify(await running)}`);
  }
  return {
    device,
    async [Symbol.asyncDispose]() {
      abort.abort();
      await running;
    },
  };
}
