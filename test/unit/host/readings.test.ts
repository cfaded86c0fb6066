import { expect } from 'chai';
import { readFailures } from '../../../src/host/ipbatch.ts';
import { decodeLinks } from '../../../src/host/observe.ts';
import { VsbError } from '../../../src/errors.ts';

describe('what ip prints', () => {
  it('about links becomes devices (iproute2 6.1)', () => {
    const text = JSON.stringify([
      {
        ifindex: 1,
        ifname: 'lo',
        flags: ['LOOPBACK', 'UP', 'LOWER_UP'],
        group: 'default',
        link_type: 'loopback',
      },
      {
        ifname: 't1',
        flags: ['NO-CARRIER', 'BROADCAST', 'MULTICAST', 'UP'],
        group: '77',
        linkinfo: { info_kind: 'tun', info_data: { type: 'tap', vnet_hdr: true, persist: true } },
        ifalias: 'vswitchboard:a:b:0',
      },
      { ifname: 'x1', flags: ['NOARP'], linkinfo: { info_kind: 'tun', info_data: { type: 'tun' } } },
      { ifname: 'v1', flags: [], linkinfo: { info_kind: 'veth' } },
    ]);
    const common = { alias: undefined, group: 'default' };
    expect(decodeLinks(text)).to.deep.equal([
      { ...common, name: 'lo', kind: 'device', isUp: true, hasCarrier: true },
      { name: 't1', kind: 'tap', isUp: true, hasCarrier: false, alias: 'vswitchboard:a:b:0', group: '77' },
      { ...common, name: 'x1', kind: 'tun', isUp: false, hasCarrier: false },
      { ...common, name: 'v1', kind: 'veth', isUp: false, hasCarrier: false },
    ]);
    expect(() => decodeLinks('[{"ifname": 1}]')).to.throw(VsbError);
  });

  it('about a batch becomes the failures of its lines', () => {
    const said =
      'ioctl(TUNSETIFF): Device or resource busy\nCommand failed -:1\nCannot find device "t5"\nCommand failed -:12\n';
    expect([...readFailures(said)]).to.deep.equal([
      [0, 'ioctl(TUNSETIFF): Device or resource busy'],
      [11, 'Cannot find device "t5"'],
    ]);
    expect(readFailures('').size).to.equal(0);
  });
});
