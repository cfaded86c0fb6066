/** Questions that wait for their answers, told apart by xid; connection.ts sends them and hands over what comes back. */
import type { VsbError } from '../errors.ts';
import type { Message } from './codec.ts';
import type { ErrorMessage } from './error.ts';

/** One question. */
export interface Question<T> {
  /** Milliseconds of patience. */
  readonly limitMs: number;
  /** Writes the question; its answer will carry this xid. */
  readonly send: (xid: number) => void;
  /** Takes a message of the answer; returns the answer once it is whole. May throw. */
  readonly receive: (message: Exclude<Message, ErrorMessage>) => T | undefined;
  /** The error for a peer that answers with ERROR. */
  readonly refused: (message: ErrorMessage) => VsbError;
  /** Patience is over. It must end in `failAll`. */
  readonly onTimeout: () => void;
}

interface Waiting {
  /** True once the answer is whole. */
  take(message: Message): boolean;
  reject(error: VsbError): void;
}

export class Questions {
  readonly #waiting = new Map<number, Waiting>();
  #lastXid = 0;

  /** An xid that was not used before, but for 2^32 questions ago. */
  nextXid(): number {
    this.#lastXid = (this.#lastXid + 1) >>> 0;
    return this.#lastXid;
  }

  /** Asks, and resolves with the answer. */
  ask<T>(question: Question<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const xid = this.nextXid();
      const timer = setTimeout(question.onTimeout, question.limitMs);
      const settle = (act: () => void): true => {
        clearTimeout(timer);
        act();
        return true;
      };
      this.#waiting.set(xid, {
        take: (message) => {
          if (message.type === 'error') {
            return settle(() => {
              reject(question.refused(message));
            });
          }
          const answer = question.receive(message);
          if (answer === undefined) return false;
          return settle(() => {
            resolve(answer);
          });
        },
        reject: (error) =>
          settle(() => {
            reject(error);
          }),
      });
      question.send(xid);
    });
  }

  /**
   * Hands a message to the question of its xid. One that nobody waits for is dropped: it came unasked.
   * @returns true where the answer is whole by it
   */
  take(message: Message): boolean {
    const answered = this.#waiting.get(message.xid)?.take(message) === true;
    if (answered) this.#waiting.delete(message.xid);
    return answered;
  }

  /** Ends every question. */
  failAll(error: VsbError): void {
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }
}
