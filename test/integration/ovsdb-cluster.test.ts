import { expect } from 'chai';
import { VsbError } from '../../src/errors.ts';
import { openVSwitch } from '../../src/ovsdb/generated/vswitch.ts';
import { Transaction } from '../../src/ovsdb/transaction/transaction.ts';
import { newDirectory, OvsdbServer } from '../support/ovsdb.ts';
import {
  addQueue,
  connectTo,
  liveAgain,
  liveAt,
  queues,
  recordChanges,
  status,
  sumOfChanges,
} from '../support/ovsdbclient.ts';
import { OvsdbCluster } from '../support/ovsdbcluster.ts';

const WAIT = { timeoutMs: 15_000 };

/** More rows than fit into one batch of what is parsed at a time. */
async function write(server: OvsdbServer): Promise<void> {
  await using client = await connectTo(server.remote, { patienceMs: 10_000 });
  const transaction = new Transaction(openVSwitch);
  for (let row = 0; row < 1500; row += 1)
    transaction.insert('Queue', { dscp: row % 5, other_config: new Map([['row', String(row)]]) });
  const { outcome } = await client.transact(transaction);
  if (outcome !== 'success') throw new Error(outcome);
}

describe('ovsdb cluster', function () {
  this.timeout(60_000);

  it('follows the leader, without an event where nothing changed', async () => {
    await using cluster = await OvsdbCluster.start();
    const leader = await cluster.leader();
    await leader.vsctl('add-br', 'br0');
    await using client = await connectTo(cluster.remotes);
    await liveAt(client, leader.remote);
    const changes = recordChanges(client);
    const before = client.snapshot();

    for (let turn = 0; turn < 2; turn += 1) {
      const live = liveAgain(client);
      const next = await cluster.transferLeadership();
      await live;
      await liveAt(client, next.remote);
      expect(client.metrics().lastResync).to.include({ isDifference: true, changedRows: 0 });
    }
    expect(changes).to.deep.equal([]);
    expect(client.snapshot()).to.equal(before);
    expect(client.metrics().reconnects).to.be.at.least(2);

    expect((await client.transact(addQueue(3))).outcome).to.equal('success');
    expect(changes).to.deep.equal([['insert Queue 3']]);
    expect(await client.selfCheck()).to.deep.equal([]);
  });

  it('tells what changed between one leader and the next, and nothing else', async () => {
    await using cluster = await OvsdbCluster.start();
    const leader = await cluster.leader();
    await leader.vsctl('add-br', 'br0', '--', 'add-br', 'br1');
    await using client = await connectTo(cluster.remotes);
    const changes = recordChanges(client);

    const down = status(client, 'backoff');
    const live = liveAgain(client);
    await leader.kill();
    await down;
    const next = await cluster.leader();
    await next.vsctl('del-br', 'br0');
    await live;
    await client.waitFor((snapshot) => snapshot.table('Bridge').size === 1 || undefined, WAIT);
    // It may have been seen in one piece, or the deletion after the link was up.
    expect(changes.flat().sort()).to.deep.equal([
      'delete Bridge br0',
      'delete Port br0',
      'modify Open_vSwitch',
    ]);
    expect(await client.selfCheck()).to.deep.equal([]);
  });

  it('adds up to the snapshot, whoever leads, whatever conditions there are', async () => {
    await using cluster = await OvsdbCluster.start();
    await using client = await connectTo(cluster.remotes, { patienceMs: 10_000 });
    await using follower = await connectTo(cluster.remotes, { patienceMs: 10_000, leaderOnly: false });
    await using some = await connectTo(cluster.remotes, {
      patienceMs: 10_000,
      conditions: { Queue: [['dscp', '==', 1]] },
    });
    const clients = [client, follower, some];
    const checks = clients.map(sumOfChanges);
    for (let turn = 0; turn < 40; turn += 1) {
      const transaction = new Transaction(openVSwitch);
      for (let row = 0; row < 3; row += 1)
        transaction.insert('Queue', {
          dscp: (turn + row) % 5,
          other_config: new Map([['turn', String(turn)]]),
        });
      if (turn % 7 === 0) transaction.delete('Queue', [['dscp', '==', turn % 5]]);
      const changing = some.setConditions({ Queue: turn % 3 === 0 || [['dscp', '==', turn % 5]] }, WAIT);
      if (turn % 10 === 5) {
        const live = liveAgain(client);
        const down = status(client, 'backoff');
        const leader = await cluster.leader();
        await leader.kill();
        await down;
        // While it is down for some of them.
        await write(await cluster.leader());
        await leader.restart();
        await live;
      }
      const outcome = await follower.transact(transaction);
      expect(outcome.outcome).to.be.oneOf(['success', 'try-again', 'unknown']);
      await changing;
      for (const check of checks) check();
    }
    for (const one of clients) {
      await status(one, 'live');
      expect(await one.selfCheck()).to.deep.equal([]);
    }
    expect(client.snapshot().table('Queue').size).to.be.greaterThan(1000);
  });

  it('stays with any server where it need not lead, and leaves one that is cut off', async () => {
    await using cluster = await OvsdbCluster.start();
    const [follower, other] = await cluster.followers();
    if (!follower || !other) throw new Error('too few');
    await using client = await connectTo([follower.remote, other.remote], {
      leaderOnly: false,
      random: () => 0,
    });
    await liveAt(client, follower.remote);
    const changes = recordChanges(client);
    expect((await client.transact(addQueue(1))).outcome).to.equal('success');
    expect(queues(client)).to.deep.equal([1]);

    const left = status(client, 'backoff');
    await follower.ctl('cluster/failure-test', 'stop-raft-rpc');
    const { reason } = await left;
    expect(reason.code).to.equal('OVSDB_SERVER_UNFIT');
    expect(reason.message).to.include('cut off from its cluster');
    await liveAt(client, other.remote);
    expect((await client.transact(addQueue(2))).outcome).to.equal('success');
    expect(changes).to.deep.equal([['insert Queue 1'], ['insert Queue 2']]);
  });

  it('says why no server will do', async () => {
    await using cluster = await OvsdbCluster.start();
    const [follower] = await cluster.followers();
    const leader = await cluster.leader();
    const failure = async (promise: Promise<AsyncDisposable>): Promise<VsbError> => {
      try {
        await (await promise)[Symbol.asyncDispose]();
      } catch (thrown) {
        if (thrown instanceof VsbError) return thrown;
      }
      throw new Error('connected');
    };
    const notLeading = await failure(connectTo(follower?.remote ?? ''));
    expect(notLeading.code).to.equal('OVSDB_SERVER_UNFIT');
    expect(notLeading.message).to.include('not the leader');
    const foreign = '00000000-0000-4000-8000-000000000000';
    const other = await failure(connectTo(leader.remote, { clusterId: foreign }));
    expect(other.message).to.include(`wanted is ${foreign}`);
    const impatient = await failure(connectTo(follower?.remote ?? '', { patienceMs: 300 }));
    expect(impatient.code).to.equal('OVSDB_SERVER_UNFIT');
  });

  it('follows over a relay once that has reached its source, and through a restart of the source', async () => {
    await using source = await OvsdbServer.start();
    await source.vsctl('add-br', 'br0');
    await source.kill();
    await using relay = await OvsdbServer.serve(newDirectory(), [`relay:Open_vSwitch:${source.remote}`]);
    const log: string[] = [];
    const connecting = connectTo(relay.remote, { patienceMs: 20_000, log: (_level, line) => log.push(line) });
    await source.restart();
    await using client = await connecting;
    expect(log.join()).to.include('the relay has not reached its source yet');
    const changes = recordChanges(client);
    expect((await client.transact(addQueue(1))).outcome).to.equal('success');

    await source.kill();
    await source.restart();
    await source.vsctl('add-br', 'br1');
    await client.waitFor((snapshot) => snapshot.table('Bridge').size === 2 || undefined, WAIT);
    expect(changes).to.deep.equal([
      ['insert Queue 1'],
      ['insert Bridge br1', 'insert Port br1', 'modify Open_vSwitch'],
    ]);
    expect(await client.selfCheck()).to.deep.equal([]);
  });
});
