import { expect } from 'chai';
import { renderBytes, toByteSize } from '../../../src/units/bytesize.ts';

describe('units/bytesize', () => {
  it('reads binary prefixes, as QEMU does', () => {
    const cases: [number | string, number][] = [
      ['256M', 256 * 2 ** 20],
      ['1.5G', 1.5 * 2 ** 30],
      ['1k', 1024],
      ['1T', 2 ** 40],
      ['64MiB', 64 * 2 ** 20],
      ['64MB', 64 * 2 ** 20],
      [4096, 4096],
    ];
    for (const [text, bytes] of cases) expect(toByteSize(text), String(text)).to.equal(bytes);
  });

  it('refuses what is no size above 0', () => {
    for (const text of ['', 0, '-1M', '1X', 'M', '1e3', NaN, '99999999T']) {
      expect(toByteSize(text), String(text)).to.equal(undefined);
    }
  });

  it('renders counts of traffic in decimal prefixes', () => {
    const cases: [number | bigint, string][] = [
      [0, '0 B'],
      [999n, '999 B'],
      [1000, '1.00 kB'],
      [54_200, '54.2 kB'],
      [9_996, '10.0 kB'],
      [999_600, '1.00 MB'],
      [1_310_000_000n, '1.31 GB'],
      [2n ** 64n - 1n, '18.4 EB'],
    ];
    for (const [bytes, text] of cases) expect(renderBytes(bytes), String(bytes)).to.equal(text);
  });
});
