import { expect } from 'chai';
import fc from 'fast-check';
import { TopPairs } from '../../../src/output/metricspairs.ts';
import type { Pair, Quality } from '../../../src/traffic/pairs/pair.ts';

describe('the top pairs', () => {
  it('are those with most bytes; all the rest is a sum', () => {
    const { top, others, leftOut } = new TopPairs(2).update([
      pairOf('a', 10n),
      pairOf('b', 30n),
      pairOf('c', 20n),
      pairOf('d', 5n),
    ]);
    expect(top.map(({ from }) => from)).to.deep.equal([end('b'), end('c')]);
    expect(others).to.deep.equal([{ bridge: 'br0', quality: 'exact', bytes: 15n, packets: 15n }]);
    expect(leftOut).to.equal(2);
  });

  it('leave what was counted in the rest there, when they rise', () => {
    const pairs = new TopPairs(1);
    pairs.update([pairOf('a', 100n), pairOf('b', 50n)]);
    const { top, others } = pairs.update([pairOf('a', 101n), pairOf('b', 500n)]);
    expect(top.map(({ bytes }) => bytes)).to.deep.equal([500n]);
    // 50 of b before, nothing of a, whose 101 was in its own series; then 1 more of a.
    expect(others).to.deep.equal([{ bridge: 'br0', quality: 'exact', bytes: 51n, packets: 51n }]);
  });

  it('keep the rest apart by bridge and by how good it is', () => {
    const { others } = new TopPairs(0).update([
      pairOf('a', 1n),
      pairOf('b', 2n, 'at-least'),
      { ...pairOf('c', 4n), bridge: 'br1' },
      pairOf('d', 8n),
    ]);
    expect(others.map(({ bridge, quality, bytes }) => [bridge, quality, bytes])).to.have.deep.members([
      ['br0', 'exact', 9n],
      ['br0', 'at-least', 2n],
      ['br1', 'exact', 4n],
    ]);
  });

  it('take a pair that began anew for new', () => {
    const pairs = new TopPairs(0);
    pairs.update([pairOf('a', 100n)]);
    expect(pairs.update([pairOf('a', 7n)]).others[0]?.bytes).to.equal(107n);
  });

  it('and the rest together grow by exactly what was sent, and the rest never goes back', () => {
    const growths = fc.array(fc.array(fc.nat(1000), { minLength: 6, maxLength: 6 }), { maxLength: 30 });
    fc.assert(
      fc.property(growths, fc.nat(6), (rounds, limit) => {
        const pairs = new TopPairs(limit);
        const totals = [0n, 0n, 0n, 0n, 0n, 0n];
        let rest = restOf(pairs.update(toPairs(totals)));
        for (const growth of rounds) {
          growth.forEach((bytes, index) => (totals[index] = (totals[index] ?? 0n) + BigInt(bytes)));
          const shown = pairs.update(toPairs(totals));
          const restGrowth = restOf(shown) - rest;
          const listed = new Set(shown.top.map(({ from }) => vmOf(from)));
          const expected = growth.reduce(
            (sum, bytes, index) => (listed.has(`vm${String(index)}`) ? sum : sum + BigInt(bytes)),
            0n,
          );
          expect(restGrowth).to.equal(expected);
          rest = restOf(shown);
          expect(shown.leftOut).to.equal(6 - limit);
        }
      }),
    );
  });
});

function restOf({ others }: { readonly others: readonly { readonly bytes: bigint }[] }): bigint {
  return others.reduce((sum, { bytes }) => sum + bytes, 0n);
}

function toPairs(totals: readonly bigint[]): Pair[] {
  return totals.map((bytes, index) => pairOf(`vm${String(index)}`, bytes));
}

function vmOf(from: Pair['from']): string {
  return typeof from === 'string' ? from : from.vm;
}

function end(vm: string) {
  return { vm, nic: '0', topology: 'lab', network: 'web' };
}

function pairOf(vm: string, bytes: bigint, quality: Quality = 'exact'): Pair {
  return {
    bridge: 'br0',
    from: end(vm),
    to: 'uplink',
    packets: bytes,
    bytes,
    packetsPerSecond: undefined,
    bitsPerSecond: undefined,
    quality,
    ageMs: 0,
  };
}
