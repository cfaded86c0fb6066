import { expect } from 'chai';
import { nicArguments } from '../../../src/guest/kernel-arguments.ts';
import { mac, nic } from '../../support/desired.ts';

describe('kernel arguments of NICs', () => {
  it('name each NIC by its MAC, and give it its address', () => {
    const nics = [
      nic('web1', 0, { mac: mac('52:54:00:10:00:01'), ip: '10.1.0.11/24' }),
      nic('web1', 1, { mac: mac('52:54:00:10:00:02'), ip: '10.2.0.11/20' }),
    ];
    expect(nicArguments('web1', nics)).to.deep.equal([
      'ifname=eth0:52:54:00:10:00:01',
      'ip=10.1.0.11:::255.255.255.0:web1:eth0:none',
      'ifname=eth1:52:54:00:10:00:02',
      'ip=10.2.0.11:::255.255.240.0:web1:eth1:none',
    ]);
  });

  const masks: readonly (readonly [string, string])[] = [
    ['10.0.0.1/8', '255.0.0.0'],
    ['10.0.0.1/30', '255.255.255.252'],
    ['10.0.0.1/32', '255.255.255.255'],
    ['10.0.0.1/1', '128.0.0.0'],
    ['10.0.0.1/0', '0.0.0.0'],
  ];
  for (const [ip, mask] of masks) {
    it(`writes the netmask of ${ip} as ${mask}`, () => {
      expect(nicArguments('v', [nic('v', 0, { ip })])[1]).to.equal(`ip=10.0.0.1:::${mask}:v:eth0:none`);
    });
  }

  it('put IPv6 addresses in brackets, with their prefix length', () => {
    expect(nicArguments('v', [nic('v', 0, { ip: 'fd00::11/64' })])[1]).to.equal(
      'ip=[fd00::11]:::64:v:eth0:none',
    );
  });

  it('only name a NIC that has no address', () => {
    expect(nicArguments('v', [nic('v', 0, { mac: mac('52:54:00:00:00:01') })])).to.deep.equal([
      'ifname=eth0:52:54:00:00:00:01',
    ]);
  });
});
