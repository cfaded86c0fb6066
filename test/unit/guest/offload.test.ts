import { expect } from 'chai';
import { vnetHeader } from '../../../src/guest/offload.ts';
import { decodeHeaderReaders, decodeLinks } from '../../../src/guest/tapfacts.ts';

describe('whether QEMU may leave checksums to the switch', () => {
  it('is no, where nothing says that the switch finishes them', () => {
    expect(vnetHeader({ inKernelSwitch: false, socketReadsHeader: false })).to.equal('off');
  });

  it('is yes, where the tap is in a switch of the kernel', () => {
    expect(vnetHeader({ inKernelSwitch: true, socketReadsHeader: false })).to.equal('on');
  });

  it('is yes, where Open vSwitch reads the header from the tap', () => {
    expect(vnetHeader({ inKernelSwitch: false, socketReadsHeader: true })).to.equal('on');
  });
});

describe('facts of taps', () => {
  it('come from ip: which devices there are, and whether they are in a switch', () => {
    // ip -j link show, iproute2 6.1, shortened
    const json =
      '[{"ifindex":1,"ifname":"lo","mtu":65536},{"ifindex":4,"ifname":"web1-0","master":"ovs-system","mtu":1500}]';
    expect([...decodeLinks(json)]).to.deep.equal([
      ['lo', null],
      ['web1-0', 'ovs-system'],
    ]);
  });

  // ss -0 -e -n -H, iproute2 6.1: ovs-vswitchd 3.1 with userspace-tso-enable on the first two, without on the third.
  const sockets = [
    'p_raw 0      0                  *:web1-0              *     ino:21707 sk:1 ',
    '\tver:0 cpy_thresh:0 flags( running auxdata vnethdr )',
    'p_raw 0      0                  *:web1-1              *     ino:21708 sk:2 ver:0 flags( running auxdata vnethdr )',
    'p_raw 0      0                  *:web2-0              *     ino:21709 sk:3 ',
    '\tver:0 cpy_thresh:0 flags( running auxdata )',
    'p_dgr 0      0                  *:*                   *     ino:21710 sk:4 ',
    '\tver:0 cpy_thresh:0 flags( running )',
  ].join('\n');

  it('come from ss: which devices have a socket that reads the header', () => {
    expect([...decodeHeaderReaders(sockets)]).to.deep.equal(['web1-0', 'web1-1']);
  });

  it('are none where a kernel tells no flags', () => {
    expect(decodeHeaderReaders('p_raw 0 0 *:web1-0 * \n').size).to.equal(0);
    expect(decodeHeaderReaders('').size).to.equal(0);
  });
});
