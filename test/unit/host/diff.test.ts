import { expect } from 'chai';
import fc from 'fast-check';
import { diffHost, removalFromHost } from '../../../src/host/diff.ts';
import { markFor, markOf, readMark } from '../../../src/host/mark.ts';
import type { DeviceSpec, HostChange, ObservedDevice, ObservedHost } from '../../../src/host/types.ts';
import { findingsOnHost } from '../../../src/host/verify.ts';
import type { DesiredNic } from '../../../src/topology/desired.ts';
import { desiredTaps, type TapWish } from '../../support/desiredtaps.ts';

const NAMES = ['a0', 'a1', 'b0', 'b1', 'c0'];
const TOPOLOGY = 'lab';

function device(name: string, more: Partial<ObservedDevice> = {}): ObservedDevice {
  return {
    name,
    kind: 'tap',
    isUp: true,
    hasCarrier: false,
    alias: undefined,
    group: 'default',
    mtu: 1500,
    mac: '02:00:00:00:00:01',
    master: undefined,
    lower: undefined,
    multiQueue: false,
    mode: undefined,
    ...more,
  };
}
function host(...devices: readonly ObservedDevice[]): ObservedHost {
  return { devices: new Map(devices.map((one) => [one.name, one])) };
}
/** What the kernel has after a device was made. */
function made(spec: DeviceSpec): ObservedDevice {
  const common = { kind: spec.kind, alias: spec.mark, mtu: spec.mtu ?? 1500 };
  switch (spec.kind) {
    case 'tap':
      return device(spec.name, { ...common, multiQueue: spec.multiQueue, master: spec.linuxBridge });
    case 'macvtap':
      return device(spec.name, { ...common, lower: spec.lower, mode: spec.mode, mac: spec.mac });
    case 'bridge':
      return device(spec.name, common);
  }
}
/** What becomes of it by one setting of `ip link set`. */
function set(old: ObservedDevice, words: string): ObservedDevice {
  const [word, value] = words.split(' ');
  switch (word) {
    case 'up':
      return { ...old, isUp: true };
    case 'mtu':
      return { ...old, mtu: Number(value) };
    case 'nomaster':
      return { ...old, master: undefined };
    case 'master':
      return { ...old, master: value };
    case 'address':
      return { ...old, mac: value };
    case 'type':
      return { ...old, mode: words.split(' ').at(-1) };
    case 'alias':
      return { ...old, alias: value === '""' ? undefined : value?.slice(1, -1) };
    case undefined:
    default:
      throw new Error(words);
  }
}
/** What the kernel looks like after the changes. */
function after(observed: ObservedHost, changes: readonly HostChange[]): ObservedHost {
  const devices = new Map(observed.devices);
  for (const change of changes) {
    const old = devices.get(change.name);
    if (change.verb === 'remove') devices.delete(change.name);
    else if (change.verb === 'create') devices.set(change.name, made(change.spec));
    else if (change.recreateAs) devices.set(change.name, made(change.recreateAs));
    else if (old) devices.set(change.name, change.set.reduce(set, old));
  }
  return { devices };
}

const alias = fc.oneof(
  fc.constant(undefined),
  fc.constant('uplink to the rack'),
  fc
    .record({
      topology: fc.constantFrom(TOPOLOGY, 'other', 'lab2'),
      vm: fc.constantFrom(...NAMES),
      adopted: fc.boolean(),
    })
    .map(({ topology, vm, adopted }) => markOf(topology, { vm, index: 0 }, adopted)),
);
const observedHosts = fc
  .uniqueArray(
    fc
      .record({
        name: fc.constantFrom(...NAMES, 'lan'),
        kind: fc.constantFrom('tap', 'tap', 'tap', 'macvtap', 'bridge', 'veth', 'device'),
        isUp: fc.boolean(),
        hasCarrier: fc.boolean(),
        alias,
        mtu: fc.constantFrom(1500, 9000),
        master: fc.constantFrom(undefined, 'lan', 'other', 'ovs-system'),
        multiQueue: fc.boolean(),
      })
      .map(({ kind, name, ...more }) =>
        device(name, { kind, ...more, ...(kind === 'macvtap' ? { lower: 'eno1', mode: 'vepa' } : {}) }),
      ),
    { selector: (one) => one.name },
  )
  .map((devices) => host(device('eno1', { kind: 'device' }), ...devices));
const wishes: fc.Arbitrary<TapWish[]> = fc.uniqueArray(
  fc.record({
    device: fc.constantFrom(...NAMES),
    vm: fc.constantFrom(...NAMES),
    model: fc.constantFrom('virtio', 'e1000', 'rtl8139'),
    adopt: fc.boolean(),
    nic: fc.constantFrom<Partial<DesiredNic>>(
      {},
      { queues: 4, mtu: 9000 },
      { backend: { kind: 'vhost-net' } },
      { bridge: undefined, linuxBridge: 'lan' },
      { bridge: undefined, backend: { kind: 'macvtap', device: 'eno1', mode: 'bridge' } },
      { bridge: undefined, backend: { kind: 'passthrough', address: '0000:03:00.1' } },
    ),
  }),
  { selector: (wish) => wish.device },
);

describe('the difference of taps', () => {
  it('is empty after it was applied, and only refusals are left to find', () => {
    fc.assert(
      fc.property(wishes, observedHosts, (wanted, observed) => {
        const desired = desiredTaps(TOPOLOGY, wanted);
        const first = diffHost(desired, observed);
        const then = after(observed, first.changes);
        const second = diffHost(desired, then);
        expect(second.changes).to.deep.equal([]);
        expect(second.refusals.map((one) => one.name)).to.deep.equal(first.refusals.map((one) => one.name));
        const problems = findingsOnHost(desired, then);
        expect(problems.map((one) => one.name)).to.deep.equal(first.refusals.map((one) => one.name));
      }),
    );
  });

  it('touches no device of others, unless it is to be adopted', () => {
    fc.assert(
      fc.property(wishes, observedHosts, (wanted, observed) => {
        const adopted = new Set(wanted.filter((wish) => wish.adopt === true).map((wish) => wish.device));
        const foreign = [...observed.devices.values()].filter((one) => !markFor(TOPOLOGY, one.alias));
        const { changes } = diffHost(desiredTaps(TOPOLOGY, wanted), observed);
        for (const { name, verb } of changes) {
          if (foreign.some((one) => one.name === name)) {
            expect(adopted.has(name), name).to.equal(true);
            expect(verb).to.equal('update');
          }
        }
        const removed = removalFromHost(TOPOLOGY, observed).changes.map((change) => change.name);
        expect(foreign.filter((one) => removed.includes(one.name))).to.deep.equal([]);
      }),
    );
  });

  it('for destroy leaves none of ours, and gives back what was adopted', () => {
    fc.assert(
      fc.property(wishes, observedHosts, (wanted, observed) => {
        const made = after(observed, diffHost(desiredTaps(TOPOLOGY, wanted), observed).changes);
        const left = after(made, removalFromHost(TOPOLOGY, made).changes);
        expect([...left.devices.values()].filter((one) => markFor(TOPOLOGY, one.alias))).to.deep.equal([]);
        for (const one of observed.devices.values()) {
          if (!markFor(TOPOLOGY, one.alias)) expect(left.devices.has(one.name), one.name).to.equal(true);
        }
      }),
    );
  });

  it('is sorted by name, whatever the order of the file', () => {
    fc.assert(
      fc.property(wishes, observedHosts, (wanted, observed) => {
        const names = diffHost(desiredTaps(TOPOLOGY, wanted), observed).changes.map((change) => change.name);
        expect(names).to.deep.equal([...names].sort());
      }),
    );
  });

  it('gives each change a reason, and each refusal what to do', () => {
    const desired = desiredTaps(TOPOLOGY, [
      { device: 'new' },
      { device: 'low' },
      { device: 'renamed', vm: 'now' },
      { device: 'theirs', adopt: true },
      { device: 'strange' },
      { device: 'veth' },
    ]);
    const mark = (vm: string): string => markOf(TOPOLOGY, { vm, index: 0 }, false);
    const observed = host(
      device('low', { alias: mark('low'), isUp: false }),
      device('renamed', { alias: mark('before') }),
      device('theirs', { alias: 'something' }),
      device('strange'),
      device('veth', { kind: 'veth' }),
      device('gone', { alias: mark('gone'), hasCarrier: true }),
    );
    const { changes, refusals } = diffHost(desired, observed);
    expect(changes.map(({ name, verb, reason, impact }) => [name, verb, impact, reason])).to.deep.equal([
      ['gone', 'remove', 'traffic-gap', 'the topology has no NIC for it any more'],
      ['low', 'update', 'none', 'it is down'],
      ['new', 'create', 'none', 'NIC new:0 has no tap'],
      ['renamed', 'update', 'none', 'it was the tap of before:0'],
      ['theirs', 'update', 'none', 'it was made by something else, and the file says "adopt: true"'],
    ]);
    expect(changes[0]?.collateral).to.deep.equal(['the guest that runs on gone (gone:0) is cut off']);
    expect(refusals.map(({ name, error }) => [name, error.code])).to.deep.equal([
      ['strange', 'DEVICE_NOT_OURS'],
      ['veth', 'DEVICE_OF_OTHER_KIND'],
    ]);
  });
});

describe('the owner mark', () => {
  const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,300}$/);

  it('fits into an alias, and is read back', () => {
    fc.assert(
      fc.property(name, name, fc.nat(999), fc.boolean(), (topology, vm, index, isAdopted) => {
        const text = markOf(topology, { vm, index }, isAdopted);
        expect(Buffer.byteLength(text)).to.be.at.most(255);
        expect(markFor(topology, text)).to.include({ isAdopted });
        if (vm.length <= 100) expect(readMark(text)?.nic).to.equal(`${vm}:${String(index)}`);
      }),
    );
  });

  it('of one topology is no other’s', () => {
    fc.assert(
      fc.property(name, name, name, (one, other, vm) => {
        fc.pre(one !== other);
        expect(markFor(other, markOf(one, { vm, index: 0 }, false))).to.equal(undefined);
      }),
    );
  });

  it('is not seen in what others write', () => {
    for (const text of [
      undefined,
      '',
      'vswitchboard',
      'vswitchboard:lab',
      'vswitchboard:lab:web1:0:more',
      'x:lab:a:0',
    ]) {
      expect(readMark(text), text).to.equal(undefined);
    }
  });
});
