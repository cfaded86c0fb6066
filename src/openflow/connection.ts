/**
 * A conversation with one bridge over its management socket (`<rundir>/<bridge>.mgmt`, ovs-vswitchd(8)): hello, then
 * questions, each with a time limit. Echo requests are answered. What messages look like is codec.ts's; connecting
 * again is the caller's, who knows whether it is worth it.
 */
import { createConnection, type Socket } from 'node:net';
import { fail, toVsbError, type VsbError } from '../errors.ts';
import { encodeBarrierRequest, encodeSetAsync, type SwitchEvent } from './asyncconfig.ts';
import { decodeMessage, encodeEchoReply, type Message } from './codec.ts';
import { encodeIncompatible, isHelloFailure, renderError } from './error.ts';
import { encodeFeaturesRequest, type FeaturesReply } from './features.ts';
import { MessageSplitter } from './framing.ts';
import { encodeHello, renderVersions, speaksOpenFlow13, type Hello } from './hello.ts';
import type { FlowStats, FlowStatsRequest } from './flowstats.ts';
import {
  encodeMultipartRequest,
  flowStatistic,
  multipartReader,
  PORT_DESCRIPTION,
  PORT_STATS,
  type Statistic,
} from './multipart.ts';
import type { PortDescription } from './portdescription.ts';
import type { PortStats } from './portstats.ts';
import { Questions } from './questions.ts';

export interface ConnectOptions {
  /** Milliseconds for connecting with hello, and again for each answer. */
  readonly limitMs?: number;
  /** Ends the connection, whatever it is doing. */
  readonly signal?: AbortSignal;
  /**
   * Events are asked for where it is given. It is called in the order in which the switch sent events and answers: who
   * awaits an answer goes on before an event is told that came after it. So a rule that was told removed is in no
   * answer from then on; an answer may lack a rule whose removal is told some milliseconds later, since Open vSwitch
   * tells it once no thread uses the rule any more. Must not throw.
   */
  readonly onEvent?: (event: SwitchEvent) => void;
}

/** Reading 5,000 ports takes vswitchd 0.25 s; a reconfiguration can keep its main thread busy for longer than that. */
const DEFAULT_LIMIT_MS = 5000;

/** A switch that is well closes its side in a millisecond. */
const GENTLE_LIMIT_MS = 500;

/**
 * An OpenFlow 1.3 connection, open from `connect()` until it is disposed of, its signal fires, or the switch ends it.
 * Every question fails with
 * OPENFLOW_TIMEOUT (no answer in time; the connection is closed then, since an answer may still come),
 * OPENFLOW_CLOSED, OPENFLOW_PROTOCOL (not OpenFlow 1.3; closed), OPENFLOW_REFUSED (an ERROR message; stays open), or
 * CANCELLED (the signal).
 */
export class OpenFlowConnection implements AsyncDisposable {
  readonly #path: string;
  readonly #socket: Socket;
  readonly #limitMs: number;
  readonly #signal: AbortSignal | undefined;
  readonly #onEvent: ((event: SwitchEvent) => void) | undefined;
  readonly #splitter = new MessageSplitter();
  /** Whole messages that are to be handled. */
  readonly #arrived: Buffer[] = [];
  #paused = false;
  readonly #questions = new Questions();
  readonly #closed: Promise<void>;
  #hello: { resolve(hello: Hello): void; reject(error: VsbError): void } | undefined;
  #ended: VsbError | undefined;

  private constructor(path: string, options: ConnectOptions) {
    this.#path = path;
    this.#limitMs = options.limitMs ?? DEFAULT_LIMIT_MS;
    this.#signal = options.signal;
    this.#onEvent = options.onEvent;
    this.#socket = createConnection({ path });
    this.#closed = new Promise((resolve) =>
      this.#socket.once('close', () => {
        resolve();
      }),
    );
  }

  /**
   * Connects to the socket at `path` and agrees on OpenFlow 1.3.
   * @throws OPENFLOW_UNREACHABLE, OPENFLOW_FORBIDDEN, OPENFLOW_VERSION, OPENFLOW_PROTOCOL, OPENFLOW_TIMEOUT,
   * OPENFLOW_REFUSED (it tells no events), CANCELLED
   */
  static async connect(path: string, options: ConnectOptions = {}): Promise<OpenFlowConnection> {
    const connection = new OpenFlowConnection(path, options);
    try {
      await connection.#open();
      if (options.onEvent) await connection.#askForEvents();
      return connection;
    } catch (thrown) {
      await connection[Symbol.asyncDispose]();
      throw thrown;
    }
  }

  /** False once it has ended, for whatever reason; it does not open again. */
  get isOpen(): boolean {
    return this.#ended === undefined;
  }

  /** The counters of every port, as they are now. */
  async portStats(): Promise<readonly PortStats[]> {
    return this.#collect(PORT_STATS);
  }

  /** Number, name and state of every port. */
  async portDescriptions(): Promise<readonly PortDescription[]> {
    return this.#collect(PORT_DESCRIPTION);
  }

  /** Rules with their counters, which lag the packets by at most half a second. */
  async flowStats(request: FlowStatsRequest = {}): Promise<readonly FlowStats[]> {
    return this.#collect(flowStatistic(request));
  }

  /**
   * The same for many rules, as they arrive: 100,000 do not hold up others, and nothing of them is kept. What `take` got
   * before a failure is part of no answer. It must not throw.
   */
  async eachFlow(request: FlowStatsRequest, take: (flow: FlowStats) => void): Promise<void> {
    await this.#each(flowStatistic(request), take);
  }

  /** Which datapath this is. */
  async features(): Promise<FeaturesReply> {
    return this.#ask('features', encodeFeaturesRequest, (message) =>
      message.type === 'features-reply' ? message : undefined,
    );
  }

  /** Closes the socket, and waits until it is closed; whoever still waits for an answer gets OPENFLOW_CLOSED. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end(this.#closedError('closed here'), 'gently');
    await this.#closed;
  }

  async #open(): Promise<void> {
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true });
    // setTimeout of the socket would start again with every byte; a peer that drips must not hold us up for ever.
    const timer = setTimeout(() => {
      this.#end(this.#timeoutError('connecting'));
    }, this.#limitMs);
    try {
      const hello = await new Promise<Hello>((resolve, reject) => {
        this.#hello = { resolve, reject };
        if (this.#signal?.aborted === true) this.#onAbort();
        this.#socket.on('connect', () => this.#socket.write(encodeHello(this.#questions.nextXid())));
        this.#socket.on('data', (chunk) => {
          this.#receive(chunk);
        });
        this.#socket.on('error', (error: NodeJS.ErrnoException) => {
          this.#end(this.#socketError(error));
        });
        this.#socket.on('close', () => {
          this.#end(this.#lostError('closed by the switch'));
        });
      });
      if (!speaksOpenFlow13(hello)) throw this.#refuseVersion(hello);
    } finally {
      clearTimeout(timer);
    }
  }

  /** A barrier with the same xid: what comes back is either its reply or the refusal. */
  #askForEvents(): Promise<Message> {
    return this.#ask(
      'events',
      (xid) => Buffer.concat([encodeSetAsync(xid), encodeBarrierRequest(xid)]),
      (message) => (message.type === 'barrier-reply' ? message : undefined),
    );
  }

  async #collect<Entry>(statistic: Statistic<Entry>): Promise<readonly Entry[]> {
    const entries: Entry[] = [];
    await this.#each(statistic, (entry) => entries.push(entry));
    return entries;
  }

  async #each<Entry>(statistic: Statistic<Entry>, take: (entry: Entry) => void): Promise<void> {
    const read = multipartReader(statistic, take);
    await this.#ask(
      statistic.what,
      (xid) => encodeMultipartRequest(xid, statistic),
      (message) => (message.type === 'multipart-reply' && read(message) ? message : undefined),
    );
  }

  /** One question. `receive` returns the answer once it is whole. */
  #ask<T>(
    what: string,
    encode: (xid: number) => Buffer,
    receive: (message: Message) => T | undefined,
  ): Promise<T> {
    if (this.#ended) return Promise.reject(this.#ended);
    return this.#questions.ask({
      limitMs: this.#limitMs,
      send: (xid) => this.#socket.write(encode(xid)),
      receive,
      refused: (message) => fail('OPENFLOW_REFUSED', { path: this.#path, what, why: renderError(message) }),
      onTimeout: () => {
        this.#end(this.#timeoutError(what));
      },
    });
  }

  #receive(chunk: Buffer): void {
    this.#orEnd(() => {
      for (const bytes of this.#splitter.push(chunk)) {
        this.#arrived.push(bytes);
        this.#handleArrived();
      }
    });
  }

  /**
   * After an answer it goes on in another turn of the event loop, where events are wanted: by then whoever awaited the
   * answer has gone on, so that an event that came after it is not told before it.
   */
  #handleArrived(): void {
    this.#orEnd(() => {
      while (!this.#paused) {
        const bytes = this.#arrived.shift();
        if (!bytes) return;
        const answered = this.#handle(decodeMessage(bytes));
        if (!answered || !this.#onEvent) continue;
        this.#paused = true;
        setImmediate(() => {
          this.#paused = false;
          this.#handleArrived();
        });
      }
    });
  }

  #orEnd(act: () => void): void {
    try {
      act();
    } catch (thrown) {
      const error = toVsbError(thrown);
      const what = error.code === 'OPENFLOW_PROTOCOL' ? String(error.details['what']) : error.message;
      this.#end(fail('OPENFLOW_PROTOCOL', { what, where: this.#path }, { cause: error }));
    }
  }

  /** True where it was the end of an answer. */
  #handle(message: Message): boolean {
    if (this.#ended) return false;
    if (message.type === 'error' && isHelloFailure(message)) {
      this.#end(fail('OPENFLOW_VERSION', { path: this.#path, why: renderError(message) }));
      return false;
    }
    switch (message.type) {
      case 'echo-request':
        this.#socket.write(encodeEchoReply(message));
        return false;
      case 'hello':
        this.#hello?.resolve(message);
        this.#hello = undefined;
        return false;
      case 'flow-removed':
      case 'port-status':
        this.#onEvent?.(message);
        return false;
      case 'error':
      case 'echo-reply':
      case 'features-reply':
      case 'multipart-reply':
      case 'barrier-reply':
      case 'other':
        return this.#questions.take(message);
    }
  }

  /**
   * The first reason ends it; later ones are consequences. Gently: what is on its way to us is read to the end and
   * dropped, since ovs-vswitchd warns in its log of a connection that was reset.
   */
  #end(error: VsbError, how: 'at once' | 'gently' = 'at once'): void {
    if (this.#ended) return;
    this.#ended = error;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    if (how === 'gently' && !this.#socket.connecting) {
      this.#socket.end();
      const timer = setTimeout(() => this.#socket.destroy(), GENTLE_LIMIT_MS);
      this.#socket.once('close', () => {
        clearTimeout(timer);
      });
    } else {
      this.#socket.destroy();
    }
    this.#hello?.reject(error);
    this.#questions.failAll(error);
  }

  #refuseVersion(hello: Hello): VsbError {
    const why = `it speaks ${renderVersions(hello)}`;
    this.#socket.write(encodeIncompatible(hello.xid, 'only OpenFlow 1.3 is spoken here'));
    return fail('OPENFLOW_VERSION', { path: this.#path, why });
  }

  readonly #onAbort = (): void => {
    this.#end(
      fail('CANCELLED', { what: `the connection to "${this.#path}" was no longer wanted` }),
      'gently',
    );
  };

  #socketError(error: NodeJS.ErrnoException): VsbError {
    if (error.code === 'EACCES' || error.code === 'EPERM') {
      return fail('OPENFLOW_FORBIDDEN', { path: this.#path }, { cause: error });
    }
    if (this.#socket.connecting || error.syscall === 'connect') {
      return fail('OPENFLOW_UNREACHABLE', { path: this.#path, why: describe(error) }, { cause: error });
    }
    return this.#lostError(error.code ?? error.message);
  }

  /** A peer that hangs up before its hello was not reached: a dying ovs-vswitchd still accepts for a moment. */
  #lostError(what: string): VsbError {
    if (!this.#hello) return this.#closedError(what);
    return fail('OPENFLOW_UNREACHABLE', { path: this.#path, why: `no hello from it (${what})` });
  }

  #closedError(what: string): VsbError {
    return fail('OPENFLOW_CLOSED', { path: this.#path, what });
  }

  #timeoutError(what: string): VsbError {
    return fail('OPENFLOW_TIMEOUT', { path: this.#path, what, limitMs: this.#limitMs });
  }
}

function describe(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return 'no such socket';
  if (error.code === 'ECONNREFUSED') return 'nobody listens on it';
  return error.code ?? error.message;
}
