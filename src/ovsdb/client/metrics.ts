/** What a client counts about itself; numbers since it was made. */
import type { LinkStats } from '../../jsonrpc/link.ts';
import type { TransactionOutcome } from '../transaction/outcome.ts';

/** The last time that rows were copied from a server: at first, after a reconnect or a conversion of the schema. */
export interface Resync {
  /** That the replica held afterwards. */
  readonly rows: number;
  /** That came, differ, or went. */
  readonly changedRows: number;
  /** Received meanwhile, for every database on the link. */
  readonly bytes: number;
  /** From asking until the replica had it. */
  readonly ms: number;
  /** Whether the server sent what changed since the last transaction seen, not all. */
  readonly isDifference: boolean;
}

/** The figures of one client since it was made; all but `lastResync` only grow. */
export interface Metrics {
  /** Sessions after the first one; of the link, as are bytes and messages. */
  readonly reconnects: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly messagesReceived: number;
  readonly messagesSent: number;
  /** Updates that came and changed something. */
  readonly updates: number;
  /** By outcome; those without are 0. */
  readonly transactions: Readonly<Record<TransactionOutcome['outcome'], number>>;
  readonly lastResync: Resync | undefined;
}

/** The counters of one client. */
export class Counters {
  updates = 0;
  lastResync: Resync | undefined;
  readonly #transactions: Record<TransactionOutcome['outcome'], number> = {
    unchanged: 0,
    success: 0,
    'try-again': 0,
    'not-locked': 0,
    aborted: 0,
    error: 0,
    unknown: 0,
  };

  /** Counts a transaction. */
  count(outcome: TransactionOutcome['outcome']): void {
    this.#transactions[outcome] += 1;
  }

  /** The figures now. */
  read(link: LinkStats): Metrics {
    return {
      reconnects: Math.max(link.connects - 1, 0),
      bytesReceived: link.bytesReceived,
      bytesSent: link.bytesSent,
      messagesReceived: link.messagesReceived,
      messagesSent: link.messagesSent,
      updates: this.updates,
      transactions: { ...this.#transactions },
      lastResync: this.lastResync,
    };
  }
}
