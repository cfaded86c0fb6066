import { expect } from 'chai';
import fc from 'fast-check';
import { ratesBetween } from '../../../src/traffic/rates.ts';
import type { PortCounters } from '../../../src/openflow/portstats.ts';
import { ofPort, sample, uuid } from './samples.ts';

describe('rates between two samples', () => {
  it('are the differences over the time between', () => {
    const before = sample({ atMs: 1000, counters: { rxBytes: 500n, rxPackets: 1n } });
    const after = sample({
      atMs: 1500,
      counters: { rxBytes: 1500n, rxPackets: 3n, txBytes: 64n, txPackets: 1n },
    });
    expect(ratesBetween(before, after).rates).to.deep.equal({
      rxBitsPerSecond: 16_000,
      rxPacketsPerSecond: 4,
      txBitsPerSecond: 1024,
      txPacketsPerSecond: 2,
    });
  });

  it('are exact beyond 2^53, as only the difference becomes a number', () => {
    const start = 2n ** 63n;
    const rated = ratesBetween(
      sample({ counters: { rxBytes: start } }),
      sample({ atMs: 1000, counters: { rxBytes: start + 1n } }),
    );
    expect(rated.rates?.rxBitsPerSecond).to.equal(8);
  });

  it('are 0 where nothing passed, and not unknown', () => {
    expect(ratesBetween(sample(), sample({ atMs: 1000 })).rates?.rxBitsPerSecond).to.equal(0);
  });

  it('are not there for the first sample', () => {
    expect(ratesBetween(undefined, sample())).to.deep.include({
      rates: undefined,
      discontinuity: 'first-sample',
    });
  });

  const later = { atMs: 1000, counters: { rxBytes: 1_000_000n } };
  const cases = [
    ['a new Interface row', sample(), sample({ ...later, interfaceUuid: uuid(2) }), 'new-port'],
    ['a new port number', sample(), sample({ ...later, ofport: ofPort(2) }), 'new-port'],
    ['a younger port', sample(), sample({ ...later, durationMs: 900 }), 'new-port'],
    ['a new connection', sample(), sample({ ...later, session: 2 }), 'new-session'],
    [
      'a counter that went back, be it another one',
      sample({ counters: { txErrors: 1n } }),
      sample(later),
      'counter-went-back',
    ],
  ] as const;
  for (const [what, before, after, discontinuity] of cases) {
    it(`are not there after ${what}`, () => {
      expect(ratesBetween(before, after)).to.deep.equal({ sample: after, rates: undefined, discontinuity });
    });
  }

  it('are unknown for a counter that is unknown in either sample, and known for the others', () => {
    const rated = ratesBetween(
      sample({ counters: { rxBytes: undefined } }),
      sample({ atMs: 1000, counters: { rxBytes: 5n, txPackets: undefined } }),
    );
    expect(rated.rates).to.deep.equal({
      rxBitsPerSecond: undefined,
      rxPacketsPerSecond: 0,
      txBitsPerSecond: 0,
      txPacketsPerSecond: undefined,
    });
  });

  it('do not mind that the switch does not say how old the port is', () => {
    const rated = ratesBetween(sample({ durationMs: undefined }), sample({ atMs: 1000, durationMs: 5 }));
    expect(rated.discontinuity).to.equal(undefined);
  });

  it('are no spike where we were held up with an answer, by the age of the port', () => {
    const answered = sample({ atMs: 5000, durationMs: 10_000 });
    const next = sample({ atMs: 5001, durationMs: 15_000, counters: { rxPackets: 5000n } });
    expect(ratesBetween(answered, next).rates?.rxPacketsPerSecond).to.equal(1000);
  });

  it('are unknown where no time passed', () => {
    expect(ratesBetween(sample(), sample({ durationMs: 10_000 })).rates?.rxBitsPerSecond).to.equal(undefined);
  });

  it('are never negative, whatever the counters', () => {
    const counter = fc.option(fc.bigInt({ min: 0n, max: 2n ** 64n - 2n }), { nil: undefined });
    const names = [
      'rxPackets',
      'txPackets',
      'rxBytes',
      'txBytes',
      'rxDropped',
    ] as const satisfies (keyof PortCounters)[];
    const counters = fc.record(Object.fromEntries(names.map((name) => [name, counter])));
    fc.assert(
      fc.property(counters, counters, fc.integer({ min: -10, max: 10_000 }), (before, after, atMs) => {
        const { rates } = ratesBetween(
          sample({ counters: before }),
          sample({ atMs, durationMs: 20_000, counters: after }),
        );
        for (const rate of Object.values(rates ?? {})) expect(rate ?? 0).to.be.at.least(0);
      }),
    );
  });
});
