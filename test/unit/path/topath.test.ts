import { expect } from 'chai';
import { readQemuGuest, type QemuBackend } from '../../../src/guest/qemu-nics.ts';
import { decodeLinks } from '../../../src/host/observe.ts';
import type { HostFacts, Path, PortFacts } from '../../../src/path/path.ts';
import { toPath } from '../../../src/path/topath.ts';

/** As `ip -j -d link show` has devices, with what is read of them. */
function link(ifname: string, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { ifname, flags: ['BROADCAST', 'UP', 'LOWER_UP'], mtu: 1500, link_type: 'ether', ...more };
}
const TAP = { linkinfo: { info_kind: 'tun', info_data: { type: 'tap' } } };
const LINKS = [
  link('eno1'),
  link('eno2'),
  link('web1-0', TAP),
  link('old1-0', { ...TAP, master: 'lbr0' }),
  link('lone-0', { ...TAP, flags: ['UP'] }),
  link('lbr0', { linkinfo: { info_kind: 'bridge', info_data: {} } }),
  link('veth9', { master: 'lbr0', flags: [] }),
  link('mv0', { link: 'eno2', linkinfo: { info_kind: 'macvtap', info_data: { mode: 'bridge' } } }),
];
const PORT: PortFacts = {
  ...{ bridge: 'br0', datapath: 'system', port: 'web1-0', device: 'web1-0', type: 'system' },
  ...{ vhostSocket: undefined, ofport: '3', error: undefined, link: 'up', vlan: 'access 10' },
  ...{ sentLimitKbps: '1000', isVm: true },
};
const UPLINK = { ...PORT, port: 'eno1', device: 'eno1', vlan: 'trunk 10', ofport: '1', isVm: false };
const HOST: HostFacts = {
  devices: new Map(decodeLinks(JSON.stringify(LINKS)).map((device) => [device.name, device])),
  ports: [PORT, UPLINK],
  switchError: undefined,
  vhostObstacle: 'run modprobe vhost_net',
  functions: new Map([['0000:03:00.1', 'vfio-pci']]),
};

function pathOf(backend: QemuBackend, device?: string, host: Partial<HostFacts> = {}): Path {
  const nic = { index: 0, model: 'virtio-net-pci', mac: undefined, backend };
  return toPath({ vm: 'web1', pid: 7, nic, device }, { ...HOST, ...host });
}
const tap = (vhost = false): QemuBackend => ({ kind: 'tap', ifname: undefined, descriptors: [], vhost });
const names = ({ steps, uplinks }: Path): string[] => [...steps, ...uplinks].map(({ name }) => name);
const problems = ({ steps, uplinks }: Path): (string | undefined)[] =>
  [...steps, ...uplinks].map(({ problem }) => problem);
const remarks = ({ steps }: Path): string[] => steps.flatMap((step) => step.remarks.map(({ what }) => what));

describe('path: the way of a NIC', () => {
  it('over a tap and Open vSwitch, with port, VLAN and limit', () => {
    const path = pathOf(tap(), 'web1-0');
    expect(names(path)).to.deep.equal(['virtio-net', 'web1-0', 'br0', 'eno1']);
    expect(path.steps[2]?.via).to.equal('port 3, access 10, sent ≤ 1000 kbit/s');
    expect(path.steps[1]?.remarks).to.deep.equal([
      {
        what: 'no vhost: one more copy and two more switches of privilege',
        remedy: 'run modprobe vhost_net',
      },
    ]);
    expect(problems(path)).to.deep.equal([undefined, undefined, undefined, undefined]);
  });

  it('by vhost-net has nothing to be said of it with the kernel datapath', () => {
    const path = pathOf(tap(true), 'web1-0');
    expect(remarks(path)).to.deep.equal([]);
    expect(path.steps[1]?.detail).to.equal('vhost-net');
  });

  it('says that the userspace datapath is one way more', () => {
    const ports = [{ ...PORT, datapath: 'netdev' }];
    expect(remarks(pathOf(tap(true), 'web1-0', { ports }))).to.match(/^userspace datapath/);
  });

  it('says which port has failed, and which has no number', () => {
    const failed = { ...PORT, error: 'could not open network device', ofport: undefined };
    expect(problems(pathOf(tap(), 'web1-0', { ports: [failed] }))[2]).to.equal(failed.error);
    const numberless = { ...PORT, ofport: undefined };
    expect(problems(pathOf(tap(), 'web1-0', { ports: [numberless] }))[2]).to.match(/no OpenFlow port/);
  });

  it('over a plain bridge leads to its ports that are no taps', () => {
    const path = pathOf(tap(), 'old1-0');
    expect(names(path)).to.deep.equal(['virtio-net', 'old1-0', 'lbr0', 'veth9']);
    expect(problems(path)[3]).to.equal('it is down. Run: ip link set veth9 up');
  });

  it('ends where there is no bridge, no carrier or no device', () => {
    const lone = problems(pathOf(tap(), 'lone-0'));
    expect(lone[1]).to.equal('no carrier: QEMU does not have it open');
    expect(lone[2]).to.match(/^lone-0 is in no bridge/);
    expect(problems(pathOf(tap(), 'gone-0'))[1]).to.match(/^there is no such device here/);
    expect(problems(pathOf(tap()))[1]).to.match(/^cannot see which device/);
  });

  it('over a macvtap leads to the device below it, and no switch sees it', () => {
    const path = pathOf(tap(true), 'mv0');
    expect(names(path)).to.deep.equal(['virtio-net', 'mv0', 'eno2']);
    expect(path.steps[1]?.detail).to.equal('mode bridge, vhost-net');
    expect(remarks(path)).to.deep.equal(['no switch of this host sees this traffic']);
  });

  it('by vhost-user finds the port by its socket', () => {
    const port = { ...PORT, device: 'vu0', type: 'dpdkvhostuserclient', vhostSocket: '/run/vu0.sock' };
    const ports = [{ ...port, datapath: 'netdev' }, UPLINK];
    const path = pathOf({ kind: 'vhost-user', socket: '/run/vu0.sock' }, undefined, { ports });
    expect(names(path)).to.deep.equal(['virtio-net', 'vu0', 'br0', 'eno1']);
    expect(remarks(path)).to.deep.equal([]);
    expect(problems(pathOf({ kind: 'vhost-user', socket: '/x' }))[1]).to.match(/^no port of Open vSwitch/);
  });

  it('by passthrough is the PCI function, which vfio-pci must have', () => {
    const backend = { kind: 'passthrough', address: '0000:03:00.1' } as const;
    expect(names(pathOf(backend))[1]).to.equal('0000:03:00.1');
    expect(problems(pathOf(backend))[1]).to.equal(undefined);
    const functions = new Map([['0000:03:00.1', 'igbvf']]);
    expect(problems(pathOf(backend, undefined, { functions }))[1]).to.equal(
      'bound to igbvf, not to vfio-pci',
    );
    expect(problems(pathOf(backend, undefined, { functions: new Map() }))[1]).to.match(
      /no such PCI function/,
    );
  });
});

describe("guest: a running QEMU's NICs", () => {
  it('are read as vsb writes them', () => {
    const args =
      '-name guest=a,,b -uuid u -netdev tap,id=n,ifname=a-0,vhost=on -device virtio-net-pci,netdev=n,mac=m -device vfio-pci,host=03:00.1';
    expect(readQemuGuest(['qemu-system-x86_64', ...args.split(' ')])).to.deep.equal({
      ...{ name: 'a,b', uuid: 'u' },
      nics: [
        {
          ...{ index: 0, model: 'virtio-net-pci', mac: 'm' },
          backend: { kind: 'tap', ifname: 'a-0', descriptors: [], vhost: true },
        },
        {
          ...{ index: 1, model: 'vfio-pci', mac: undefined },
          backend: { kind: 'passthrough', address: '0000:03:00.1' },
        },
      ],
    });
  });

  it('are read as libvirt writes them', () => {
    const { nics } = readQemuGuest([
      ...['-chardev', 'socket,id=charnet0,path=/run/v.sock,server=on'],
      ...['-netdev', '{"type":"vhost-user","chardev":"charnet0","id":"hostnet0"}'],
      ...['-device', '{"driver":"virtio-net-pci","netdev":"hostnet0","mac":"m"}'],
      ...['-netdev', '{"type":"tap","fds":"31:32","vhost":true,"vhostfds":"33:34","id":"hostnet1"}'],
      ...['-device', '{"driver":"virtio-net-pci","netdev":"hostnet1","mac":"m"}'],
      ...['-device', '{"driver":"virtio-blk-pci","drive":"d"}'],
    ]);
    expect(nics.map(({ backend }) => backend)).to.deep.equal([
      { kind: 'vhost-user', socket: '/run/v.sock' },
      { kind: 'tap', ifname: undefined, descriptors: [31, 32], vhost: true },
    ]);
  });
});
