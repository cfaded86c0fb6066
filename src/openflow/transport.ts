/**
 * The socket under a conversation with a bridge: hello, messages in order, questions with a time limit, echo requests
 * answered, and one reason for its end. What can be asked is connection.ts's, what messages look like codec.ts's.
 */
import { createConnection, type Socket } from 'node:net';
import { fail, toVsbError, type VsbError } from '../errors.ts';
import type { SwitchEvent } from './asyncconfig.ts';
import { decodeMessage, encodeEchoReply, type Message } from './codec.ts';
import { closedError, lostError, socketError, timeoutError } from './connectionerrors.ts';
import { encodeIncompatible, isHelloFailure, renderError } from './error.ts';
import { MessageSplitter } from './framing.ts';
import { chooseVersion, encodeHello, renderVersions, type Hello } from './hello.ts';
import { Questions } from './questions.ts';
import { OPENFLOW_13, type WireVersion } from './wire.ts';

/** A switch that is well closes its side in a millisecond. */
const GENTLE_LIMIT_MS = 500;

export interface TransportOptions {
  /** Milliseconds for connecting with hello, and again for each answer. */
  readonly limitMs: number;
  readonly signal: AbortSignal | undefined;
  /** As `ConnectOptions` has it. */
  readonly onEvent: ((event: SwitchEvent) => void) | undefined;
}

/** Open from the end of `open()` until it is disposed of, its signal fires, or the switch ends it. */
export class Transport implements AsyncDisposable {
  readonly #path: string;
  readonly #options: TransportOptions;
  readonly #socket: Socket;
  readonly #splitter = new MessageSplitter();
  /** Whole messages that are to be handled. */
  readonly #arrived: Buffer[] = [];
  readonly #questions = new Questions();
  readonly #closed: Promise<void>;
  #version: WireVersion = OPENFLOW_13;
  #paused = false;
  #hello: { resolve(hello: Hello): void; reject(error: VsbError): void } | undefined;
  #ended: VsbError | undefined;

  constructor(path: string, options: TransportOptions) {
    this.#path = path;
    this.#options = options;
    this.#socket = createConnection({ path });
    this.#closed = new Promise((resolve) =>
      this.#socket.once('close', () => {
        resolve();
      }),
    );
  }

  get isOpen(): boolean {
    return this.#ended === undefined;
  }

  /** Of all messages after hello. */
  get version(): WireVersion {
    return this.#version;
  }

  /**
   * Agrees on a version. The switch says first which it speaks, so that it is offered the one that is wanted and no
   * higher one: ovs-vswitchd says hello as soon as somebody has connected (§6.3.1).
   */
  async open(): Promise<void> {
    this.#options.signal?.addEventListener('abort', this.#onAbort, { once: true });
    // setTimeout of the socket would start again with every byte; a peer that drips must not hold us up for ever.
    const timer = setTimeout(() => {
      this.#end(timeoutError(this.#path, 'connecting', this.#options.limitMs));
    }, this.#options.limitMs);
    try {
      const hello = await this.#helloOfPeer();
      const version = chooseVersion(hello);
      if (version === undefined) throw this.#refuseVersion(hello);
      this.#version = version;
      this.#socket.write(encodeHello(this.#questions.nextXid(), version));
    } finally {
      clearTimeout(timer);
    }
  }

  /** One question. `receive` returns the answer once it is whole. */
  ask<T>(
    what: string,
    encode: (xid: number) => Buffer,
    receive: (message: Message) => T | undefined,
  ): Promise<T> {
    if (this.#ended) return Promise.reject(this.#ended);
    const { limitMs } = this.#options;
    return this.#questions.ask({
      limitMs,
      send: (xid) => this.#socket.write(encode(xid)),
      receive,
      refused: (message) => fail('OPENFLOW_REFUSED', { path: this.#path, what, why: renderError(message) }),
      onTimeout: () => {
        this.#end(timeoutError(this.#path, what, limitMs));
      },
    });
  }

  /** Closes the socket, and waits until it is closed; whoever still waits for an answer gets OPENFLOW_CLOSED. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end(closedError(this.#path, 'closed here'), 'gently');
    await this.#closed;
  }

  #helloOfPeer(): Promise<Hello> {
    return new Promise((resolve, reject) => {
      this.#hello = { resolve, reject };
      if (this.#options.signal?.aborted === true) this.#onAbort();
      this.#socket.on('data', (chunk) => {
        this.#receive(chunk);
      });
      this.#socket.on('error', (error: NodeJS.ErrnoException) => {
        const isConnecting = this.#socket.connecting || error.syscall === 'connect';
        this.#end(socketError(this.#path, error, isConnecting) ?? this.#lost(error.code ?? error.message));
      });
      this.#socket.on('close', () => {
        this.#end(this.#lost('closed by the switch'));
      });
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
        const answered = this.#handle(decodeMessage(bytes, this.#version));
        if (!answered || !this.#options.onEvent) continue;
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
        this.#socket.write(encodeEchoReply(message, this.#version));
        return false;
      case 'hello':
        this.#hello?.resolve(message);
        this.#hello = undefined;
        return false;
      case 'flow-removed':
      case 'port-status':
        this.#options.onEvent?.(message);
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
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
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
    // ovs-vswitchd warns in its log of anything that comes before a hello.
    this.#socket.write(encodeHello(this.#questions.nextXid(), OPENFLOW_13));
    this.#socket.write(encodeIncompatible(hello.xid, 'only OpenFlow 1.3, 1.4 and 1.5 are spoken here'));
    return fail('OPENFLOW_VERSION', { path: this.#path, why });
  }

  readonly #onAbort = (): void => {
    const what = `the connection to "${this.#path}" was no longer wanted`;
    this.#end(fail('CANCELLED', { what }), 'gently');
  };

  #lost(what: string): VsbError {
    return lostError(this.#path, what, this.#hello === undefined ? 'after hello' : 'before hello');
  }
}
