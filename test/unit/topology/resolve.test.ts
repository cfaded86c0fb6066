import { expect } from 'chai';
import fc from 'fast-check';
import { nicName, type DesiredNic, type DesiredState } from '../../../src/topology/desired.ts';
import { uuidFromNames } from '../../../src/units/uuid.ts';
import { desiredOf } from '../../support/topologies.ts';

const HEAD = `version: 1
name: site
bridges: { br0: }
networks:
  web: { bridge: br0, vlan: 10, cidr: 10.1.0.0/16 }
  six: { bridge: br0, vlan: 20, cidr: "fd00:1::/64" }
  bare: { bridge: br0 }
profiles:
  gold: { model: e1000, vlan: 30, limit: { sent: 500M, received: 1G } }
vms:
`;

function nicsOf(state: DesiredState): DesiredNic[] {
  return state.vms.flatMap((vm) => vm.nics);
}

/** The NIC of `  v: { nics: [NIC] }` in a file with the networks above. */
function nicOf(nic: string): DesiredNic {
  const [first] = nicsOf(desiredOf(`${HEAD}  v: { nics: [${nic}] }\n`));
  if (!first) throw new Error('no NIC');
  return first;
}

describe('topology/resolve', () => {
  it('fills in every default', () => {
    const state = desiredOf(`${HEAD}  v: { nics: [{ network: bare }] }\n`);
    expect(state.bridges).to.deep.equal([
      {
        name: 'br0',
        datapath: 'auto',
        rstp: undefined,
        mcastSnooping: undefined,
        visibility: 'pairs',
        adopt: false,
        uplinks: [],
      },
    ]);
    expect(state.networks[0]).to.deep.equal({
      name: 'web',
      bridge: 'br0',
      linuxBridge: undefined,
      vlan: 10,
      cidr: '10.1.0.0/16',
    });
    expect(state.vms).to.deep.equal([
      {
        name: 'v',
        uuid: uuidFromNames('site', 'v'),
        memoryBytes: 2 ** 28,
        cpus: 1,
        boot: undefined,
        disks: [],
        nics: [
          {
            vm: 'v',
            vmUuid: uuidFromNames('site', 'v'),
            index: 0,
            ifaceId: '8c9b99d7-b4de-8cc6-8aaf-554bf264b39a',
            network: 'bare',
            bridge: 'br0',
            linuxBridge: undefined,
            device: 'v-0',
            model: 'virtio',
            backend: { kind: 'tap' },
            queues: 1,
            ring: { rx: undefined, tx: undefined },
            offloads: { csum: true, tso: true, ufo: true },
            mtu: undefined,
            mac: state.vms[0]?.nics[0]?.mac,
            ip: undefined,
            vlan: { mode: 'access', tag: 0 },
            limit: { sent: undefined, received: undefined },
            adopt: false,
          },
        ],
      },
    ]);
  });

  it('keeps what the file says', () => {
    const nic = nicOf(
      '{ network: web, model: rtl8139, mac: 52-54-00-10-00-0A, ip: 10.1.0.11, limit: { sent: 1M }, adopt: true }',
    );
    expect(nic).to.include({ model: 'rtl8139', mac: '52:54:00:10:00:0a', ip: '10.1.0.11/16', adopt: true });
    expect(nic.limit).to.deep.equal({ sent: 1e6, received: undefined });
    expect(nicOf('{ network: six, ip: "FD00:1:0::5" }').ip).to.equal('fd00:1::5/64');
  });

  it('says every VLAN mode outright', () => {
    const vlanOf = (nic: string): unknown => nicOf(nic).vlan;
    expect(vlanOf('{ network: bare }')).to.deep.equal({ mode: 'access', tag: 0 });
    expect(vlanOf('{ network: web }')).to.deep.equal({ mode: 'access', tag: 10 });
    expect(vlanOf('{ network: web, vlan: 30 }')).to.deep.equal({ mode: 'access', tag: 30 });
    expect(vlanOf('{ network: web, vlan: { trunk: [12, 10-11, 12] } }')).to.deep.equal({
      mode: 'trunk',
      trunks: [10, 11, 12],
    });
    expect(vlanOf('{ network: web, vlan: { trunk: [10, 20], native: 20 } }')).to.deep.equal({
      mode: 'native-untagged',
      tag: 20,
      trunks: [10, 20],
    });
    expect(
      vlanOf('{ network: web, vlan: { trunk: [10, 20], native: 20, nativeTagged: true } }'),
    ).to.deep.equal({ mode: 'native-tagged', tag: 20, trunks: [10, 20] });
  });

  it('says those of uplinks, and leaves out what the file leaves open', () => {
    const state = desiredOf(`version: 1
name: site
bridges: { br0: { uplinks: [{ device: a }, { device: b, trunk: [1] }, { device: c, vlan: 2, adopt: true }, { device: d, vlan: { trunk: [3], native: 3 } }] } }
`);
    expect(state.bridges[0]?.uplinks).to.deep.equal([
      { device: 'a', vlan: undefined, adopt: false },
      { device: 'b', vlan: { mode: 'trunk', trunks: [1] }, adopt: false },
      { device: 'c', vlan: { mode: 'access', tag: 2 }, adopt: true },
      { device: 'd', vlan: { mode: 'native-untagged', tag: 3, trunks: [3] }, adopt: false },
    ]);
  });

  it('takes from a profile what the NIC does not say, limits key by key', () => {
    const nic = nicOf('{ network: web, profile: gold, limit: { sent: 1M } }');
    expect(nic).to.deep.include({
      model: 'e1000',
      vlan: { mode: 'access', tag: 30 },
      limit: { sent: 1e6, received: 1e9 },
    });
    expect(nicOf('{ network: web, profile: gold, model: virtio, vlan: 10 }')).to.deep.include({
      model: 'virtio',
      vlan: { mode: 'access', tag: 10 },
    });
  });

  it('starts paths at the file', () => {
    const state = desiredOf(
      `${HEAD}  v: { memory: 1G, cpus: 2, boot: { kernel: images/vmlinux, initrd: /boot/initrd, append: a b=c } }\n  w: { boot: { kernel: ../k } }\n`,
    );
    expect(state.vms[0]).to.deep.include({
      memoryBytes: 2 ** 30,
      cpus: 2,
      boot: { kernel: '/srv/site/images/vmlinux', initrd: '/boot/initrd', append: 'a b=c' },
    });
    expect(state.vms[1]?.boot).to.deep.equal({ kernel: '/srv/k', initrd: undefined, append: '' });
  });

  it('shortens device names, and steers clear of bridges and uplinks', () => {
    const state = desiredOf(`version: 1
name: site
bridges: { vm-0: { uplinks: [{ device: vm-1 }] } }
networks: { n: { bridge: vm-0 } }
vms:
  vm: { nics: [{ network: n }, { network: n }, { network: n }] }
  a-rather-long-name: { nics: [{ network: n }] }
  a-rather-long-name-too: { nics: [{ network: n }] }
`);
    const devices = nicsOf(state).map(({ device }) => device);
    expect(devices[0]).to.match(/^vm-0-[0-9a-f]{6}$/);
    expect(devices[1]).to.match(/^vm-1-[0-9a-f]{6}$/);
    expect(devices[2]).to.equal('vm-2');
    expect(devices[3]).to.match(/^a-rather-[0-9a-f]{6}$/);
    expect(new Set(devices).size).to.equal(5);
  });

  it('gives an address of the network that nobody has, until there is none', () => {
    const text = `version: 1
name: site
bridges: { b: }
networks: { n: { bridge: b, cidr: 10.0.0.0/28 } }
vms:
  first: { nics: [{ network: n }, { network: n }] }
  fixed: { nics: [{ network: n, ip: 10.0.0.7 }] }
  rest: { nics: [${Array.from({ length: 11 }, () => '{ network: n }').join(', ')}] }
`;
    const addresses = nicsOf(desiredOf(text)).map(({ ip }) => ip);
    const all = Array.from({ length: 14 }, (_, index) => `10.0.0.${String(index + 1)}/28`);
    expect([...addresses].sort()).to.deep.equal(all.sort());
    expect(addresses[2]).to.equal('10.0.0.7/28');
  });

  it('keeps VMs in the order of the file, whole numbers too', () => {
    const state = desiredOf(`${HEAD}  b:\n  "10":\n  a:\n  "2":\n`);
    expect(state.vms.map(({ name }) => name)).to.deep.equal(['b', '10', 'a', '2']);
  });

  it('never changes what it once derived', () => {
    // These are in running switches and guests.
    const nic = nicOf('{ network: web }');
    expect(nic).to.deep.include({
      mac: '52:54:00:44:08:71',
      ip: '10.1.7.213/16',
      ifaceId: '8c9b99d7-b4de-8cc6-8aaf-554bf264b39a',
    });
  });
});

describe('topology/resolve: laws', () => {
  const vmName = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,20}$/);
  const vmNames = fc.uniqueArray(vmName, { minLength: 1, maxLength: 20 });
  const networks = fc.array(fc.constantFrom('web', 'six', 'bare'), { maxLength: 3 });
  const guests = vmNames.chain((names) =>
    fc.tuple(...names.map((name) => fc.tuple(fc.constant(name), networks))),
  );

  const render = (vms: readonly (readonly [string, readonly string[]])[]): string =>
    HEAD +
    vms
      .map(
        ([name, nets]) => `  "${name}": { nics: [${nets.map((net) => `{ network: ${net} }`).join(', ')}] }\n`,
      )
      .join('');
  const byName = (state: DesiredState): Map<string, DesiredNic> =>
    new Map(nicsOf(state).map((nic) => [nicName(nic), nic]));

  it('resolves twice to the same', () => {
    fc.assert(
      fc.property(guests, (vms) => {
        expect(desiredOf(render(vms))).to.deep.equal(desiredOf(render(vms)));
      }),
    );
  });

  it('gives no two NICs the same device, MAC or address, and none outside its network', () => {
    fc.assert(
      fc.property(guests, (vms) => {
        const nics = nicsOf(desiredOf(render(vms)));
        const addresses = nics.flatMap(({ network, ip }) => (ip === undefined ? [] : [`${network} ${ip}`]));
        expect(new Set(nics.map(({ device }) => device)).size).to.equal(nics.length);
        expect(new Set(nics.map(({ mac }) => mac)).size).to.equal(nics.length);
        expect(new Set(nics.map(({ ifaceId }) => ifaceId)).size).to.equal(nics.length);
        expect(new Set(addresses).size).to.equal(addresses.length);
        for (const { network, ip, device } of nics) {
          expect(ip ?? '').to.match(
            { web: /^10\.1\.\d+\.\d+\/16$/, six: /^fd00:1::.*\/64$/, bare: /^$/ }[network] ?? /never/,
          );
          expect(Buffer.byteLength(device)).to.be.at.most(15);
        }
      }),
    );
  });

  it('changes nothing of anybody when a VM is added at the end', () => {
    fc.assert(
      fc.property(guests, vmName, networks, (vms, name, nets) => {
        fc.pre(!vms.some(([there]) => there === name));
        const before = desiredOf(render(vms));
        const after = desiredOf(render([...vms, [name, nets]]));
        expect(after.vms.slice(0, -1)).to.deep.equal(before.vms);
      }),
    );
  });

  it('changes nothing of anybody when a VM goes whose NICs have all they need in the file', () => {
    fc.assert(
      fc.property(guests, fc.nat(), (vms, at) => {
        const place = at % (vms.length + 1);
        const fixed = '  "fixed-one": { nics: [{ network: bare, mac: 02:00:00:00:00:01 }] }\n';
        const text = render(vms.slice(0, place)) + fixed + render(vms.slice(place)).slice(HEAD.length);
        fc.pre(!vms.some(([name]) => name === 'fixed-one'));
        const without = byName(desiredOf(render(vms)));
        for (const [name, nic] of byName(desiredOf(text))) {
          if (nic.vm !== 'fixed-one') expect(nic).to.deep.equal(without.get(name));
        }
      }),
    );
  });

  it('does not depend on the order of VMs, but for addresses that two would get', () => {
    fc.assert(
      fc.property(guests, (vms) => {
        const forward = byName(desiredOf(render(vms)));
        const backward = byName(desiredOf(render([...vms].reverse())));
        for (const [name, nic] of forward) {
          expect({ ...backward.get(name), ip: '' }).to.deep.equal({ ...nic, ip: '' });
        }
        expect(backward.size).to.equal(forward.size);
      }),
    );
  });
});
