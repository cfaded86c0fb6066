import { expect } from 'chai';
import { renderMatrixCsv, renderMatrixJson, renderMatrixTable } from '../../../src/output/matrix.ts';
import { toMatrix, type MatrixBy } from '../../../src/traffic/pairs/matrix.ts';
import type { Pair, PairEnd } from '../../../src/traffic/pairs/pair.ts';
import { nicEnd, pair } from '../traffic/samples.ts';

const PAIRS: readonly Pair[] = [
  pair(nicEnd('web1', '0'), nicEnd('db1'), { bytes: 1000n }),
  pair(nicEnd('web1', '1'), nicEnd('db1'), { bytes: 500n, quality: 'at-least' }),
  pair(nicEnd('db1'), nicEnd('web1'), { bytes: 20_000n }),
  pair(nicEnd('db1'), 'uplink', { bytes: 7n }),
  pair('uplink', nicEnd('web1'), { bytes: 5n }),
];

describe('a matrix of pairs', () => {
  it('has VMs as sums of their NICs, without rows and columns of nothing, with sums', () => {
    expect(table(PAIRS)).to.deep.equal([
      'bytes since each pair was first seen; rows send, columns receive',
      '               db1     web1  (uplink)      SENT',
      'db1              ·  20.0 kB       7 B   20.0 kB',
      'web1      ≥1.50 kB        ·         ·  ≥1.50 kB',
      '(uplink)         ·      5 B         ·       5 B',
      'RECEIVED  ≥1.50 kB  20.0 kB       7 B  ≥21.5 kB',
    ]);
  });

  it('shows bit/s, packets, and leaves out pairs whose rate is not known', () => {
    expect(table(PAIRS, 'packets').at(-1)).to.match(/^RECEIVED .* ≥5$/);
    expect(table([pair('uplink', 'host', { bitsPerSecond: 8_000_000 })], 'rate').at(1)).to.equal(
      '          (host)   SENT',
    );
    expect(table(PAIRS, 'rate')).to.have.length(3);
  });

  it('fits a terminal: first with short names, then with the rest as one', () => {
    const many = Array.from({ length: 12 }, (_, n) =>
      pair(nicEnd(`a-long-name-${String(n)}`), nicEnd(`a-long-name-${String((n + 1) % 12)}`), {
        bytes: BigInt(1000 - n),
      }),
    );
    for (const [width, height] of [
      [80, 24],
      [60, 10],
      [48, 40],
    ] as const) {
      const lines = renderMatrixTable(toMatrix(many, 'bytes'), { width, height, colour: false });
      for (const line of lines) expect(line.length, line).to.be.at.most(width);
      expect(lines.length).to.be.below(height);
      expect(lines.at(-1)).to.match(/11\.9 kB$/, 'the sum of all');
      expect(lines.some((line) => /^\(\d+ more\)/.test(line))).to.equal(true);
    }
    expect(
      renderMatrixTable(toMatrix(many, 'bytes'), { width: 300, height: 40, colour: false })[1],
    ).to.contain('a-long-name-11');
  });

  it('has all digits as JSON, and a square as CSV', () => {
    const [big] = [pair(nicEnd('web1'), 'uplink', { bytes: 2n ** 60n })];
    const matrix = toMatrix([big], 'bytes');
    const json = renderMatrixJson(matrix, new Date(0));
    expect(json).to.contain('"bytes": 1152921504606846976');
    expect(JSON.parse(json)).to.deep.include({ formatVersion: '1.0', by: 'bytes' });
    expect(JSON.parse(renderMatrixJson(toMatrix([], 'rate'), new Date(0)))).to.deep.include({ cells: [] });
    expect(renderMatrixCsv(matrix)).to.equal(
      'from,web1,(uplink)\r\nweb1,,1152921504606846976\r\n(uplink),,\r\n',
    );
  });

  it('keeps VMs of one name in two topologies apart', () => {
    const other: PairEnd = { vm: 'web1', nic: '0', topology: 'other', network: undefined };
    expect(toMatrix([pair(nicEnd('web1'), other, {})], 'bytes').ends).to.have.length(2);
  });
});

function table(pairs: readonly Pair[], by: MatrixBy = 'bytes'): string[] {
  return renderMatrixTable(toMatrix(pairs, by), { width: undefined, height: undefined, colour: false });
}
