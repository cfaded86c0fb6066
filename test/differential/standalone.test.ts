/**
 * Our client against python's ovs.db.idl and ovsdb-client over random schemas and random transactions, with every kind of
 * monitor, restarts, cut links and schema conversions in between.
 *
 * `VSB_STEPS=50000` makes so many steps instead of 2,000; `VSB_SEED=7` starts with another seed. A failure names the seed
 * of its schema: `VSB_SEED=<that> VSB_STEPS=<its step> npx mocha test/differential/standalone.test.ts` repeats it.
 */
import { expect } from 'chai';
import { PythonIdl } from '../support/peers/pythonidl.ts';
import { newTally, World } from './world.ts';

const STEPS = Number(process.env['VSB_STEPS'] ?? 2000);
const FIRST_SEED = Number(process.env['VSB_SEED'] ?? 20_261_123);
/** As many steps with one schema. */
const STEPS_EACH = 100;
/** While one waits for a server that starts again, the others go on. */
const AT_ONCE = 8;

describe('our client beside its peers', () => {
  it(`holds the same after each of ${String(STEPS)} random steps`, async function () {
    this.timeout(60_000 + STEPS * 400);
    await using python = new PythonIdl();
    const tally = newTally();
    const seeds = Array.from({ length: Math.ceil(STEPS / STEPS_EACH) }, (_, index) => FIRST_SEED + index);
    const failure = new AbortController();
    const work = async () => {
      for (let seed = seeds.shift(); seed !== undefined && !failure.signal.aborted; seed = seeds.shift()) {
        await using world = await World.open({ seed, python, tally, signal: failure.signal });
        await world.steps(Math.min(STEPS_EACH, STEPS));
      }
    };
    await Promise.all(
      Array.from({ length: AT_ONCE }, () =>
        work().catch((cause: unknown) => {
          failure.abort(cause);
        }),
      ),
    );
    failure.signal.throwIfAborted();
    if (STEPS < 500) return;
    expect(tally.crashes, 'ends of the server by SIGSEGV').to.be.lessThan(tally.steps / 50);
    expect(tally.choices).to.be.greaterThan(tally.steps / 50);
    expect(tally.previews).to.be.greaterThan(tally.steps / 20);
    expect(tally.dangling).to.be.lessThan(tally.previews / 20);
    expect(tally.interruptions).to.be.greaterThan(tally.steps / 20);
    expect(tally.committed).to.be.greaterThan(tally.steps / 3);
    expect(tally.failed).to.be.greaterThan(tally.steps / 20);
    for (const outcome of ['success', 'error', 'try-again', 'aborted', 'not-locked'])
      expect(tally.outcomes.get(outcome), outcome).to.be.greaterThan(0);
  });
});
