import { expect } from 'chai';
import {
  Lock,
  nextLockState,
  withAssertion,
  withoutAssertion,
  type LockEvent,
  type LockState,
} from '../../../../src/ovsdb/client/lock.ts';

describe('ovsdb lock', () => {
  const stories: readonly [what: string, events: readonly LockEvent[], states: readonly LockState[]][] = [
    ['granted at once', ['ask', 'granted'], ['asking', 'held']],
    ['queued, then ours', ['ask', 'queued', 'locked'], ['asking', 'waiting', 'held']],
    ['stolen, and back', ['ask', 'granted', 'stolen', 'locked'], ['asking', 'held', 'stolen', 'held']],
    [
      'lost with the link, and asked for again',
      ['ask', 'granted', 'link-lost', 'ask', 'queued', 'locked'],
      ['asking', 'held', 'lost', 'asking', 'waiting', 'held'],
    ],
    [
      'told of a session that is over',
      ['link-lost', 'locked', 'stolen', 'granted'],
      ['lost', 'lost', 'lost', 'lost'],
    ],
    [
      'told of a lock of its name that was released',
      ['ask', 'locked', 'queued', 'link-lost', 'ask', 'stolen', 'granted'],
      ['asking', 'asking', 'waiting', 'lost', 'asking', 'asking', 'held'],
    ],
    ['released for good', ['ask', 'release', 'locked', 'ask', 'link-lost'], ['asking', ...released(4)]],
  ];
  for (const [what, events, states] of stories)
    it(`is ${what}`, () => {
      let state: LockState = 'lost';
      expect(events.map((event) => (state = nextLockState(state, event)))).to.deep.equal(states);
    });

  it('is not asked for where who is told of it lets go', async () => {
    const lock = new Lock('l', { steal: false, onRelease: () => undefined });
    const asked: string[] = [];
    const session = {
      request: (method: string) => {
        asked.push(method);
        return Promise.resolve({ kind: 'result', result: {} } as const);
      },
    };
    lock.state$.subscribe((state) => {
      if (state === 'asking') void lock.release();
    });
    await lock.ask(session, { timeoutMs: 1000 });
    expect(asked).to.deep.equal(['unlock']);
  });

  it('is asserted before all else, and its result is nobody else’s', () => {
    expect(withAssertion('l', [{ op: 'insert' }])).to.deep.equal([
      { op: 'assert', lock: 'l' },
      { op: 'insert' },
    ]);
    const done = { kind: 'result', result: [{}, { uuid: 1 }] } as const;
    expect(withoutAssertion(done)).to.deep.equal({ kind: 'result', result: [{ uuid: 1 }] });
    const failed = { kind: 'result', result: [{ error: 'not owner' }, null] } as const;
    expect(withoutAssertion(failed)).to.equal(failed);
    const refused = { kind: 'error', text: 'x', error: 'x' } as const;
    expect(withoutAssertion(refused)).to.equal(refused);
  });
});

function released(times: number): LockState[] {
  return Array.from({ length: times }, () => 'released');
}
