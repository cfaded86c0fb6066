/**
 * One connection that speaks OVSDB's JSON-RPC: requests with their answers, notifications in strict order, echo answered.
 * Knows no database. Ends once and for all when the link does; a new one is made by ovsdb/client.ts.
 */
import type { Socket } from 'node:net';
import { fail, toVsbError, type VsbError } from '../errors.ts';
import {
  decodeMessage,
  encodeAnswer,
  encodeNotification,
  encodeRefusal,
  encodeRequest,
  type Incoming,
} from './envelope.ts';
import { Framer } from './framing.ts';
import type { Remote } from './remote.ts';
import { openSocket, type OpenOptions } from './socket.ts';

/** What became of a request. */
export type Answer =
  | { readonly kind: 'result'; readonly result: unknown }
  /** `text`: the error in a word; `error`: as it came, an object or a bare string. */
  | { readonly kind: 'error'; readonly text: string; readonly error: unknown }
  /** Sent, and no answer will come: link lost, time over (OVSDB_TIMEOUT), signal (CANCELLED). */
  | { readonly kind: 'lost'; readonly reason: VsbError };

export interface RequestOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Received bytes are progress: the time starts anew as long as some come. */
  readonly extendWhileReceiving?: boolean;
  /** Takes a result before any later message is handled; what it throws ends the session. */
  readonly onResult?: (result: unknown) => void;
}

/** Who a session reports to. */
export interface SessionListener {
  /** Called in the order of arrival; what it throws ends the session. */
  onNotification(method: string, params: readonly unknown[]): void;
  /** The link is gone; called once, unless `close` was called before. */
  onLost(reason: VsbError): void;
}

interface Pending {
  readonly settle: (answer: Answer) => void;
  readonly onResult: ((result: unknown) => void) | undefined;
}

export class Session {
  readonly #socket: Socket;
  readonly #remote: Remote;
  readonly #listener: SessionListener;
  readonly #framer = new Framer();
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #receivedBytes = 0;
  #ended: VsbError | undefined;

  /**
   * Connects.
   * @throws OVSDB_UNREACHABLE, OVSDB_TIMEOUT, CANCELLED
   */
  static async open(remote: Remote, listener: SessionListener, options: OpenOptions): Promise<Session> {
    return new Session(await openSocket(remote, options), remote, listener);
  }

  private constructor(socket: Socket, remote: Remote, listener: SessionListener) {
    this.#socket = socket;
    this.#remote = remote;
    this.#listener = listener;
    socket.on('data', (chunk: Buffer) => {
      this.#receive(chunk);
    });
    socket.on('error', (cause) => {
      this.#end(fail('OVSDB_LINK_LOST', { remote: remote.text, why: cause.message }, { cause }));
    });
    socket.on('close', () => {
      this.#end(fail('OVSDB_LINK_LOST', { remote: remote.text, why: 'the server closed it' }));
    });
  }

  /**
   * Sends a request.
   * @throws JSONRPC_UNSENDABLE; CANCELLED where the signal came before
   */
  request(method: string, params: readonly unknown[], options: RequestOptions): Promise<Answer> {
    const { timeoutMs, signal, onResult } = options;
    const what = `the answer to "${method}" from "${this.#remote.text}"`;
    if (signal?.aborted === true) return Promise.reject(fail('CANCELLED', { what }));
    if (this.#ended) return Promise.resolve({ kind: 'lost', reason: this.#ended });
    const id = this.#nextId++;
    let text: string;
    try {
      text = encodeRequest(id, method, params);
    } catch (cause) {
      return Promise.reject(toVsbError(cause));
    }
    return new Promise((resolve) => {
      const settle = (answer: Answer) => {
        this.#pending.delete(id);
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        resolve(answer);
      };
      const abandon = (reason: VsbError) => {
        settle({ kind: 'lost', reason });
        // Known to the server as a notification only; frees a transaction that waits there (RFC 7047 §4.1.4).
        if (method === 'transact' && !this.#ended) this.#socket.write(encodeNotification('cancel', [id]));
      };
      const onAbort = () => {
        abandon(fail('CANCELLED', { what }));
      };
      let receivedBefore = this.#receivedBytes;
      const onTime = () => {
        if (options.extendWhileReceiving === true && this.#receivedBytes > receivedBefore) {
          receivedBefore = this.#receivedBytes;
          timer = setTimeout(onTime, timeoutMs);
        } else abandon(fail('OVSDB_TIMEOUT', { what, limitMs: timeoutMs }));
      };
      let timer = setTimeout(onTime, timeoutMs);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#pending.set(id, { settle, onResult });
      this.#socket.write(text);
    });
  }

  /** Why the session is over; `undefined` while it is not. */
  get lostReason(): VsbError | undefined {
    return this.#ended;
  }

  /** Ends the link; what is pending is `lost`. The listener is not told. */
  close(): Promise<void> {
    return this.#shut(fail('CANCELLED', { what: `the link to "${this.#remote.text}" was closed` }));
  }

  #receive(chunk: Buffer): void {
    this.#receivedBytes += chunk.length;
    try {
      for (const frame of this.#framer.push(chunk)) {
        if (this.#ended) return;
        this.#handle(decodeMessage(frame));
      }
    } catch (cause) {
      this.#end(toVsbError(cause));
    }
  }

  #handle(incoming: Incoming): void {
    switch (incoming.kind) {
      case 'notification':
        this.#listener.onNotification(incoming.message.method, incoming.message.params as readonly unknown[]);
        break;
      case 'request': {
        const { id, method } = incoming.message;
        const params = incoming.message.params as readonly unknown[];
        this.#socket.write(
          method === 'echo' ? encodeAnswer(id, params) : encodeRefusal(id, 'unknown method'),
        );
        break;
      }
      case 'success': {
        const pending = this.#take(incoming.message.id);
        pending?.onResult?.(incoming.message.result);
        pending?.settle({ kind: 'result', result: incoming.message.result });
        break;
      }
      case 'error': {
        const { error } = incoming.message;
        this.#take(incoming.message.id)?.settle({
          kind: 'error',
          text: error.message,
          error: error.data as unknown,
        });
        break;
      }
    }
  }

  /** Answers to requests that were given up come late, and are nobody's. */
  #take(id: unknown): Pending | undefined {
    return typeof id === 'number' ? this.#pending.get(id) : undefined;
  }

  #end(reason: VsbError): void {
    if (this.#ended) return;
    void this.#shut(reason);
    this.#listener.onLost(reason);
  }

  #shut(reason: VsbError): Promise<void> {
    this.#ended ??= reason;
    const closed = this.#socket.closed
      ? Promise.resolve()
      : new Promise<void>((resolve) =>
          this.#socket.once('close', () => {
            resolve();
          }),
        );
    this.#socket.destroy();
    for (const { settle } of [...this.#pending.values()]) settle({ kind: 'lost', reason });
    return closed;
  }
}
