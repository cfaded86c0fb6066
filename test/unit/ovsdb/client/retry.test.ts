import { expect } from 'chai';
import { BehaviorSubject } from 'rxjs';
import { fail, VsbError } from '../../../../src/errors.ts';
import { openVSwitch, type OpenVSwitchTables } from '../../../../src/ovsdb/generated/vswitch.ts';
import type { TransactionOutcome } from '../../../../src/ovsdb/transaction/outcome.ts';
import { updateWithRetries, type Updatable } from '../../../../src/ovsdb/client/retry.ts';
import type { Snapshot } from '../../../../src/ovsdb/replica/snapshot.ts';
import { Transaction } from '../../../../src/ovsdb/transaction/transaction.ts';
import { snapshotOf, uuidOf } from '../../../support/snapshots.ts';

const CHOSEN = uuidOf(7);
const TRY_AGAIN: TransactionOutcome = { outcome: 'try-again', reason: 'timed out' };
const UNKNOWN: TransactionOutcome = {
  outcome: 'unknown',
  reason: fail('OVSDB_LINK_LOST', { remote: 'unix:x', why: 'gone' }),
};
const FAILED: TransactionOutcome = {
  outcome: 'error',
  at: 0,
  error: 'duplicate uuid',
  details: undefined,
  syntax: undefined,
  message: 'x',
};
const DONE: TransactionOutcome = { outcome: 'success', uuids: new Map(), results: [] };

const holding = (...rows: readonly string[]) =>
  snapshotOf(openVSwitch, {
    Queue: { columns: ['dscp'], rows: Object.fromEntries(rows.map((uuid) => [uuid, {}])) },
  });

/** A client that answers as it is told: each step is what one attempt gives. */
class Scripted implements Updatable<OpenVSwitchTables> {
  readonly snapshots$ = new BehaviorSubject<Snapshot<OpenVSwitchTables>>(holding());
  readonly status$ = new BehaviorSubject<{ readonly at: string }>({ at: 'live' });
  readonly #steps: (() => TransactionOutcome)[];
  sent = 0;

  constructor(...steps: readonly (() => TransactionOutcome)[]) {
    this.#steps = [...steps];
  }

  snapshot(): Snapshot<OpenVSwitchTables> {
    return this.snapshots$.value;
  }

  transact(): Promise<TransactionOutcome> {
    this.sent += 1;
    const step = this.#steps.shift();
    if (!step) throw new Error('one attempt too many');
    return Promise.resolve(step());
  }
}

const insert = () => {
  const transaction = new Transaction(openVSwitch);
  transaction.insert('Queue', {}, { uuid: CHOSEN });
  return transaction;
};

describe('an update with retries', () => {
  it('is unchanged where nothing is to be done', async () => {
    const client = new Scripted();
    expect(await updateWithRetries(client, () => undefined)).to.deep.equal({ outcome: 'unchanged' });
  });

  it('is planned over each new snapshot', async () => {
    const client = new Scripted(
      () => {
        client.snapshots$.next(holding(uuidOf(1)));
        return TRY_AGAIN;
      },
      () => {
        queueMicrotask(() => {
          client.snapshots$.next(holding(uuidOf(1), uuidOf(2)));
        });
        return TRY_AGAIN;
      },
      () => DONE,
    );
    const sizes: number[] = [];
    const outcome = await updateWithRetries(client, (now) => {
      sizes.push(now.table('Queue').size);
      return insert();
    });
    expect(outcome).to.equal(DONE);
    expect(sizes).to.deep.equal([0, 1, 2]);
  });

  it('is tried again when the link is back, also where nothing else changed', async () => {
    const client = new Scripted(
      () => TRY_AGAIN,
      () => {
        setImmediate(() => {
          client.status$.next({ at: 'backoff' });
          client.status$.next({ at: 'live' });
        });
        return TRY_AGAIN;
      },
      () => DONE,
    );
    client.status$.next({ at: 'backoff' });
    const updating = updateWithRetries(client, insert);
    client.status$.next({ at: 'live' });
    expect(await updating).to.equal(DONE);
  });

  it('is recognised by its row after the link was lost', async () => {
    const client = new Scripted(() => {
      client.status$.next({ at: 'backoff' });
      queueMicrotask(() => {
        client.snapshots$.next(holding(CHOSEN));
        client.status$.next({ at: 'live' });
      });
      return UNKNOWN;
    });
    const outcome = await updateWithRetries(client, insert);
    expect(outcome).to.deep.include({ outcome: 'success', results: [] });
    expect(client.sent).to.equal(1);
  });

  it('is recognised by the error that a second row with its UUID gives', async () => {
    const client = new Scripted(
      () => UNKNOWN,
      () => {
        client.snapshots$.next(holding(CHOSEN));
        return FAILED;
      },
    );
    expect(await updateWithRetries(client, insert)).to.have.property('outcome', 'success');
    const other = new Scripted(() => FAILED);
    expect(await updateWithRetries(other, insert)).to.equal(FAILED);
  });

  it('is unknown where nothing recognises it', async () => {
    const anonymous = () => {
      const transaction = new Transaction(openVSwitch);
      transaction.insert('Queue', {});
      return transaction;
    };
    expect(await updateWithRetries(new Scripted(() => UNKNOWN), anonymous)).to.equal(UNKNOWN);
    const unheld = () => {
      const transaction = new Transaction(openVSwitch);
      transaction.insert('QoS', {}, { uuid: CHOSEN });
      return transaction;
    };
    expect(await updateWithRetries(new Scripted(() => UNKNOWN), unheld)).to.equal(UNKNOWN);
  });

  it('claims nothing by a row that was there before', async () => {
    const client = new Scripted(() => UNKNOWN);
    client.snapshots$.next(holding(CHOSEN));
    expect(await updateWithRetries(client, insert)).to.equal(UNKNOWN);
    expect(client.sent).to.equal(1);
  });

  it('does not repeat what inserts rows that do not stay: nothing would tell whether it was made', async () => {
    const client = new Scripted(() => UNKNOWN);
    client.snapshots$.next(snapshotOf(openVSwitch, { Port: { columns: ['name'], rows: {} } }));
    const outcome = await updateWithRetries(client, () => {
      const transaction = new Transaction(openVSwitch);
      transaction.insert('Port', { name: 'p' }, { uuid: CHOSEN });
      transaction.mutate('Open_vSwitch', [], [['next_cfg', '+=', 1]]);
      return transaction;
    });
    expect(outcome).to.equal(UNKNOWN);
    expect(client.sent).to.equal(1);
  });

  it('is unknown where conditions keep the row from it that is in the way', async () => {
    const client = new Scripted(
      () => UNKNOWN,
      () => FAILED,
    );
    expect(await updateWithRetries(client, insert)).to.equal(UNKNOWN);
    expect(client.sent).to.equal(2);
  });

  it('ends after as many tries, at its deadline, by its signal, and with the client', async () => {
    const moving = () => {
      client.snapshots$.next(holding());
      return TRY_AGAIN;
    };
    let client = new Scripted(moving, moving, moving);
    expect(await updateWithRetries(client, insert, { tries: 3 })).to.equal(TRY_AGAIN);
    expect(client.sent).to.equal(3);

    client = new Scripted(() => TRY_AGAIN);
    expect(await updateWithRetries(client, insert, { timeoutMs: 1 })).to.equal(TRY_AGAIN);

    client = new Scripted(() => TRY_AGAIN);
    const stop = new AbortController();
    const stopped = updateWithRetries(client, insert, { signal: stop.signal }).catch(
      (thrown: unknown) => thrown,
    );
    setImmediate(() => {
      stop.abort();
    });
    expect(await stopped)
      .to.be.instanceOf(VsbError)
      .with.property('code', 'CANCELLED');

    client = new Scripted(() => TRY_AGAIN);
    const closed = updateWithRetries(client, insert).catch((thrown: unknown) => thrown);
    setImmediate(() => {
      client.snapshots$.complete();
      client.status$.complete();
    });
    expect(await closed)
      .to.be.instanceOf(VsbError)
      .with.property('code', 'CANCELLED');
  });

  it('is unknown where it is cancelled after an attempt was lost, or cannot be tried again', async () => {
    const client = new Scripted(() => {
      client.status$.next({ at: 'connecting' });
      return UNKNOWN;
    });
    const stop = new AbortController();
    const stopped = updateWithRetries(client, insert, { signal: stop.signal });
    setImmediate(() => {
      stop.abort();
    });
    expect(await stopped).to.equal(UNKNOWN);

    const later = new Scripted(
      () => UNKNOWN,
      () => TRY_AGAIN,
    );
    expect(await updateWithRetries(later, insert, { tries: 2 })).to.equal(UNKNOWN);
  });
});
