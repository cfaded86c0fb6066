import { expect } from 'chai';
import fc from 'fast-check';
import IPCIDR from 'ip-cidr';
import { contains, hostRange, renderAddress, toCidr, toIpAddress } from '../../../src/units/cidr.ts';

describe('units/cidr', () => {
  it('reads networks in canonical form', () => {
    expect(toCidr('10.1.0.77/24')).to.deep.equal({
      text: '10.1.0.0/24',
      family: 4,
      prefixLength: 24,
      first: 0x0a010000n,
      last: 0x0a0100ffn,
    });
    expect(toCidr('FD00:0:0:1::5/64')?.text).to.equal('fd00:0:0:1::/64');
    expect(toCidr('0.0.0.0/0')?.last).to.equal(2n ** 32n - 1n);
  });

  it('refuses what is no network', () => {
    const texts = [
      '',
      '10.1.0.0',
      '10.1.0.0/33',
      '10.1.0/24',
      '10.0.0.0/024',
      'fd00::/129',
      'fe80::1%eth0/64',
      '/24',
    ];
    for (const text of texts) expect(toCidr(text), text).to.equal(undefined);
  });

  it('reads addresses in canonical form', () => {
    expect(toIpAddress('10.1.0.11')).to.deep.equal({ text: '10.1.0.11', family: 4, value: 0x0a01000bn });
    expect(toIpAddress('FD00:0:0::1')).to.deep.equal({
      text: 'fd00::1',
      family: 6,
      value: (0xfd00n << 112n) + 1n,
    });
    const texts = [
      '',
      '10.1.0',
      '10.1.0.256',
      '010.1.0.1',
      '10.1.0.1/24',
      ' 10.1.0.1',
      'fe80::1%eth0',
      '1::2::3',
      'web1',
    ];
    for (const text of texts) expect(toIpAddress(text), text).to.equal(undefined);
  });

  it('reads IPv4 as ip-cidr does', () => {
    const octet = fc.oneof(fc.nat(260).map(String), fc.constantFrom('00', '01', '', ' 1', '0x1', '1e1'));
    fc.assert(
      fc.property(fc.array(octet, { minLength: 3, maxLength: 5 }), (octets) => {
        const text = octets.join('.');
        const expected = IPCIDR.isValidAddress(text)
          ? new IPCIDR(`${text}/32`).start<bigint>({ type: 'bigInteger' })
          : undefined;
        expect(toIpAddress(text)?.value).to.equal(expected);
      }),
    );
  });

  it('reads back what it rendered, in both families', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 32n - 1n), (value) => {
        expect(toIpAddress(renderAddress(value, 4))?.value).to.equal(value);
      }),
    );
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 128n - 1n), (value) => {
        expect(toIpAddress(renderAddress(value, 6))?.value).to.equal(value);
      }),
    );
  });

  it('knows what lies in a network', () => {
    const inside = (cidr: string, ip: string): boolean | undefined => {
      const network = toCidr(cidr);
      const address = toIpAddress(ip);
      return network && address && contains(network, address);
    };
    expect(inside('10.1.0.0/24', '10.1.0.255')).to.equal(true);
    expect(inside('10.1.0.0/24', '10.1.1.0')).to.equal(false);
    expect(inside('0.0.0.0/0', '::1')).to.equal(false);
  });

  it('leaves network and broadcast addresses out of the hosts', () => {
    const hosts = (text: string): string[] => {
      const cidr = toCidr(text);
      if (!cidr) throw new Error(text);
      const { first, last } = hostRange(cidr);
      return [renderAddress(first, cidr.family), renderAddress(last, cidr.family)];
    };
    expect(hosts('10.1.0.0/24')).to.deep.equal(['10.1.0.1', '10.1.0.254']);
    expect(hosts('10.1.0.0/30')).to.deep.equal(['10.1.0.1', '10.1.0.2']);
    expect(hosts('10.1.0.0/31')).to.deep.equal(['10.1.0.0', '10.1.0.1']);
    expect(hosts('10.1.0.5/32')).to.deep.equal(['10.1.0.5', '10.1.0.5']);
    expect(hosts('fd00::/120')).to.deep.equal(['fd00::1', 'fd00::ff']);
    expect(hosts('fd00::/127')).to.deep.equal(['fd00::', 'fd00::1']);
  });
});
