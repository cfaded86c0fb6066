import { expect } from 'chai';
import type { DesiredNic } from '../../../src/topology/desired.ts';
import { desiredOf, issuesOf, placesOf } from '../../support/topologies.ts';

const HEAD = `version: 1
name: site
bridges: { br0: { datapath: netdev, uplinks: [{ device: eno1 }] }, brk: { datapath: system } }
networks: { web: { bridge: br0 }, old: { linuxBridge: virbr9 }, out: { cidr: 10.9.0.0/24 }, kern: { bridge: brk } }
profiles: { fast: { queues: 4, ring: { rx: 1024 }, offloads: { tso: false } }, capped: { limit: { sent: 1M } } }
vms:
`;

/** A file with a VM for each NIC (a, b, …), from line 7 on. */
function withNics(...nics: readonly string[]): string {
  return HEAD + nics.map((nic, index) => `  ${'abcdef'[index] ?? ''}: { nics: [${nic}] }\n`).join('');
}

/** A file with a VM for each list of disks, from line 3 on. */
function withDisks(...disks: readonly string[]): string {
  const vms = disks.map((disk, index) => `  ${'abcdef'[index] ?? ''}: { disks: [${disk}] }\n`);
  return `version: 1\nname: site\nvms:\n${vms.join('')}`;
}

function codesOf(text: string): string[] {
  return issuesOf(text).map(({ code }) => code);
}

function nicOf(nic: string): DesiredNic {
  const [first] = desiredOf(withNics(nic, '{ network: out, backend: { macvtap: eno7 } }')).vms[0]?.nics ?? [];
  if (!first) throw new Error('no NIC');
  return first;
}

describe('topology: backends', () => {
  it('are decoded, with the bridge that a NIC joins', () => {
    const seen = (nic: string) => {
      const { backend, bridge, linuxBridge } = nicOf(nic);
      return [backend, bridge, linuxBridge];
    };
    expect(seen('{ network: web }')).to.deep.equal([{ kind: 'tap' }, 'br0', undefined]);
    expect(seen('{ network: web, backend: vhost-net }')).to.deep.equal([
      { kind: 'vhost-net' },
      'br0',
      undefined,
    ]);
    expect(seen('{ network: web, backend: vhost-user }')).to.deep.equal([
      { kind: 'vhost-user' },
      'br0',
      undefined,
    ]);
    expect(seen('{ network: old }')).to.deep.equal([{ kind: 'tap' }, undefined, 'virbr9']);
    expect(seen('{ network: out, backend: { macvtap: eno2 } }')).to.deep.equal([
      { kind: 'macvtap', device: 'eno2', mode: 'bridge' },
      undefined,
      undefined,
    ]);
    // It has an address of the network, but is not on its bridge.
    expect(seen('{ network: web, backend: { macvtap: eno2, mode: vepa } }')).to.deep.equal([
      { kind: 'macvtap', device: 'eno2', mode: 'vepa' },
      undefined,
      undefined,
    ]);
    expect(seen('{ network: out, backend: { passthrough: "03:00.1" } }')).to.deep.equal([
      { kind: 'passthrough', address: '0000:03:00.1' },
      undefined,
      undefined,
    ]);
  });

  it('have settings of the NIC, and of its profile one by one', () => {
    const { queues, ring, offloads, mtu } = nicOf(
      '{ network: web, profile: fast, ring: { rx: 512 }, offloads: { csum: false }, mtu: 9000 }',
    );
    expect({ queues, ring, offloads, mtu }).to.deep.equal({
      queues: 4,
      ring: { rx: 512, tx: undefined },
      offloads: { csum: false, tso: false, ufo: true },
      mtu: 9000,
    });
  });

  it('give no NIC the name of a device that the file names', () => {
    const state = desiredOf(
      `${HEAD}  eno: { nics: [{ network: out, backend: { macvtap: eno-0 } }] }\n  virbr9: { nics: [{ network: old }] }\n`,
    );
    const [macvtap, tap] = state.vms.flatMap(({ nics }) => nics.map(({ device }) => device));
    expect(macvtap).to.match(/^eno-0-[0-9a-f]{6}$/);
    expect(tap).to.equal('virbr9-0');
  });

  it('are refused where they are none', () => {
    const place = '7:40';
    for (const backend of ['{}', '{ mode: bridge }', '{ macvtap: e, passthrough: "03:00.1" }'])
      expect(placesOf(withNics(`{ network: out, backend: ${backend} }`)), backend).to.include(
        `${place} BACKEND_INVALID`,
      );
    expect(codesOf(withNics('{ network: out, backend: { passthrough: 03:00 } }'))).to.include(
      'PCI_ADDRESS_INVALID',
    );
    expect(codesOf(withNics('{ network: out, backend: { macvtap: e, mode: brigde } }'))).to.include(
      'VALUE_UNKNOWN',
    );
    expect(codesOf(withNics('{ network: web, backend: vhost }'))).to.deep.equal([
      'NETWORK_WITHOUT_BRIDGE',
      'VALUE_UNKNOWN',
    ]);
    const [typo] = issuesOf(withNics('{ network: out, backend: { macvtab: e } }')).filter(
      ({ code }) => code === 'KEY_UNKNOWN',
    );
    expect(typo?.message).to.equal('Unknown key "macvtab". Did you mean "macvtap"?');
  });

  it('that need virtio are refused with another model', () => {
    const refused = (nic: string) => codesOf(withNics(nic, '{ network: out, backend: { macvtap: eno7 } }'));
    expect(refused('{ network: web, model: e1000, backend: vhost-net }')).to.deep.equal(['NEEDS_VIRTIO']);
    expect(refused('{ network: web, model: rtl8139, backend: vhost-user }')).to.deep.equal(['NEEDS_VIRTIO']);
    expect(refused('{ network: web, model: e1000, queues: 2 }')).to.deep.equal(['NEEDS_VIRTIO']);
    expect(refused('{ network: web, model: e1000, queues: 1 }')).to.deep.equal([]);
    expect(refused('{ network: web, model: e1000, profile: fast }')).to.deep.equal([
      'NEEDS_VIRTIO',
      'NEEDS_VIRTIO',
      'NEEDS_VIRTIO',
    ]);
    expect(
      refused('{ network: out, model: virtio, queues: 2, backend: { passthrough: "03:00.1" } }'),
    ).to.deep.equal(['NOT_WITH_PASSTHROUGH', 'NOT_WITH_PASSTHROUGH']);
    expect(refused('{ network: web, ring: { rx: 300 } }')).to.deep.equal(['VALUE_UNKNOWN']);
    expect(refused('{ network: web, ring: { tx: 512 } }')).to.deep.equal(['RING_TX_NEEDS_VHOST_USER']);
    expect(refused('{ network: web, ring: { tx: 512 }, backend: vhost-user }')).to.deep.equal([]);
    expect(refused('{ network: web, queues: 257 }')).to.deep.equal(['VALUE_RANGE']);
    expect(refused('{ network: web, mtu: 67 }')).to.deep.equal(['VALUE_RANGE']);
  });

  it('that pass by Open vSwitch have neither VLAN nor limit', () => {
    const refused = (nic: string) => codesOf(withNics(nic, '{ network: out, backend: { macvtap: eno7 } }'));
    for (const nic of ['network: old', 'network: out, backend: { macvtap: eno2 }']) {
      expect(refused(`{ ${nic}, vlan: 10 }`), nic).to.deep.equal(['NEEDS_OPEN_VSWITCH']);
      expect(refused(`{ ${nic}, vlan: 0 }`), nic).to.deep.equal([]);
      expect(refused(`{ ${nic}, profile: capped }`), nic).to.deep.equal(['NEEDS_OPEN_VSWITCH']);
    }
    expect(refused('{ network: old, backend: vhost-user }')).to.deep.equal(['VHOST_USER_NEEDS_DPDK']);
    expect(refused('{ network: kern, backend: vhost-user }')).to.deep.equal(['VHOST_USER_NEEDS_DPDK']);
  });

  it('share a device only where the kernel lets them, and a PCI function never', () => {
    const macvtap = (device: string, mode: string) =>
      `{ network: out, backend: { macvtap: ${device}, mode: ${mode} } }`;
    expect(codesOf(withNics(macvtap('eno2', 'bridge'), macvtap('eno2', 'private')))).to.deep.equal([]);
    for (const modes of [
      ['passthru', 'bridge'],
      ['bridge', 'passthru'],
      ['passthru', 'passthru'],
    ] as const)
      expect(placesOf(withNics(macvtap('eno2', modes[0]), macvtap('eno2', modes[1])))).to.deep.equal([
        '8:40 MACVTAP_EXCLUSIVE',
      ]);
    expect(codesOf(withNics(macvtap('eno1', 'bridge')))).to.deep.equal(['DEVICE_DUPLICATE']);
    const [shared] = issuesOf(
      withNics(
        '{ network: out, backend: { passthrough: "0000:03:00.1" } }',
        '{ network: out, backend: { passthrough: "03:00.1" } }',
      ),
    );
    expect(shared).to.include({ code: 'PCI_DUPLICATE', line: 8 });
    expect(shared?.message).to.include('NIC a:0 has (line 7)');
  });
});

describe('topology: networks', () => {
  const codes = (network: string, nic = '{ network: n }') =>
    codesOf(
      `version: 1\nname: s\nbridges: { br0: { uplinks: [{ device: e0 }] } }\nnetworks: { n: ${network} }\nvms: { v: { nics: [${nic}] } }\n`,
    );

  it('are on one bridge, of either kind, unless their NICs need none', () => {
    expect(codes('{ bridge: br0 }')).to.deep.equal([]);
    expect(codes('{ linuxBridge: lan }')).to.deep.equal([]);
    expect(codes('{ bridge: br0, linuxBridge: lan }')).to.deep.equal(['NETWORK_ON_TWO_BRIDGES']);
    expect(codes('{}')).to.deep.equal(['NETWORK_WITHOUT_BRIDGE']);
    expect(codes('{}', '{ network: n, backend: { macvtap: e1 } }')).to.deep.equal([]);
  });

  it('on a plain Linux bridge have no VLAN, and a bridge that is not in use as another', () => {
    expect(codes('{ linuxBridge: lan, vlan: 10 }')).to.deep.equal(['NEEDS_OPEN_VSWITCH']);
    expect(codes('{ linuxBridge: br0 }')).to.deep.equal(['DEVICE_DUPLICATE']);
    expect(codes('{ linuxBridge: e0 }')).to.deep.equal(['DEVICE_DUPLICATE']);
    expect(codes('{ linuxBridge: "a b" }')).to.deep.equal(['NAME_INVALID']);
  });
});

describe('topology: disks', () => {
  it('are found from the file, their format by their ending', () => {
    const { vms } = desiredOf(
      withDisks(
        '{ image: a.qcow2, size: 2G, base: ../base.img }, { image: /b.vdi, bus: ide }, { image: c, format: raw, readOnly: true }',
      ),
    );
    expect(vms[0]?.disks.map(({ image, format }) => [image.startsWith('/'), format])).to.deep.equal([
      [true, 'qcow2'],
      [true, 'vdi'],
      [true, 'raw'],
    ]);
    expect(vms[0]?.disks[0]).to.deep.include({
      vm: 'a',
      index: 0,
      sizeBytes: 2 * 2 ** 30,
      bus: 'virtio',
      readOnly: false,
    });
    expect(vms[0]?.disks[0]?.base?.format).to.equal('raw');
    expect(vms[0]?.disks[1]).to.deep.include({
      image: '/b.vdi',
      bus: 'ide',
      readOnly: false,
      base: undefined,
    });
  });

  it('are not written by two, nor under the feet of another', () => {
    expect(placesOf(withDisks('{ image: x.qcow2 }', '{ image: ./x.qcow2 }'))).to.deep.equal([
      '5:25 DISK_DUPLICATE',
    ]);
    expect(placesOf(withDisks('{ image: x.qcow2 }', '{ image: x.qcow2, readOnly: true }'))).to.deep.equal([]);
    expect(placesOf(withDisks('{ image: x.qcow2 }', '{ image: y.qcow2, base: x.qcow2 }'))).to.deep.equal([
      '5:40 DISK_BASE_WRITTEN',
    ]);
    expect(placesOf(withDisks('{ image: x.qcow2, base: x.qcow2 }'))).to.deep.equal([
      '4:40 DISK_BASE_WRITTEN',
    ]);
  });

  it('have an image, and a size that is one', () => {
    expect(codesOf(withDisks('{ size: 2G }'))).to.deep.equal(['KEY_MISSING']);
    expect(codesOf(withDisks('{ image: "" }'))).to.deep.equal(['VALUE_RANGE']);
    expect(codesOf(withDisks('{ image: a, bus: ide, readOnly: true }'))).to.deep.equal([
      'DISK_IDE_READ_ONLY',
    ]);
    expect(codesOf(withDisks('{ image: a, size: 2X }'))).to.deep.equal(['SIZE_INVALID']);
    expect(codesOf(withDisks('{ image: a, format: qcow3 }'))).to.deep.equal(['VALUE_UNKNOWN']);
  });
});
