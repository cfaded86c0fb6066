import { expect } from 'chai';
import { OvsdbConnection } from '../../src/ovsdb/client/connection.ts';
import { toUuid, type Uuid } from '../../src/ovsdb/schema/schema.ts';
import { openVSwitch, type OpenVSwitchTables } from '../../src/ovsdb/generated/vswitch.ts';
import { updateWithRetries } from '../../src/ovsdb/client/retry.ts';
import type { Snapshot } from '../../src/ovsdb/replica/snapshot.ts';
import { Transaction } from '../../src/ovsdb/transaction/transaction.ts';
import { Cutter } from '../support/cutter.ts';
import { OvsdbServer } from '../support/ovsdb.ts';
import { connectTo, TEST_LIMITS, type Client } from '../support/ovsdbclient.ts';

const CHOSEN = toUuid('0a0b0c0d-1111-4222-8333-444455556666');
const COLUMNS = { Open_vSwitch: ['next_cfg'], Queue: ['dscp'] } as const;

type Now = Snapshot<OpenVSwitchTables>;

/** Reads, expects, and writes one more: nothing that the server would add up by itself. */
function increment(now: Now): Transaction<OpenVSwitchTables> {
  const [root] = now.table('Open_vSwitch').values();
  if (!root) throw new Error('no root');
  const transaction = new Transaction(openVSwitch, { over: now });
  transaction.expect('Open_vSwitch', root._uuid, ['next_cfg']);
  transaction.update('Open_vSwitch', root._uuid, { next_cfg: root.next_cfg + 1n });
  return transaction;
}

function addQueue(uuid?: Uuid): Transaction<OpenVSwitchTables> {
  const transaction = new Transaction(openVSwitch);
  transaction.insert('Queue', { dscp: 7 }, uuid === undefined ? {} : { uuid });
  return transaction;
}

const queuesOf = (client: Client) => [...client.snapshot().table('Queue').keys()];

describe('ovsdb updates with retries', () => {
  let server: OvsdbServer;

  before(async () => {
    server = await OvsdbServer.start();
  });

  after(async () => {
    const log = server.log();
    await server[Symbol.asyncDispose]();
    expect(log).to.not.include('bad JSON-RPC message');
  });

  it('add up exactly where three clients increment at once', async () => {
    await using one = await connectTo(server.remote, { columns: COLUMNS });
    await using two = await connectTo(server.remote, { columns: COLUMNS });
    await using three = await connectTo(server.remote, { columns: COLUMNS });
    let built = 0;
    const often = async (client: Client) => {
      for (let time = 0; time < 50; time += 1) {
        const outcome = await updateWithRetries(
          client,
          (now) => {
            built += 1;
            return increment(now);
          },
          // Each attempt that fails is one that somebody else made, and the two others make 100.
          { tries: 101 },
        );
        expect(outcome).to.have.property('outcome', 'success');
      }
    };
    await Promise.all([often(one), often(two), often(three)]);
    expect((await server.vsctl('get', 'Open_vSwitch', '.', 'next_cfg')).trim()).to.equal('150');
    // They did meet.
    expect(built).to.be.above(150);
  });

  for (const cut of ['reply', 'request'] as const)
    it(`insert one row where the link is cut before the ${cut} arrives`, async () => {
      await using cutter = await Cutter.start(server.directory, server.socketPath);
      await using client = await connectTo(cutter.remote, { columns: COLUMNS });
      let built = 0;
      cutter.cutAt('"transact"', cut);
      const outcome = await updateWithRetries(client, () => {
        built += 1;
        return addQueue(CHOSEN);
      });
      if (outcome.outcome !== 'success') throw new Error(JSON.stringify(outcome));
      expect([...outcome.uuids.values()]).to.deep.equal([CHOSEN]);
      expect(built).to.equal(cut === 'reply' ? 1 : 2);
      expect(queuesOf(client)).to.deep.equal([CHOSEN]);
      await server.vsctl('destroy', 'Queue', CHOSEN);
    });

  it('are unknown where no row was given a UUID', async () => {
    await using cutter = await Cutter.start(server.directory, server.socketPath);
    await using client = await connectTo(cutter.remote, { columns: COLUMNS });
    cutter.cutAt('"transact"', 'reply');
    const outcome = await updateWithRetries(client, () => addQueue());
    expect(outcome).to.have.property('outcome', 'unknown');
    const [uuid] = await client.waitFor(
      (now) => (now.table('Queue').size > 0 ? [...now.table('Queue').keys()] : undefined),
      { timeoutMs: 10_000 },
    );
    await server.vsctl('destroy', 'Queue', uuid ?? '');
  });

  it('are made only while a lock is held', async () => {
    await using connection = OvsdbConnection.open({ remote: server.remote, ...TEST_LIMITS });
    await using client = await connection.database({ schema: openVSwitch, columns: COLUMNS });
    const lock = connection.lock('retry');
    await lock.held({ timeoutMs: 10_000 });
    const update = () => updateWithRetries(client, increment, { lock });
    expect(await update()).to.have.property('outcome', 'success');
    await lock.release();
    expect(await update()).to.have.property('outcome', 'not-locked');
  });

  it('wait for the link before they begin', async () => {
    await using client = await connectTo(server.remote, { columns: COLUMNS });
    await server.kill();
    const updating = updateWithRetries(client, () => addQueue(CHOSEN));
    await server.restart();
    expect(await updating).to.have.property('outcome', 'success');
    expect(queuesOf(client)).to.deep.equal([CHOSEN]);
  });
});
