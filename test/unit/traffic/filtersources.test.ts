import { expect } from 'chai';
import { compileFilter } from '../../../src/filter/compile.ts';
import { PAIR_SOURCE, VM_SOURCE } from '../../../src/traffic/filtersources.ts';
import { nicOf, pairRow, vmRow } from '../output/top/samples.ts';

describe('fields of rows', () => {
  it('of a pair', () => {
    const pair = pairRow(nicOf('web1'), nicOf('db1', '1'), 2e6, { quality: 'sampled 1:400' });
    const matches = (text: string): boolean => compileFilter(text, PAIR_SOURCE).matches(pair);
    const isTrue = ['vm=web1', 'vm=db1', 'from=web1', 'from=web1:0', 'to=db1:1', 'to=db*', 'network=db'];
    for (const text of [
      ...isTrue,
      'rate>=2M',
      'quality=sampled*',
      'bytes=2M',
      'age<1s',
      'topology=lab',
      'nic=1',
    ])
      expect(matches(text), text).to.equal(true);
    for (const text of ['from=db1', 'to=web1', 'to=uplink', 'vm=uplink', 'from=web1:1'])
      expect(matches(text), text).to.equal(false);
  });

  it('of a pair with the uplink', () => {
    const { matches } = compileFilter('to=uplink and vm=web1', PAIR_SOURCE);
    expect(matches(pairRow(nicOf('web1'), 'uplink', 1))).to.equal(true);
    expect(matches(pairRow('uplink', nicOf('web1'), 1))).to.equal(false);
  });

  it('of a VM, both ways together where the name does not say which', () => {
    const row = vmRow('web1', 1e6, 2e6, { sentBytes: 10n, receivedBytes: 5n, sentPackets: 1n });
    const matches = (text: string): boolean => compileFilter(text, VM_SOURCE).matches(row);
    for (const text of [
      'rate=3M',
      'sent=1M',
      'received=2M',
      'bytes=15',
      'port=web1-0',
      'mac=52:54:*',
      'nic=0',
    ])
      expect(matches(text), text).to.equal(true);
    // Received packets are not known.
    expect(matches('packets>=0')).to.equal(false);
  });
});
