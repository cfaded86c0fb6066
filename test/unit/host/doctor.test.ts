import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import type { Check } from '../../../src/host/doctor/check.ts';
import { judgeDatapaths, judgeKernel } from '../../../src/host/doctor/kernelchecks.ts';
import { decodeKernelConfig, judgeVirtio } from '../../../src/host/doctor/kernelconfig.ts';
import { readKernelFacts } from '../../../src/host/doctor/kernelfacts.ts';
import { judgeSwitch, type SwitchFacts } from '../../../src/host/doctor/switchchecks.ts';
import { plantHost } from '../../support/hosttree.ts';

const states = (checks: readonly Check[]): Record<string, string> =>
  Object.fromEntries(checks.map(({ name, state }) => [name, state]));
const remedyOf = (checks: readonly Check[], name: string): string =>
  checks.find((check) => check.name === name)?.remedy ?? '';

describe('the doctor on the kernel', () => {
  it('finds what a server with SR-IOV has', async () => {
    await using tree = await plantHost('sriov');
    const facts = await readKernelFacts(tree.root);
    const checks = [...judgeKernel(facts), judgeDatapaths(facts)];
    expect(states(checks)).to.deep.equal({
      'virtio-host': 'warning',
      tun: 'ok',
      'vhost-net': 'ok',
      macvtap: 'ok',
      iommu: 'ok',
      vfio: 'ok',
      hugepages: 'ok',
      'bridge-nf': 'warning',
      'ovs-datapaths': 'ok',
    });
    expect(checks.find(({ name }) => name === 'iommu')?.found).to.equal('3 IOMMU groups');
    expect(checks.find(({ name }) => name === 'hugepages')?.found).to.equal(
      '512 of 1024 pages of 2048 kB are free',
    );
    expect(remedyOf(checks, 'bridge-nf')).to.equal('sysctl -w net.bridge.bridge-nf-call-iptables=0');
    expect(remedyOf(checks, 'virtio-host')).to.include('CONFIG_VIRTIO_BLK');
  });

  it('says what is missing on a host that has nothing, and loads what may be a module', async () => {
    await using tree = await plantHost();
    const facts = await readKernelFacts(tree.root);
    const checks = [...judgeKernel(facts), judgeDatapaths(facts)];
    expect(states(checks)).to.deep.equal({
      'virtio-host': 'warning',
      tun: 'problem',
      'vhost-net': 'warning',
      macvtap: 'warning',
      iommu: 'warning',
      vfio: 'warning',
      hugepages: 'warning',
      'bridge-nf': 'ok',
      'ovs-datapaths': 'warning',
    });
    expect(remedyOf(checks, 'vhost-net')).to.equal('modprobe vhost_net');
    const built = { ...facts, release: '6.9', config: new Map([['CONFIG_TUN', 'y' as const]]) };
    expect(remedyOf(judgeKernel(built), 'vhost-net')).to.equal(
      'boot a kernel built with CONFIG_VHOST_NET: 6.9 was not',
    );
    const denied = judgeKernel({ ...facts, tun: 'denied' as const });
    expect(denied.find(({ name }) => name === 'tun')?.found).to.include('may not open');
  });

  it('reads configurations, plain and in gzip, and nothing else', () => {
    const text = Buffer.from(
      '# CONFIG_X is not set\nCONFIG_VIRTIO_PCI=y\nCONFIG_VIRTIO_NET=m\nCONFIG_HZ=250\n',
    );
    const config = decodeKernelConfig(text);
    expect([...(config ?? [])]).to.deep.equal([
      ['CONFIG_VIRTIO_PCI', 'y'],
      ['CONFIG_VIRTIO_NET', 'm'],
    ]);
    expect(decodeKernelConfig(gzipSync(text))).to.deep.equal(config);
    expect(decodeKernelConfig(gzipSync(text).subarray(0, 20))).to.equal(undefined);
    expect(decodeKernelConfig(Buffer.from('hello'))).to.equal(undefined);
    expect(judgeVirtio('virtio-guest', config).found).to.equal('not set: CONFIG_VIRTIO_BLK');
    expect(judgeVirtio('virtio-guest', config).state).to.equal('warning');
    expect(judgeVirtio('virtio-guest', new Map([['CONFIG_TUN', 'y']])).state).to.equal('problem');
  });
});

describe('the doctor on Open vSwitch', () => {
  const well: SwitchFacts = {
    version: '3.1.0',
    interfaceTypes: ['tap', 'dpdkvhostuserclient'],
    isDpdkInitialised: true,
    isUserspaceTsoOn: true,
    nextConfig: 5n,
    currentConfig: 5n,
    userspaceBridges: ['br0'],
    daemon: { says: 'ovs-vswitchd (Open vSwitch) 3.1.0' },
  };
  const state = (facts: Partial<SwitchFacts>): Record<string, string> =>
    states(judgeSwitch({ ...well, ...facts }).filter((check) => check.state !== 'ok'));

  it('finds all well', () => {
    expect(state({})).to.deep.equal({});
    expect(state({ version: undefined })).to.deep.equal({});
    expect(state({ isUserspaceTsoOn: false, userspaceBridges: [] })).to.deep.equal({});
  });

  it('finds what is not', () => {
    expect(state({ version: '2.17.9' })).to.deep.equal({ 'ovs-version': 'warning' });
    expect(state({ currentConfig: 4n })).to.deep.equal({ 'ovs-vswitchd': 'problem' });
    expect(state({ daemon: { error: 'gone' }, version: undefined })).to.deep.equal({
      'ovs-version': 'warning',
      'ovs-vswitchd': 'problem',
    });
    expect(state({ interfaceTypes: [] })).to.deep.equal({ dpdk: 'warning' });
    expect(state({ isDpdkInitialised: false })).to.deep.equal({ dpdk: 'warning' });
    expect(state({ isUserspaceTsoOn: false })).to.deep.equal({ offloads: 'warning' });
  });
});
