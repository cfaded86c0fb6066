/** Macvtaps, plain Linux bridges, queues and MTUs in a real kernel, in a namespace of the test's own. */
import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import { hostDomain } from '../../src/host/domain.ts';
import type { HostChange } from '../../src/host/types.ts';
import { run, runOrFail } from '../../src/process/run.ts';
import type { DesiredNic, NicBackend } from '../../src/topology/desired.ts';
import { desiredTaps, type TapWish } from '../support/desiredtaps.ts';

const WAIT = { deadlineMs: 15_000 };

describe('macvtaps and Linux bridges in the kernel', () => {
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
  async function codes(wishes: readonly TapWish[]): Promise<string[]> {
    return (await plan(wishes)).refusals.map(({ error }) => error.code);
  }
  async function bringAbout(wishes: readonly TapWish[], topology = 'lab'): Promise<readonly HostChange[]> {
    const { desired, changes, refusals } = await plan(wishes, topology);
    expect(refusals).to.deep.equal([]);
    expect((await host.apply(changes, WAIT)).failed).to.deep.equal([]);
    expect((await plan(wishes, topology)).changes, 'a second plan').to.deep.equal([]);
    expect(await host.verify(desired, WAIT)).to.deep.equal([]);
    return changes;
  }
  async function destroy(topology = 'lab'): Promise<void> {
    const { changes } = host.removal(topology, await host.observe(desiredTaps(topology, [])));
    expect((await host.apply(changes, WAIT)).failed).to.deep.equal([]);
  }
  const on = (device: string, nic: Partial<DesiredNic>): TapWish => ({
    device,
    nic: { bridge: undefined, ...nic },
  });
  const macvtap = (
    device: string,
    lower = 'eth0',
    mode: Extract<NicBackend, { kind: 'macvtap' }>['mode'] = 'bridge',
  ): TapWish => on(device, { backend: { kind: 'macvtap', device: lower, mode } });

  beforeEach(async () => {
    await runOrFail('ip', ['netns', 'add', netns], { timeoutMs: 10_000 });
    for (const [device, peer] of [
      ['eth0', 'peer0'],
      ['eth1', 'peer1'],
    ] as const) {
      await ip('link', 'add', device, 'type', 'veth', 'peer', 'name', peer);
      await ip('link', 'set', device, 'up');
      await ip('link', 'set', peer, 'up');
    }
  });
  afterEach(() => runOrFail('ip', ['netns', 'del', netns], { timeoutMs: 10_000 }));

  it('have several queues and an MTU where the topology says so, and are made anew for it', async () => {
    await bringAbout([{ device: 'a' }]);
    expect(await link('a'))
      .to.match(/mtu 1500 .*type tap/)
      .and.to.not.include('multi_queue');
    const wide = { device: 'a', nic: { queues: 2, mtu: 9000 } };
    const [change] = await bringAbout([wide]);
    expect(change).to.deep.include({ verb: 'update', reason: 'it was made with one queue', impact: 'none' });
    expect(await link('a'))
      .to.match(/mtu 9000 .*multi_queue numqueues/)
      .and.to.contain('alias vswitchboard:lab:a:0');
    await ip('link', 'set', 'dev', 'a', 'mtu', '1400');
    const { desired } = await plan([wide]);
    expect((await host.verify(desired, WAIT)).map(({ code }) => code)).to.deep.equal(['DEVICE_DIFFERS']);
    await bringAbout([wide]);
    await bringAbout([{ device: 'a', nic: { mtu: 1500 } }]);
    expect(await link('a'))
      .to.match(/mtu 1500 .*type tap/)
      .and.to.not.include('multi_queue');
    await destroy();
    expect(await link('a')).to.equal('');
  });

  it('are macvtaps in each mode, changed in place where the kernel can, and gone afterwards', async () => {
    const before = await ip('-o', 'link', 'show');
    const { notes } = await plan([macvtap('m0')]);
    expect(notes?.[0]).to.match(/^m0:0: no switch sees this traffic/);
    await bringAbout([macvtap('m0'), macvtap('m1', 'eth1', 'passthru')]);
    expect(await link('m0'))
      .to.match(/^\d+: m0@eth0: <[^>]*\bUP\b.*macvtap mode bridge/)
      .and.to.contain('alias vswitchboard:lab:m0:0');
    expect(await link('m1')).to.match(/macvtap mode passthru/);
    const address = /link\/ether \S+/.exec(await link('m1'))?.[0];
    expect(await link('eth1'), 'passthru lends its address').to.include(address);
    const index = Number((await link('m0')).split(':')[0]);
    for (const mode of ['vepa', 'private', 'bridge'] as const) {
      const [change] = await bringAbout([macvtap('m0', 'eth0', mode), macvtap('m1', 'eth1', 'passthru')]);
      expect(change).to.deep.include({ verb: 'update', impact: 'none' });
      expect(await link('m0')).to.match(new RegExp(`^${String(index)}: .*mode ${mode}`));
    }
    await ip('link', 'set', 'm0', 'down');
    await ip('link', 'set', 'm0', 'address', '52:54:00:00:00:99');
    await bringAbout([macvtap('m0'), macvtap('m1', 'eth1', 'passthru')]);
    const [anew] = await bringAbout([macvtap('m0', 'eth0', 'passthru'), macvtap('m1', 'eth1', 'passthru')]);
    expect(anew).to.deep.include({ verb: 'update', impact: 'traffic-gap' });
    await bringAbout([macvtap('m1', 'eth1', 'passthru')]);
    const [moved] = await bringAbout([macvtap('m1', 'eth0', 'passthru')]);
    expect(moved?.reason).to.equal('it is on eth1');
    await destroy();
    expect(await ip('-o', 'link', 'show')).to.equal(before);
  });

  it('are refused on a device that cannot have them, by name', async () => {
    expect(await codes([macvtap('m0', 'nosuch')])).to.deep.equal(['MACVTAP_DEVICE_MISSING']);
    expect(await codes([macvtap('m0', 'lo')])).to.deep.equal(['MACVTAP_DEVICE_UNFIT']);
    await ip('link', 'set', 'eth0', 'down');
    expect(await codes([macvtap('m0')])).to.deep.equal(['MACVTAP_DEVICE_DOWN']);
    await ip('link', 'add', 'lan', 'type', 'bridge');
    await ip('link', 'set', 'eth0', 'up', 'master', 'lan');
    expect(await codes([macvtap('m0')])).to.deep.equal(['MACVTAP_DEVICE_IN_BRIDGE']);
    await ip('link', 'set', 'eth0', 'nomaster');
    await ip('link', 'add', 'link', 'eth0', 'name', 'other', 'type', 'macvtap', 'mode', 'bridge');
    expect(await codes([macvtap('m0')])).to.deep.equal([]);
    expect(await codes([macvtap('m0', 'other')])).to.deep.equal(['MACVTAP_DEVICE_UNFIT']);
    expect(await codes([macvtap('m0', 'eth0', 'passthru')])).to.deep.equal(['MACVTAP_DEVICE_BUSY']);
    expect(await codes([macvtap('other')])).to.deep.equal(['DEVICE_NOT_OURS']);
    expect(await codes([macvtap('eth1')])).to.deep.equal(['DEVICE_OF_OTHER_KIND']);
  });

  it('are taps in a Linux bridge that is made for them, forwards at once, and goes with the last', async () => {
    const before = await ip('-o', 'link', 'show');
    const changes = await bringAbout([on('a', { linuxBridge: 'lan' }), on('b', { linuxBridge: 'lan' })]);
    expect(changes.map(({ kind, name }) => `${kind} ${name}`)).to.deep.equal([
      'tap a',
      'tap b',
      'Linux bridge lan',
    ]);
    expect(await link('a'))
      .to.match(/master lan /)
      .and.to.contain('vswitchboard:lab:a:0');
    expect(await link('lan'))
      .to.match(/\bUP\b.*forward_delay 0 /)
      .and.to.contain('alias vswitchboard:lab:bridge');
    await bringAbout([on('b', { linuxBridge: 'lan' })]);
    await ip('link', 'set', 'dev', 'b', 'nomaster');
    const { desired } = await plan([on('b', { linuxBridge: 'lan' })]);
    expect((await host.verify(desired, WAIT)).map(({ message }) => message)[0]).to.include(
      'it is in no bridge',
    );
    const [change] = await bringAbout([on('b', { linuxBridge: 'lan' })]);
    expect(change).to.deep.include({ isLate: true, impact: 'port-bounce' });
    // To Open vSwitch: out of the bridge before the switch takes it.
    const away = await bringAbout([{ device: 'b' }]);
    expect(away.map(({ verb, name, isLate }) => [verb, name, isLate])).to.deep.equal([
      ['update', 'b', undefined],
      ['remove', 'lan', undefined],
    ]);
    expect(await link('b')).to.not.include('master');
    await destroy();
    expect(await ip('-o', 'link', 'show')).to.equal(before);
  });

  it('are taps in a Linux bridge of others, which stays as it is; and ours stays with the ports of others', async () => {
    await ip('link', 'add', 'lan', 'type', 'bridge');
    expect(await codes([on('a', { linuxBridge: 'lan' })])).to.deep.equal(['LINUX_BRIDGE_DOWN']);
    await ip('link', 'set', 'lan', 'up');
    await bringAbout([on('a', { linuxBridge: 'lan' })]);
    await destroy();
    expect(await link('lan'))
      .to.match(/bridge forward_delay 1500/)
      .and.to.not.include('alias');
    expect(await codes([on('a', { linuxBridge: 'eth0' })])).to.deep.equal(['DEVICE_OF_OTHER_KIND']);
    await bringAbout([on('a', { linuxBridge: 'own' })]);
    await ip('link', 'set', 'eth1', 'master', 'own');
    await destroy();
    expect(await link('own'))
      .to.include('own')
      .and.to.not.include('alias');
    expect(await link('eth1')).to.include('master own');
    expect(await link('a')).to.equal('');
  });

  it('say why a NIC cannot have vhost-net, where it cannot', async () => {
    const wish = { device: 'a', nic: { backend: { kind: 'vhost-net' } } } as const;
    const hasIt = (await run('test', ['-w', '/dev/vhost-net'], { timeoutMs: 5000 })).status === 0;
    expect(await codes([wish])).to.deep.equal(hasIt ? [] : ['VHOST_NET_UNAVAILABLE']);
    const desired = desiredTaps('lab', [wish]);
    const observed = await host.observe(desired);
    const refused = host.diff(desired, { ...observed, vhostNetObstacle: 'there is none' }).refusals;
    expect(refused.map(({ error }) => error.message)).to.deep.equal([
      'NIC a:0 cannot have backend vhost-net here: there is none. Or write "backend: tap", which every host has.',
    ]);
    expect(host.diff(desired, { ...observed, vhostNetObstacle: undefined }).refusals).to.deep.equal([]);
  });
});
