import { expect } from 'chai';
import { FIRST_TRY, linkDown, linkUp, type Reconnect } from '../../../src/jsonrpc/reconnect.ts';

function waits(start: Reconnect, tries: number): number[] {
  const pauses: number[] = [];
  let state = start;
  for (let count = 0; count < tries; count += 1) {
    const down = linkDown(state, 0);
    pauses.push(down.waitMs);
    state = down.state;
  }
  return pauses;
}

describe('reconnect', () => {
  it('tries at once, then after 1 to 8 seconds', () => {
    expect(waits(FIRST_TRY, 7)).to.deep.equal([0, 1000, 2000, 4000, 8000, 8000, 8000]);
  });

  it('starts anew after a link that stayed up', () => {
    const tired = { backoffMs: 8000, upSinceMs: undefined };
    expect(linkDown(linkUp(tired, 100), 8100)).to.deep.equal({
      waitMs: 0,
      state: { backoffMs: 1000, upSinceMs: undefined },
    });
  });

  it('goes on doubling where links are lost as soon as they are up', () => {
    const tired = { backoffMs: 4000, upSinceMs: undefined };
    expect(linkDown(linkUp(tired, 100), 200)).to.deep.equal({
      waitMs: 4000,
      state: { backoffMs: 8000, upSinceMs: undefined },
    });
  });
});
