/**
 * Our client against its peers on a cluster of three servers whose leaders hand over, are killed, and convert the schema.
 *
 * `VSB_STEPS=5000` makes an eighth as many steps here; `VSB_SEED` as in standalone.test.ts. The moments at which servers
 * elect are not the seed's: a failure need not come back at once.
 */
import { PythonIdl } from '../support/peers/pythonidl.ts';
import { ClusterWorld } from './clusterworld.ts';

const STEPS = Math.ceil(Number(process.env['VSB_STEPS'] ?? 2000) / 8);
const FIRST_SEED = Number(process.env['VSB_SEED'] ?? 20_261_123);
const STEPS_EACH = 120;

describe('our client beside its peers, with a cluster', () => {
  it(`holds the same after each of ${String(STEPS)} random steps, whoever leads`, async function () {
    this.timeout(120_000 + STEPS * 2000);
    await using python = new PythonIdl();
    for (let done = 0; done < STEPS; done += STEPS_EACH) {
      await using world = await ClusterWorld.open(FIRST_SEED + done, python);
      await world.steps(Math.min(STEPS_EACH, STEPS - done));
    }
  });
});
