import { expect } from 'chai';
import fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import {
  BACKOFF,
  due,
  next,
  NOT_STARTED,
  wakeAtMs,
  type ReconnectEvent,
  type ReconnectRules,
} from '../../../src/jsonrpc/reconnect.ts';
import { perform } from './transcript.ts';

const TRANSCRIPTS = new URL('./reconnect/', import.meta.url);

describe('reconnect', () => {
  for (const file of readdirSync(TRANSCRIPTS).sort()) {
    const transcript = readFileSync(new URL(file, TRANSCRIPTS), 'utf8');
    it(`${file}: ${transcript.split('\n', 1)[0]?.replace(/^# /, '') ?? ''}`, () => {
      expect(perform(transcript)).to.equal(transcript);
    });
  }

  it('never says what is not due, always says when to look again, and never pauses beyond the most', () => {
    const event = fc.constantFrom<ReconnectEvent>(
      ...(['connecting', 'listening', 'connected', 'lost', 'received', 'keptAlive'] as const),
      ...(['read', 'probed', 'settled', 'leave', 'start', 'stop'] as const),
    );
    const step = fc.record({ event, afterMs: fc.integer({ min: 0, max: 20_000 }) });
    const rules: fc.Arbitrary<ReconnectRules> = fc.record({
      remotes: fc.integer({ min: 1, max: 4 }),
      isPassive: fc.boolean(),
      connectTimeoutMs: fc.constantFrom(1, 3000),
      downloadTimeoutMs: fc.constantFrom(1, 30_000),
      probeIntervalMs: fc.constantFrom(0, 5000),
      backoff: fc.constant(BACKOFF),
    });
    fc.assert(
      fc.property(rules, fc.array(step, { maxLength: 40 }), (by, steps) => {
        let now = 0;
        let state = NOT_STARTED;
        for (const { event: what, afterMs } of steps) {
          now += afterMs;
          state = next(state, what, now, by);
          const wakeMs = wakeAtMs(state, by);
          if (due(state, now, by)) expect(wakeMs).to.be.at.most(now);
          else expect(wakeMs ?? Infinity).to.be.greaterThan(now);
          if (wakeMs !== undefined) {
            const later = Math.max(now, wakeMs);
            expect(due(state, later, by)).to.not.equal(undefined);
            // Once the input was read, nothing is read again for the same limit.
            expect(due(next(state, 'read', later, by), later, by)?.do).to.not.equal('read');
          }
          expect(state.backoffMs).to.be.within(0, BACKOFF.mostMs);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('does not try more often than the least pause allows, whatever fails', () => {
    // A server that takes every connection, gives the whole copy, and hangs up at once.
    const rules: ReconnectRules = {
      remotes: 3,
      isPassive: false,
      connectTimeoutMs: 3000,
      downloadTimeoutMs: 30_000,
      probeIntervalMs: 5000,
      backoff: BACKOFF,
    };
    let now = 0;
    let state = next(NOT_STARTED, 'start', now, rules);
    let tries = 0;
    while (now < 60_000) {
      now = Math.max(now, wakeAtMs(state, rules) ?? Infinity);
      expect(due(state, now, rules)?.do).to.equal('connect');
      tries += 1;
      for (const event of ['connecting', 'connected', 'received', 'settled', 'lost'] as const)
        state = next(state, event, now, rules);
    }
    // Three at once, then after 1, 2, 4, 8, 8… seconds.
    expect(tries).to.equal(3 + 3 + 7);
  });
});
