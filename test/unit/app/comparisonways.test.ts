import { expect } from 'chai';
import { DEFAULT_WAYS, obstacleTo, spreadOf, topologyOf, toWay } from '../../../src/app/comparisonways.ts';
import { issuesOf } from '../../support/topologies.ts';

describe('ways that are compared', () => {
  it('are model, backend and switch', () => {
    expect(toWay('e1000/tap/linux-bridge')).to.deep.equal({
      name: 'e1000/tap/linux-bridge',
      model: 'e1000',
      backend: 'tap',
      plugged: 'linux-bridge',
    });
    expect(toWay('virtio/macvtap')).to.include({ backend: 'macvtap', plugged: undefined });
    for (const name of DEFAULT_WAYS) expect(toWay(name).name).to.equal(name);
  });

  it('are refused where there is no such way', () => {
    for (const name of [
      '',
      'virtio',
      'virtio/tap',
      'virtio/tap/ovs/x',
      'ne2k/tap/ovs',
      'virtio/macvtap/ovs',
      'e1000/vhost-net/ovs',
      'rtl8139/vhost-user/ovs',
      'virtio/vhost-user/linux-bridge',
    ])
      expect(() => toWay(name), name).to.throw('is no way');
  });

  it('make a topology that is well, with a network and two NICs for each', async () => {
    const measurable = DEFAULT_WAYS.map(toWay).filter(({ backend }) => !backend.startsWith('vhost'));
    const topology = topologyOf(measurable, { kernel: '/k', initrd: '/i' });
    expect(issuesOf(JSON.stringify(topology))).to.deep.equal([]);
    for (const way of measurable) expect(await obstacleTo(way)).to.equal(undefined);
    expect(await obstacleTo(toWay('virtio/vhost-user/ovs'))).to.include('DPDK');
  });

  it('are summed up by median, least and most', () => {
    expect(spreadOf([3, 1, 2])).to.deep.equal({ median: 2, least: 1, most: 3 });
    expect(spreadOf([4, 1])).to.deep.equal({ median: 2.5, least: 1, most: 4 });
    expect(spreadOf([5])).to.deep.equal({ median: 5, least: 5, most: 5 });
  });
});
