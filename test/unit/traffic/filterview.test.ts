import { expect } from 'chai';
import { toViewFilter } from '../../../src/traffic/filterview.ts';
import type { View } from '../../../src/traffic/views.ts';
import { nicOf, pairRow, vmRow } from '../output/top/samples.ts';

const HEAD = { at: new Date(0), bridges: ['br0'], losses: [] };

describe('toViewFilter', () => {
  it('leaves out the rows that do not pass', () => {
    const vms: View = { ...HEAD, view: 'vms', vms: [vmRow('web1', 1, 1), vmRow('db1', 1, 1)] };
    const seen = toViewFilter('vms', 'network=db')(vms);
    expect(seen.view === 'vms' ? seen.vms.map(({ vm }) => vm) : []).to.deep.equal(['db1']);
    const ports: View = { ...HEAD, view: 'ports', ports: vms.vms.flatMap(({ nics }) => nics) };
    const kept = toViewFilter('ports', 'port=web*')(ports);
    expect(kept.view === 'ports' ? kept.ports.map(({ port }) => port) : []).to.deep.equal(['web1-0']);
    const pairs: View = {
      ...HEAD,
      view: 'pairs',
      pairs: [pairRow(nicOf('a'), nicOf('b'), 5), pairRow(nicOf('b'), 'uplink', 9)],
      states: [],
    };
    const left = toViewFilter('pairs', 'to=uplink')(pairs);
    expect(left.view === 'pairs' ? left.pairs.map(({ to }) => to) : []).to.deep.equal(['uplink']);
  });

  it('lets all pass where it is empty', () => {
    const vms: View = { ...HEAD, view: 'vms', vms: [vmRow('web1', undefined, undefined)] };
    expect(toViewFilter('vms', ' ')(vms)).to.deep.equal(vms);
  });
});
