import { expect } from 'chai';
import { renderComparison, renderComparisonSvg, type ComparisonView } from '../../../src/output/compare.ts';

const spread = (median: number) => ({ median, least: median / 2, most: median * 2 });
const VIEW: ComparisonView = {
  rounds: 3,
  seconds: 4,
  accelerator: 'tcg',
  ways: [
    {
      way: 'virtio/tap/ovs',
      unavailable: undefined,
      bitsPerSecond: spread(4e8),
      packetsPerSecond: spread(24_000),
    },
    { way: 'virtio/<b>', unavailable: undefined, bitsPerSecond: spread(1e9), packetsPerSecond: spread(2e6) },
    {
      way: 'virtio/vhost-net/ovs',
      unavailable: 'there is no /dev/vhost-net',
      bitsPerSecond: undefined,
      packetsPerSecond: undefined,
    },
  ],
};

describe('what compare measured', () => {
  it('is a table that says under what, and what was not measured and why', () => {
    expect(renderComparison(VIEW).split('\n')).to.deep.equal([
      'WAY                          TCP      LEAST        MOST  64-BYTE FRAMES     LEAST      MOST',
      'virtio/tap/ovs         400Mbit/s  200Mbit/s   800Mbit/s        24.0 k/s  12.0 k/s  48.0 k/s',
      'virtio/<b>            1.00Gbit/s  500Mbit/s  2.00Gbit/s        2.00 M/s  1.00 M/s  4.00 M/s',
      'virtio/vhost-net/ovs           -          -           -               -         -         -',
      '',
      'medians of 3 interleaved rounds of 4 s, under emulation (tcg), so they say little of a host with KVM',
      'virtio/vhost-net/ovs: not measured, there is no /dev/vhost-net',
      '',
    ]);
    expect(renderComparison({ ...VIEW, accelerator: 'kvm' })).to.include('rounds of 4 s, with KVM');
  });

  it('is bars in proportion, for what was measured', () => {
    const svg = renderComparisonSvg(VIEW);
    const widths = [...svg.matchAll(/<rect x="190" y="[\d.]+" width="([\d.]+)"/g)].map(([, width]) =>
      Number(width),
    );
    expect(widths).to.deep.equal([84, 210, 2.5, 210]);
    expect(svg).to.include('virtio/&lt;b&gt;').and.to.include('under emulation').and.not.include('vhost-net');
    for (const tag of ['text', 'g', 'title', 'svg'])
      expect(svg.split(`<${tag} `).length + svg.split(`<${tag}>`).length, tag).to.equal(
        svg.split(`</${tag}>`).length + 1,
      );
  });
});
