import { expect } from 'chai';
import { map } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { fail } from '../../../src/errors.ts';
import { portSamples, type BridgeReading } from '../../../src/traffic/portsamples.ts';
import type { BridgePorts } from '../../../src/traffic/switchports.ts';

describe('portSamples()', () => {
  it('asks every bridge at once and then at every tick', () => {
    marbles((scheduler, { cold, expectObservable }) => {
      const readings$ = portSamples(cold('a', { a: bridges('br0', 'br1') }), {
        everyMs: 10,
        read: ({ bridge }) => cold('-(r|)', { r: read(bridge) }),
        nowMs: () => scheduler.now(),
        scheduler,
      }).pipe(map(summary));
      const both = ['br0', 'br1'];
      expectObservable(readings$, '^ 24ms !').toBe('-a 9ms b 9ms c', {
        a: { atMs: 1, both },
        b: { atMs: 11, both },
        c: { atMs: 21, both },
      });
    });
  });

  it('never asks again while an answer is out', () => {
    marbles((scheduler, { cold, expectObservable }) => {
      let asked = 0;
      const readings$ = portSamples(cold('a', { a: bridges('br0') }), {
        everyMs: 10,
        read: () => cold('25ms (r|)', { r: read(`question ${String(++asked)}`) }),
        nowMs: () => scheduler.now(),
        scheduler,
      }).pipe(map(summary));
      expectObservable(readings$, '^ 60ms !').toBe('25ms a 29ms b', {
        a: { atMs: 25, both: ['question 1'] },
        b: { atMs: 55, both: ['question 2'] },
      });
    });
  });

  it('goes on with the others where one bridge is lost', () => {
    marbles((scheduler, { cold, expectObservable }) => {
      const readings$ = portSamples(cold('a', { a: bridges('br0', 'br1') }), {
        everyMs: 10,
        read: ({ bridge }) => cold('(r|)', { r: bridge === 'br0' ? lost(bridge) : read(bridge) }),
        nowMs: () => scheduler.now(),
        scheduler,
      }).pipe(map(summary));
      const both = ['lost br0', 'br1'];
      expectObservable(readings$, '^ 12ms !').toBe('a 9ms b', {
        a: { atMs: 0, both },
        b: { atMs: 10, both },
      });
    });
  });

  it('takes the bridges that are there at the tick, also none', () => {
    marbles((scheduler, { cold, expectObservable }) => {
      const bridges$ = cold('a 14ms b 9ms c', { a: bridges(), b: bridges('br0'), c: bridges('br1') });
      const readings$ = portSamples(bridges$, {
        everyMs: 10,
        read: ({ bridge }) => cold('(r|)', { r: read(bridge) }),
        nowMs: () => scheduler.now(),
        scheduler,
      }).pipe(map(summary));
      expectObservable(readings$, '^ 32ms !').toBe('a 9ms b 9ms c 9ms d', {
        a: { atMs: 0, both: [] },
        b: { atMs: 10, both: [] },
        c: { atMs: 20, both: ['br0'] },
        d: { atMs: 30, both: ['br1'] },
      });
    });
  });
});

function bridges(...names: string[]): readonly BridgePorts[] {
  return names.map((bridge) => ({ bridge, wantsPairs: false, ports: [] }));
}

function read(bridge: string): BridgeReading {
  return { outcome: 'read', session: 1, bridge, samples: [] };
}

function lost(bridge: string): BridgeReading {
  return { outcome: 'lost', bridge, error: fail('OPENFLOW_UNREACHABLE', { path: bridge, why: 'test' }) };
}

function summary(reading: { atMs: number; bridges: readonly BridgeReading[] }): {
  atMs: number;
  both: string[];
} {
  const both = reading.bridges.map(({ outcome, bridge }) => (outcome === 'lost' ? `lost ${bridge}` : bridge));
  return { atMs: reading.atMs, both };
}

function marbles(
  run: (scheduler: TestScheduler, helpers: Parameters<Parameters<TestScheduler['run']>[0]>[0]) => void,
): void {
  const scheduler = new TestScheduler((actual, expected) => {
    expect(actual).to.deep.equal(expected);
  });
  scheduler.run((helpers) => {
    run(scheduler, helpers);
  });
}
