import { expect } from 'chai';
import { VsbError } from '../../src/errors.ts';
import { openVSwitch } from '../../src/ovsdb/generated/vswitch.ts';
import { Transaction } from '../../src/ovsdb/transaction/transaction.ts';
import { OvsdbServer } from '../support/ovsdb.ts';
import { connectTo, liveAgain, queues, recordChanges, status, type Client } from '../support/ovsdbclient.ts';
import { OvsdbCluster } from '../support/ovsdbcluster.ts';

const WAIT = { timeoutMs: 10_000 };

async function addQueues(client: Client, ...all: readonly number[]): Promise<void> {
  const transaction = new Transaction(openVSwitch);
  for (const dscp of all) transaction.insert('Queue', { dscp, other_config: new Map([['n', String(dscp)]]) });
  const outcome = await client.transact(transaction);
  if (outcome.outcome !== 'success') throw new Error(outcome.outcome);
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (thrown: unknown) => (thrown instanceof VsbError ? thrown.code : 'INTERNAL'),
  );

describe('ovsdb conditions', () => {
  it('holds only the rows that meet one of them, and others when they change', async () => {
    await using server = await OvsdbServer.start();
    await using writer = await connectTo(server.remote);
    await addQueues(writer, 1, 2, 3, 4);
    await using client = await connectTo(server.remote, {
      conditions: {
        Queue: [
          ['dscp', '==', 1],
          ['other_config', 'includes', new Map([['n', '2']])],
        ],
      },
    });
    const changes = recordChanges(client);
    expect(queues(client)).to.deep.equal([1, 2]);
    expect(await client.selfCheck()).to.deep.equal([]);

    await client.setConditions(
      {
        Queue: [
          ['dscp', '==', 2],
          ['dscp', '==', 3],
        ],
      },
      WAIT,
    );
    expect(queues(client)).to.deep.equal([2, 3]);
    expect(changes.splice(0)).to.deep.equal([['delete Queue 1', 'insert Queue 3']]);
    expect(await client.selfCheck()).to.deep.equal([]);

    await addQueues(writer, 5);
    await client.setConditions({ Queue: true }, WAIT);
    expect(queues(client)).to.deep.equal([1, 2, 3, 4, 5]);
    for (const none of [false, []] as const) {
      await client.setConditions({ Queue: none }, WAIT);
      expect(queues(client)).to.deep.equal([]);
      expect(await client.selfCheck()).to.deep.equal([]);
    }
    const [uuid] = writer.snapshot().table('Queue').keys();
    if (uuid === undefined) throw new Error('no queue');
    await client.setConditions({ Queue: [['_uuid', '==', uuid]] }, WAIT);
    expect([...client.snapshot().table('Queue').keys()]).to.deep.equal([uuid]);
    // Nothing new: nothing is asked, nothing told.
    changes.length = 0;
    await client.setConditions({ Queue: [['_uuid', '==', uuid]] }, WAIT);
    expect(changes).to.deep.equal([]);
  });

  it('asks about columns that are not held too', async () => {
    await using server = await OvsdbServer.start();
    await using client = await connectTo(server.remote, {
      columns: { Queue: ['dscp'] },
      conditions: { Queue: [['other_config', 'includes', new Map([['n', '2']])]] },
    });
    await addQueues(client, 1, 2, 3);
    expect(queues(client)).to.deep.equal([2]);
    await server.vsctl('set', 'Queue', ...[...client.snapshot().table('Queue').keys()], 'external_ids:x=y');
    await client.setConditions({ Queue: [['external_ids', 'includes', new Map([['x', 'y']])]] }, WAIT);
    expect(queues(client)).to.deep.equal([2]);
    await client.setConditions({ Queue: [['other_config', 'includes', new Map([['n', '3']])]] }, WAIT);
    expect(queues(client)).to.deep.equal([3]);
    expect(await client.selfCheck()).to.deep.equal([]);
    await using writer = await connectTo(server.remote);
    const transaction = new Transaction(openVSwitch);
    transaction.update('Queue', [['dscp', '==', 1]], { other_config: new Map([['n', '3']]) });
    transaction.update('Queue', [['dscp', '==', 3]], { other_config: new Map() });
    expect((await writer.transact(transaction)).outcome).to.equal('success');
    await client.waitFor(() => (queues(client)[0] === 1 ? true : undefined), WAIT);
    expect(queues(client)).to.deep.equal([1]);
  });

  it('makes the newest of several changes at once, and resolves each', async () => {
    await using server = await OvsdbServer.start();
    await using client = await connectTo(server.remote, { conditions: { Queue: false } });
    await addQueues(client, 1, 2, 3);
    await Promise.all([
      client.setConditions({ Queue: [['dscp', '==', 1]] }, WAIT),
      client.setConditions({ Queue: [['dscp', '==', 2]], Bridge: false }, WAIT),
      client.setConditions({ Queue: [['dscp', '==', 3]] }, WAIT),
    ]);
    expect(queues(client)).to.deep.equal([3]);
  });

  it('keeps them over a reconnect, also those that were on their way or set meanwhile', async () => {
    await using server = await OvsdbServer.start();
    await using client = await connectTo(server.remote, { conditions: { Queue: [['dscp', '==', 1]] } });
    await addQueues(client, 1, 2, 3);
    const changes = recordChanges(client);
    let live = liveAgain(client);
    await server.kill();
    await server.restart();
    await live;
    expect(changes).to.deep.equal([]);
    expect(queues(client)).to.deep.equal([1]);

    live = liveAgain(client);
    server.signal('SIGSTOP');
    const onItsWay = client.setConditions({ Queue: [['dscp', '==', 2]] }, WAIT);
    const down = status(client, 'backoff');
    await server.kill();
    await down;
    const meanwhile = client.setConditions(
      {
        Queue: [
          ['dscp', '==', 2],
          ['dscp', '==', 3],
        ],
      },
      WAIT,
    );
    await server.restart();
    await Promise.all([live, onItsWay, meanwhile]);
    expect(queues(client)).to.deep.equal([2, 3]);
    expect(changes).to.deep.equal([['delete Queue 1', 'insert Queue 2', 'insert Queue 3']]);
  });

  it('goes on from where it was with another server of a cluster, then changes them', async function () {
    this.timeout(30_000);
    await using cluster = await OvsdbCluster.start();
    await using client = await connectTo(cluster.remotes, { conditions: { Queue: [['dscp', '==', 1]] } });
    await addQueues(client, 1, 2);
    const changes = recordChanges(client);
    const live = liveAgain(client);
    const down = status(client, 'backoff');
    const before = await cluster.leader();
    await before.kill();
    await down;
    const changing = client.setConditions({ Queue: [['dscp', '==', 2]] }, { timeoutMs: 20_000 });
    await live;
    await changing;
    expect(client.metrics().lastResync).to.include({ isDifference: true, changedRows: 0 });
    expect(queues(client)).to.deep.equal([2]);
    expect(changes).to.deep.equal([['delete Queue 1', 'insert Queue 2']]);
  });

  it('refuses what there is not; what the server refuses changes nothing', async () => {
    await using server = await OvsdbServer.start();
    await using client = await connectTo(server.remote, { conditions: { Queue: [['dscp', '==', 1]] } });
    await addQueues(client, 1, 2);
    const wrong = { Queue: [['colour', '==', 1]] } as unknown as Parameters<typeof client.setConditions>[0];
    expect(await codeOf(client.setConditions(wrong, WAIT))).to.equal('OVSDB_UNKNOWN_COLUMN');
    const noUuid = { Queue: [['_uuid', '==', 'x']] } as unknown as Parameters<typeof client.setConditions>[0];
    expect(await codeOf(client.setConditions(noUuid, WAIT))).to.equal('OVSDB_VALUE');
    // RFC 7047 §5.1: "<" is for numbers.
    const refused = client.setConditions({ Port: [['name', '<', 'x']] }, WAIT);
    expect(await codeOf(refused)).to.equal('OVSDB_REQUEST_REFUSED');
    expect(queues(client)).to.deep.equal([1]);
    await client.setConditions({ Queue: [['dscp', '==', 2]] }, WAIT);
    expect(queues(client)).to.deep.equal([2]);
  });

  it('goes back to what a server took where the next one refuses what was set meanwhile', async () => {
    await using server = await OvsdbServer.start();
    await using client = await connectTo(server.remote, { conditions: { Queue: [['dscp', '==', 1]] } });
    await addQueues(client, 1, 2);
    const changes = recordChanges(client);
    const down = status(client, 'backoff');
    await server.kill();
    await down;
    const live = status(client, 'live');
    const refused = codeOf(client.setConditions({ Port: [['name', '<', 'x']] }, WAIT));
    await server.restart();
    expect(await refused).to.equal('OVSDB_REQUEST_REFUSED');
    await live;
    expect(queues(client)).to.deep.equal([1]);
    const half = client.setConditions({ Port: [['name', '==', '\ud800']] }, WAIT);
    expect(await codeOf(half)).to.equal('JSONRPC_UNSENDABLE');
    expect(changes).to.deep.equal([]);
    expect(client.metrics().reconnects).to.equal(1);
    await client.setConditions({ Queue: true }, WAIT);
    expect(queues(client)).to.deep.equal([1, 2]);
  });

  it('stops waiting when it is told to, or at its limit; the change goes on', async () => {
    await using server = await OvsdbServer.start();
    await using client = await connectTo(server.remote, { conditions: { Queue: false } });
    await addQueues(client, 1);
    server.signal('SIGSTOP');
    const stop = new AbortController();
    const stopped = client.setConditions({ Queue: true }, { timeoutMs: 10_000, signal: stop.signal });
    stop.abort();
    expect(await codeOf(stopped)).to.equal('CANCELLED');
    expect(await codeOf(client.setConditions({ Queue: true }, { timeoutMs: 1 }))).to.equal('OVSDB_TIMEOUT');
    server.signal('SIGCONT');
    await client.waitFor((snapshot) => snapshot.table('Queue').size === 1 || undefined, WAIT);
  });

  it('holds all rows of a server that knows no conditions, and says so', async () => {
    await using server = await OvsdbServer.start();
    await server.ctl('ovsdb-server/disable-monitor-cond');
    const warnings: string[] = [];
    await using client = await connectTo(server.remote, {
      conditions: { Queue: [['dscp', '==', 1]] },
      log: (level, message) => {
        if (level === 'warn') warnings.push(message);
      },
    });
    await addQueues(client, 1, 2);
    expect(queues(client)).to.deep.equal([1, 2]);
    await client.setConditions({ Queue: false }, WAIT);
    expect(queues(client)).to.deep.equal([1, 2]);
    expect(await client.selfCheck()).to.deep.equal([]);
    expect(warnings.join()).to.include('knows no conditions');
  });
});
