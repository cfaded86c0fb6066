import { expect } from 'chai';
import { filter, firstValueFrom } from 'rxjs';
import { VsbError } from '../../src/errors.ts';
import { OvsdbConnection } from '../../src/ovsdb/client/connection.ts';
import { openVSwitch } from '../../src/ovsdb/generated/vswitch.ts';
import type { Lock, LockState } from '../../src/ovsdb/client/lock.ts';
import { OvsdbServer } from '../support/ovsdb.ts';
import { addQueue, COLUMNS, connectTo, queues, TEST_LIMITS } from '../support/ovsdbclient.ts';

const WAIT = { timeoutMs: 10_000 };

const open = (server: OvsdbServer) => OvsdbConnection.open({ remote: server.remote, ...TEST_LIMITS });
const until = (lock: Lock, state: LockState) =>
  firstValueFrom(lock.state$.pipe(filter((now) => now === state)));
const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (thrown) {
    if (thrown instanceof VsbError) return thrown.code;
  }
  return 'none';
};

describe('ovsdb lock', () => {
  it('is let go of, and a client closed, whatever becomes of who waits for that', async () => {
    await using server = await OvsdbServer.start();
    await using first = open(server);
    await using second = open(server);
    const ours = first.lock('apply');
    await ours.held(WAIT);
    const gone = { signal: AbortSignal.abort() };
    const released = await ours.release(gone).catch((thrown: unknown) => thrown);
    expect(released).to.be.instanceOf(VsbError).and.to.have.property('code', 'CANCELLED');
    await second.lock('apply').held(WAIT);
    const client = await connectTo(server.remote);
    const closed = await client.close(gone).catch((thrown: unknown) => thrown);
    expect(closed).to.have.property('code', 'CANCELLED');
    await client.close(WAIT);
    const statuses: string[] = [];
    client.status$.subscribe(({ at }) => statuses.push(at));
    expect(statuses, 'closed: it completes at once').to.deep.equal([]);
    const ended = await first.close(gone).catch((thrown: unknown) => thrown);
    expect(ended).to.have.property('code', 'CANCELLED');
    await first.close(WAIT);
  });

  it('is held by one connection at a time, in the order of asking', async () => {
    await using server = await OvsdbServer.start();
    await using first = open(server);
    await using second = open(server);
    const ours = first.lock('apply');
    await ours.held(WAIT);
    const theirs = second.lock('apply');
    await until(theirs, 'waiting');
    await ours.release();
    await theirs.held(WAIT);
    expect(ours.state).to.equal('released');
    const again = first.lock('apply');
    await until(again, 'waiting');
    await theirs.release();
    await again.held(WAIT);
  });

  it('can be stolen, and comes back when the thief lets go', async () => {
    await using server = await OvsdbServer.start();
    await using first = open(server);
    await using second = open(server);
    const ours = first.lock('apply');
    await ours.held(WAIT);
    const client = await first.database({ schema: openVSwitch, columns: COLUMNS });
    const thief = second.lock('apply', { steal: true });
    await thief.held(WAIT);
    await until(ours, 'stolen');
    expect(await client.transact(addQueue(1), { lock: ours })).to.include({ outcome: 'not-locked' });
    await thief.release();
    await ours.held(WAIT);
    expect(await client.transact(addQueue(1), { lock: ours })).to.include({ outcome: 'success' });
  });

  it('comes back also where it had been stolen before', async () => {
    await using server = await OvsdbServer.start();
    await using first = open(server);
    await using second = open(server);
    const owner = second.lock('apply');
    await owner.held(WAIT);
    const ours = first.lock('apply', { steal: true });
    await ours.held(WAIT);
    await owner.release();
    const thief = second.lock('apply', { steal: true });
    await thief.held(WAIT);
    await until(ours, 'stolen');
    await thief.release();
    await ours.held(WAIT);
  });

  it('guards transactions: the server is asked whether it is ours', async () => {
    await using server = await OvsdbServer.start();
    await using connection = open(server);
    const lock = connection.lock('apply');
    const client = await connection.database({ schema: openVSwitch, columns: COLUMNS });
    await lock.held(WAIT);
    const outcome = await client.transact(addQueue(1), { lock });
    expect(outcome.outcome).to.equal('success');
    if (outcome.outcome === 'success')
      expect(outcome.results.map(({ kind }) => kind)).to.deep.equal(['insert']);

    // Stolen while the server could not tell us yet.
    await using other = open(server);
    await other.database({ schema: openVSwitch, columns: COLUMNS });
    server.signal('SIGSTOP');
    const thief = other.lock('apply', { steal: true });
    const late = client.transact(addQueue(2), { lock });
    server.signal('SIGCONT');
    await thief.held(WAIT);
    const result = await late;
    // Whichever the server read first; never a write without the lock.
    if (result.outcome === 'success') expect(queues(client)).to.deep.equal([1, 2]);
    else expect(result.outcome).to.equal('not-locked');
    await until(lock, 'stolen');
    const refused = await client.transact(addQueue(3), { lock: { name: 'apply', state: 'held' } });
    expect(refused).to.include({ outcome: 'not-locked' });
    expect(client.metrics().transactions['not-locked']).to.be.at.least(1);
  });

  it('is asked for again after a reconnect', async () => {
    await using server = await OvsdbServer.start();
    await using client = await connectTo(server.remote, { lock: 'apply' });
    const { lock } = client;
    if (!lock) throw new Error('no lock');
    await lock.held(WAIT);
    expect((await client.transact(addQueue(1))).outcome).to.equal('success');
    const lost = until(lock, 'lost');
    await server.kill();
    await lost;
    const waiting = lock.held(WAIT);
    await server.restart();
    await waiting;
    await client.waitFor(() => (client.metrics().reconnects === 1 ? true : undefined), WAIT);
    await using other = await connectTo(server.remote, { lock: 'apply' });
    expect(await other.transact(addQueue(2))).to.include({ outcome: 'not-locked' });
    await client.close();
    await other.lock?.held(WAIT);
    expect((await other.transact(addQueue(2))).outcome).to.equal('success');
  });

  it('refuses a second asking, and a name that is none', async () => {
    await using server = await OvsdbServer.start();
    await using connection = open(server);
    connection.lock('apply');
    expect(codeOf(() => connection.lock('apply'))).to.equal('OVSDB_LOCK_TWICE');
    expect(codeOf(() => connection.lock('no name'))).to.equal('OVSDB_VALUE');
    await using other = open(server);
    const theirs = other.lock('other');
    await theirs.held(WAIT);
    const stop = new AbortController();
    const stopped = connection.lock('other').held({ ...WAIT, signal: stop.signal });
    stop.abort();
    const code = await stopped.then(
      () => 'none',
      (thrown: unknown) => (thrown instanceof VsbError ? thrown.code : 'INTERNAL'),
    );
    expect(code).to.equal('CANCELLED');
  });

  it('cannot be asked for on a connection that is closed', async () => {
    await using server = await OvsdbServer.start();
    const connection = open(server);
    await connection.close();
    expect(codeOf(() => connection.lock('apply'))).to.equal('CANCELLED');
  });
});
