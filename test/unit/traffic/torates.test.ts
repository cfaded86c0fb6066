import { expect } from 'chai';
import { TestScheduler } from 'rxjs/testing';
import { map } from 'rxjs';
import { fail } from '../../../src/errors.ts';
import { toRates } from '../../../src/traffic/torates.ts';
import type { BridgeReading, Reading } from '../../../src/traffic/portsamples.ts';
import { sample } from './samples.ts';

describe('toRates()', () => {
  it('compares each port with itself in the reading before', () => {
    marbles(({ cold, expectObservable }) => {
      const readings$ = cold('a-b-(c|)', {
        a: reading(0, read(0, 0n), read(0, 100n, 'p2')),
        b: reading(1000, read(1000, 10n), read(1000, 100n, 'p2')),
        c: reading(2000, read(2000, 10n)),
      });
      expectObservable(readings$.pipe(toRates(), map(summary))).toBe('a-b-(c|)', {
        a: ['p1 first-sample', 'p2 first-sample'],
        b: ['p1 80', 'p2 0'],
        c: ['p1 0'],
      });
    });
  });

  it('starts again after a loss, and after a port was away', () => {
    marbles(({ cold, expectObservable }) => {
      const readings$ = cold('abcde|', {
        a: reading(0, read(0, 0n)),
        b: reading(1000, LOST),
        c: reading(2000, read(2000, 1_000_000n)),
        d: reading(3000, { outcome: 'read', session: 1, bridge: 'br0', samples: [] }),
        e: reading(4000, read(4000, 2_000_000n)),
      });
      expectObservable(readings$.pipe(toRates(), map(summary))).toBe('abcde|', {
        a: ['p1 first-sample'],
        b: ['lost br0'],
        c: ['p1 first-sample'],
        d: [],
        e: ['p1 first-sample'],
      });
    });
  });

  it('keeps ports of the same name on two bridges apart', () => {
    marbles(({ cold, expectObservable }) => {
      const other = (atMs: number, rxBytes: bigint): BridgeReading => ({
        outcome: 'read',
        session: 1,
        bridge: 'br1',
        samples: [sample({ bridge: 'br1', atMs, counters: { rxBytes } })],
      });
      const readings$ = cold('ab|', {
        a: reading(0, read(0, 5000n), other(0, 0n)),
        b: reading(1000, read(1000, 5000n), other(1000, 1n)),
      });
      expectObservable(readings$.pipe(toRates(), map(summary))).toBe('ab|', {
        a: ['p1 first-sample', 'p1 first-sample'],
        b: ['p1 0', 'p1 8'],
      });
    });
  });
});

const LOST: BridgeReading = {
  outcome: 'lost',
  bridge: 'br0',
  error: fail('OPENFLOW_CLOSED', { path: '/x/br0.mgmt', what: 'test' }),
};

function read(atMs: number, rxBytes: bigint, port = 'p1'): BridgeReading {
  return {
    outcome: 'read',
    session: 1,
    bridge: 'br0',
    samples: [sample({ port, atMs, counters: { rxBytes } })],
  };
}

function reading(atMs: number, ...bridges: BridgeReading[]): Reading {
  return { at: new Date(atMs), atMs, bridges };
}

function summary({
  ports,
  losses,
}: {
  ports: readonly RatedLike[];
  losses: readonly { bridge: string }[];
}): string[] {
  return [
    ...ports.map(
      (rated) => `${rated.sample.port} ${String(rated.discontinuity ?? rated.rates?.rxBitsPerSecond)}`,
    ),
    ...losses.map(({ bridge }) => `lost ${bridge}`),
  ];
}

interface RatedLike {
  readonly sample: { readonly port: string };
  readonly rates: { readonly rxBitsPerSecond: number | undefined } | undefined;
  readonly discontinuity: string | undefined;
}

function marbles(run: Parameters<TestScheduler['run']>[0]): void {
  new TestScheduler((actual, expected) => {
    expect(actual).to.deep.equal(expected);
  }).run(run);
}
