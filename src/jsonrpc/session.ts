/**
 * One connection that speaks OVSDB's JSON-RPC: requests with their answers, notifications in strict order, echo answered.
 * Knows no database. Ends once and for all when the connection does; a new one is made by link.ts.
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
import { Framer, type Frame } from './framing.ts';
import type { ActiveRemote } from './remote.ts';
import type { Steps } from './steps.ts';
import { openSocket, type OpenOptions } from './socket.ts';
import { startLimit } from './timers.ts';
import { explainTls } from './tls.ts';

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
  /** Received bytes are progress (echo excepted): the time starts anew as long as some come. */
  readonly extendWhileReceiving?: boolean;
  /** Takes a result, at once or in steps, before any later message is handled; what it throws ends the session. */
  readonly onResult?: (result: unknown) => Steps | undefined;
  /** `onResult` may be given large objects as `Members` (members.ts). */
  readonly takesMembers?: boolean;
}

/** Who a session reports to. */
export interface SessionListener {
  /** Called in the order of arrival; what it throws ends the session. */
  onNotification(method: string, params: readonly unknown[]): void;
  /** Bytes came and what they completed was handled; false: nothing but echo, which shows a living peer and no progress. */
  onReceived?(isProgress: boolean): void;
  /** The link is gone; called once, unless `close` was called before. */
  onLost(reason: VsbError): void;
}

/** What has gone over a session. */
export interface Traffic {
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly messagesReceived: number;
  readonly messagesSent: number;
}

interface Pending {
  readonly settle: (answer: Answer) => void;
  readonly onResult: ((result: unknown) => Steps | undefined) | undefined;
  readonly takesMembers: boolean;
}

const SPEAKS_TLS = 'the other end speaks TLS. Write ssl: in place of tcp: (or pssl: for ptcp:)';

/** The id of probes; requests count from 1. */
const PROBE_ID = 0;

export class Session {
  readonly #socket: Socket;
  /** As a remote is written, for people. */
  readonly #peer: string;
  readonly #listener: SessionListener;
  readonly #framer = new Framer();
  readonly #pending = new Map<number, Pending>();
  /** Messages that are not handled yet, because a result is being taken in steps. */
  readonly #waiting: Frame[] = [];
  #steps: Steps | undefined;
  #stepsTaken = 0;
  #nextId = 1;
  #receivedBytes = 0;
  /** Chunks that were more than echo. */
  #progress = 0;
  #receivedMessages = 0;
  #sentMessages = 0;
  #ended: VsbError | undefined;

  /**
   * Connects.
   * @throws OVSDB_UNREACHABLE, TLS_FILES_MISSING, TLS_FILE_INVALID, TLS_KEY_MISMATCH, CANCELLED
   */
  static async open(remote: ActiveRemote, listener: SessionListener, options: OpenOptions): Promise<Session> {
    return new Session(await openSocket(remote, options), remote.text, listener);
  }

  /** Speaks over a socket that is connected, and owns it from now on. @param peer as a remote is written, for people */
  static over(socket: Socket, peer: string, listener: SessionListener): Session {
    return new Session(socket, peer, listener);
  }

  private constructor(socket: Socket, peer: string, listener: SessionListener) {
    this.#socket = socket;
    this.#peer = peer;
    this.#listener = listener;
    socket.on('data', (chunk: Buffer) => {
      this.#receive(chunk);
    });
    socket.on('error', (cause) => {
      this.#end(this.#lost(explainTls(cause) ?? explainEnd(cause), cause));
    });
    socket.on('close', () => {
      this.#end(this.#lost('the server closed it'));
    });
  }

  /**
   * Sends a request.
   * @throws JSONRPC_UNSENDABLE; CANCELLED where the signal came before
   */
  request(method: string, params: readonly unknown[], options: RequestOptions): Promise<Answer> {
    const { timeoutMs, signal, onResult } = options;
    const what = `the answer to "${method}" from "${this.#peer}"`;
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
        if (method === 'transact' && !this.#ended) this.#write(encodeNotification('cancel', [id]));
      };
      const onAbort = () => {
        abandon(fail('CANCELLED', { what }));
      };
      let progressBefore = this.#progress;
      let stepsBefore = this.#stepsTaken;
      const judge = () => {
        if (!this.#pending.has(id)) return;
        // While a result was taken in steps nothing was read: that is no silence of the peer's.
        const wasBusy = this.#stepsTaken > stepsBefore;
        if (wasBusy || (options.extendWhileReceiving === true && this.#progress > progressBefore)) {
          progressBefore = this.#progress;
          stepsBefore = this.#stepsTaken;
          timer = startLimit(timeoutMs, onTime);
        } else abandon(fail('OVSDB_TIMEOUT', { what, limitMs: timeoutMs }));
      };
      // After a stall of ours timers come first: what has long arrived is read before the peer is judged.
      const onTime = () => setImmediate(judge);
      let timer = startLimit(timeoutMs, onTime);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#pending.set(id, { settle, onResult, takesMembers: options.takesMembers === true });
      this.#write(text);
    });
  }

  /** Why the session is over; `undefined` while it is not. */
  get lostReason(): VsbError | undefined {
    return this.#ended;
  }

  /** Asks the peer for a sign of life; the answer shows as `onReceived`. */
  probe(): void {
    if (!this.#ended) this.#write(encodeRequest(PROBE_ID, 'echo', []));
  }

  /** What has gone over it until now. */
  get traffic(): Traffic {
    return {
      bytesReceived: this.#receivedBytes,
      bytesSent: this.#socket.bytesWritten,
      messagesReceived: this.#receivedMessages,
      messagesSent: this.#sentMessages,
    };
  }

  /** Ends the link; what is pending is `lost`, with this reason (CANCELLED if none is given). The listener is not told. */
  close(reason?: VsbError): Promise<void> {
    return this.#shut(reason ?? fail('CANCELLED', { what: `the link to "${this.#peer}" was closed` }));
  }

  #write(text: string): void {
    this.#sentMessages += 1;
    this.#socket.write(text);
  }

  #receive(chunk: Buffer): void {
    // The rest of a message is progress as well as its beginning.
    let isProgress = this.#framer.isInMessage;
    this.#receivedBytes += chunk.length;
    try {
      this.#waiting.push(...this.#framer.push(chunk));
      const isHandled = this.#handleWaiting();
      isProgress ||= isHandled || this.#framer.isInMessage;
      if (isProgress) this.#progress += 1;
      if (!this.#ended) this.#listener.onReceived?.(isProgress);
    } catch (cause) {
      const isFirst = this.#receivedMessages === 0;
      this.#end(isFirst && isTlsRecord(chunk) ? this.#lost(SPEAKS_TLS, cause) : toVsbError(cause));
    }
  }

  /** @returns whether there was anything but echo */
  #handleWaiting(): boolean {
    let isProgress = false;
    while (!this.#steps && !this.#ended) {
      const frame = this.#waiting.shift();
      if (!frame) break;
      this.#receivedMessages += 1;
      const incoming = decodeMessage(frame, (id) => this.#take(id)?.takesMembers === true);
      isProgress ||= !isEcho(incoming);
      this.#handle(incoming);
    }
    return isProgress;
  }

  /** Takes a step, and the next when others had their turn; what arrives waits, in the kernel first of all. */
  #step(steps: Steps, done: () => void): void {
    if (this.#ended) return;
    try {
      if (steps.next().done !== true) {
        this.#steps = steps;
        this.#stepsTaken += 1;
        this.#socket.pause();
        setImmediate(() => {
          this.#step(steps, done);
        });
        this.#progress += 1;
        this.#listener.onReceived?.(true);
        return;
      }
      done();
      if (!this.#steps) return;
      this.#steps = undefined;
      this.#socket.resume();
      this.#handleWaiting();
    } catch (cause) {
      this.#end(toVsbError(cause));
    }
  }

  #lost(why: string, cause?: unknown): VsbError {
    // How a server that speaks TLS takes a plain client.
    const isPlainAndMute = this.#receivedBytes === 0 && this.#peer.startsWith('tcp:');
    const hint = isPlainAndMute ? ' before it said anything (if it wants TLS, write ssl:)' : '';
    return fail('OVSDB_LINK_LOST', { remote: this.#peer, why: `${why}${hint}` }, { cause });
  }

  #handle(incoming: Incoming): void {
    switch (incoming.kind) {
      case 'notification':
        this.#listener.onNotification(incoming.message.method, incoming.message.params as readonly unknown[]);
        break;
      case 'request': {
        const { id, method } = incoming.message;
        const params = incoming.message.params as readonly unknown[];
        this.#write(method === 'echo' ? encodeAnswer(id, params) : encodeRefusal(id, 'unknown method'));
        break;
      }
      case 'success': {
        const pending = this.#take(incoming.message.id);
        if (!pending) break;
        const { result } = incoming.message;
        const settle = () => {
          pending.settle({ kind: 'result', result });
        };
        const steps = pending.onResult?.(result);
        if (steps) this.#step(steps, settle);
        else settle();
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

/** How a link ended, for people. */
function explainEnd({ code = '', message }: NodeJS.ErrnoException): string {
  return code === 'EPIPE' || code === 'ECONNRESET' ? `the other end closed it (${code})` : message;
}

function isEcho(incoming: Incoming): boolean {
  switch (incoming.kind) {
    case 'request':
      return incoming.message.method === 'echo';
    case 'success':
    case 'error':
      return incoming.message.id === PROBE_ID;
    case 'notification':
      return false;
  }
}

/** An alert or a handshake record of TLS 1.x (RFC 8446 §5.1). */
function isTlsRecord(chunk: Buffer): boolean {
  return (chunk[0] === 0x15 || chunk[0] === 0x16) && chunk[1] === 0x03;
}
