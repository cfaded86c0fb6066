/**
 * An update that is planned anew when somebody else was faster (optimistic concurrency: read, expect, write), and that
 * survives the loss of the link where it can be recognised. One attempt: client.ts; what it came to: outcome.ts.
 */
import type { Observable } from 'rxjs';
import { VsbError } from '../../errors.ts';
import type { TransactOptions } from './options.ts';
import type { TransactionOutcome } from '../transaction/outcome.ts';
import type { Ref } from '../schema/ref.ts';
import type { TableName, Uuid } from '../schema/schema.ts';
import type { Snapshot } from '../replica/snapshot.ts';
import { either } from './streams.ts';
import { vanishingRefs } from '../transaction/lint.ts';
import type { Transaction } from '../transaction/transaction.ts';
import { waitForValue } from './waitfor.ts';

/** What it needs of an OvsdbClient. */
export interface Updatable<Tables> {
  snapshot(): Snapshot<Tables>;
  readonly snapshots$: Observable<Snapshot<Tables>>;
  readonly status$: Observable<{ readonly at: string }>;
  transact(transaction: Transaction<Tables>, options: TransactOptions): Promise<TransactionOutcome>;
}

/** Limits of an update with retries. */
export interface RetryOptions {
  /** How often it is sent at most. Default: 50. */
  readonly tries?: number;
  /** For all of it: attempts, and the waits between them. Default: 30 s. */
  readonly timeoutMs?: number;
  /** Ends it between attempts with CANCELLED; what is in flight, or was lost before, is `unknown`. */
  readonly signal?: AbortSignal;
  /** Each attempt is made only while this lock is ours; else the outcome is `not-locked`, without another try. */
  readonly lock?: TransactOptions['lock'];
}

const DEFAULTS = Object.freeze({
  // Each attempt that fails is one that somebody else made, so that as many may write the same at once.
  tries: 50,
  // Longer than the greatest pause between two attempts to connect (8 s) and the first copy of a large database.
  timeoutMs: 30_000,
});

/**
 * Sends what `build` plans over the present snapshot. On `try-again` it waits until the replica shows something else, or
 * the link is back, and plans anew. On `unknown` it waits for the link and looks for a row that the transaction inserted
 * under a chosen UUID: where there is one, the transaction was made. Where there is none it is planned and sent again;
 * since the server refuses a UUID that is there, it is not made twice, provided that `build` chooses the same UUIDs each
 * time. Where no new row was given a UUID in a table that the replica holds, or each of those goes at commit, since nothing
 * refers to it, `unknown` is the outcome; also where conditions keep the row from the replica.
 * @param build makes the transaction; `undefined`: nothing is to be done, and the outcome is `unchanged`
 * @returns the last outcome; one of `try-again` or `unknown` after the limits. Of a transaction that was recognised,
 *   `success` with the UUIDs that were chosen, and without results
 * @throws CANCELLED by the signal or by `close` where no attempt is `unknown`; what `build` and `transact` throw
 */
export async function updateWithRetries<Tables>(
  client: Updatable<Tables>,
  build: (snapshot: Snapshot<Tables>) => Transaction<Tables> | undefined,
  options: RetryOptions = {},
): Promise<TransactionOutcome> {
  const { tries = DEFAULTS.tries, timeoutMs = DEFAULTS.timeoutMs, signal, lock } = options;
  const deadlineMs = performance.now() + timeoutMs;
  const leftMs = () => Math.max(1, deadlineMs - performance.now());
  const uncertain: Ref[] = [];
  let lost: TransactionOutcome | undefined;
  for (let attempt = 1; ; attempt += 1) {
    const snapshot = client.snapshot();
    const made = recognise(snapshot, uncertain);
    if (made) return made;
    const transaction = build(snapshot);
    if (!transaction) return { outcome: 'unchanged' };
    const wasLive = isLive(client);
    const outcome = await client.transact(transaction, { timeoutMs: leftMs(), signal, lock });
    const isLast = attempt >= tries || performance.now() >= deadlineMs || signal?.aborted === true;
    let isReady: () => Promise<boolean>;
    if (outcome.outcome === 'try-again') {
      isReady = () => waits(wasLive ? movedOrBack(client, snapshot) : back(client), leftMs(), signal);
    } else if (outcome.outcome === 'unknown') {
      const chosen = tellTales(transaction, snapshot);
      if (chosen.length === 0) return outcome;
      uncertain.push(...chosen);
      lost = outcome;
      isReady = () => waits(back(client), leftMs(), signal);
    } else if (outcome.outcome === 'success') return outcome;
    else {
      // The row of an attempt that was made after all is in the way of the next; conditions may keep it from us.
      const isInTheWay = outcome.outcome === 'error' && outcome.error === 'duplicate uuid';
      return recognise(client.snapshot(), uncertain) ?? (isInTheWay ? lost : undefined) ?? outcome;
    }
    try {
      if (!isLast && (await isReady())) continue;
    } catch (cause) {
      // Who is told that it was cancelled would take it that nothing was made.
      if (!lost) throw cause;
    }
    return recognise(client.snapshot(), uncertain) ?? lost ?? outcome;
  }
}

/** The rows whose being there says that the transaction was made: new ones under a chosen UUID, which stay and are held. */
function tellTales<Tables>(transaction: Transaction<Tables>, snapshot: Snapshot<Tables>): readonly Ref[] {
  const vanishing = vanishingRefs(transaction);
  return [...transaction.refs].filter(
    (ref) =>
      ref.uuid !== undefined &&
      snapshot.holds(ref.table) &&
      snapshot.row(ref.table as TableName<Tables>, ref.uuid) === undefined &&
      !vanishing.has(ref),
  );
}

/** The outcome of a transaction whose rows are there. All or nothing was made of it, so one of them is enough. */
function recognise<Tables>(
  snapshot: Snapshot<Tables>,
  uncertain: readonly Ref[],
): TransactionOutcome | undefined {
  const uuids = new Map<Ref, Uuid>();
  for (const ref of uncertain)
    if (ref.uuid !== undefined && snapshot.row(ref.table as TableName<Tables>, ref.uuid) !== undefined)
      uuids.set(ref, ref.uuid);
  return uuids.size === 0 ? undefined : { outcome: 'success', uuids, results: [] };
}

function isLive<Tables>(client: Updatable<Tables>): boolean {
  let isSo = false;
  // The present one comes at once.
  client.status$.subscribe(({ at }) => (isSo = at === 'live')).unsubscribe();
  return isSo;
}

/** Whether the wait came to its end, and not to the deadline. @throws CANCELLED */
async function waits(
  ready: { readonly values$: Observable<unknown>; readonly look: () => true | undefined },
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    return await waitForValue(ready.values$, ready.look, {
      timeoutMs,
      signal,
      what: 'waiting to try an update again',
    });
  } catch (cause) {
    if (cause instanceof VsbError && cause.code === 'OVSDB_TIMEOUT') return false;
    throw cause;
  }
}

function back<Tables>(client: Updatable<Tables>) {
  return { values$: client.status$, look: () => (isLive(client) ? (true as const) : undefined) };
}

/**
 * The replica shows something else, or the link was lost and is back. Updates come before the reply to what they made
 * fail, so mostly it does so already; where a column that is not held made it fail, it may never do so.
 */
function movedOrBack<Tables>(client: Updatable<Tables>, used: Snapshot<Tables>) {
  let wasDown = false;
  return {
    values$: either(client.status$, client.snapshots$),
    look: () => {
      const isUp = isLive(client);
      wasDown ||= !isUp;
      return isUp && (wasDown || client.snapshot() !== used) ? (true as const) : undefined;
    },
  };
}
