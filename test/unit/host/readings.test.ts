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
        mtu: 65536,
        group: 'default',
        link_type: 'loopback',
        address: '00:00:00:00:00:00',
      },
      {
        ifname: 't1',
        flags: ['NO-CARRIER', 'BROADCAST', 'MULTICAST', 'UP'],
        mtu: 1500,
        group: '77',
        link_type: 'ether',
        address: '9e:6d:ef:7a:93:12',
        master: 'lbr0',
        linkinfo: {
          info_kind: 'tun',
          info_data: { type: 'tap', vnet_hdr: true, multi_queue: true, persist: true },
        },
        ifalias: 'vswitchboard:a:b:0',
      },
      {
        ifname: 'x1',
        flags: ['NOARP'],
        mtu: 1500,
        linkinfo: { info_kind: 'tun', info_data: { type: 'tun' } },
      },
      { ifname: 'v1', link: null, flags: [], mtu: 1500, linkinfo: { info_kind: 'veth' } },
      {
        ifname: 'm1',
        link: 'v1',
        flags: ['UP', 'LOWER_UP'],
        mtu: 1400,
        link_type: 'ether',
        address: '52:54:00:00:00:01',
        linkinfo: { info_kind: 'macvtap', info_data: { mode: 'bridge' } },
      },
    ]);
    const common = {
      alias: undefined,
      group: 'default',
      mtu: 1500,
      mac: undefined,
      master: undefined,
      lower: undefined,
      multiQueue: false,
      mode: undefined,
    };
    expect(decodeLinks(text)).to.deep.equal([
      { ...common, name: 'lo', kind: 'device', isUp: true, hasCarrier: true, mtu: 65536 },
      {
        ...common,
        name: 't1',
        kind: 'tap',
        isUp: true,
        hasCarrier: false,
        alias: 'vswitchboard:a:b:0',
        group: '77',
        mac: '9e:6d:ef:7a:93:12',
        master: 'lbr0',
        multiQueue: true,
      },
      { ...common, name: 'x1', kind: 'tun', isUp: false, hasCarrier: false },
      { ...common, name: 'v1', kind: 'veth', isUp: false, hasCarrier: false },
      {
        ...common,
        name: 'm1',
        kind: 'macvtap',
        isUp: true,
        hasCarrier: true,
        mtu: 1400,
        mac: '52:54:00:00:00:01',
        lower: 'v1',
        mode: 'bridge',
      },
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
