/**
 * A unix socket between a client and an ovsdb-server: it notes the transactions and their raw replies, can refuse methods
 * as an older server would, and can cut the link.
 */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { NumberText, parseLossless, TextCutter } from './losslessjson.ts';
import type { RawReply } from './rawovsdb.ts';

/** A transaction that went through. */
export interface Seen {
  /** The request's params: the database, then operations. */
  readonly params: readonly unknown[];
  readonly reply: RawReply;
}

interface Message extends RawReply {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: readonly unknown[];
}

export class OvsdbProxy implements AsyncDisposable {
  readonly remote: string;
  readonly #path: string;
  readonly #upstream: string;
  readonly #refused: ReadonlySet<string>;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  readonly #methods: string[] = [];
  #seen: Seen[] = [];

  static async start(path: string, upstream: string, refused: readonly string[] = []): Promise<OvsdbProxy> {
    const proxy = new OvsdbProxy(path, upstream, refused);
    proxy.#server.listen(path);
    await once(proxy.#server, 'listening');
    return proxy;
  }

  private constructor(path: string, upstream: string, refused: readonly string[]) {
    this.#path = path;
    this.#upstream = upstream;
    this.#refused = new Set(refused);
    this.remote = `unix:${path}`;
    this.#server = createServer((client) => {
      this.#join(client);
    });
  }

  /** A transaction whose reply came, and no more of it is kept. */
  takeWith(isIt: (params: readonly unknown[]) => boolean): Seen | undefined {
    const found = this.#seen.find(({ params }) => isIt(params));
    this.#seen = this.#seen.filter((seen) => seen !== found);
    return found;
  }

  /** The methods that were asked for, in order, transactions left out. */
  get methods(): readonly string[] {
    return this.#methods;
  }

  /** Cuts every link. New ones are taken. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(client: Socket): void {
    const server = connect(this.#upstream);
    const sent = new Map<string, readonly unknown[]>();
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    const requests = new TextCutter();
    client.on('data', (chunk) => {
      for (const text of requests.push(chunk)) {
        const message = parseLossless(text.toString()) as Message;
        const id = message.id instanceof NumberText ? message.id.text : undefined;
        if (message.method === 'transact' && id !== undefined) sent.set(id, message.params ?? []);
        else if (message.method !== undefined) this.#methods.push(message.method);
        if (message.method !== undefined && this.#refused.has(message.method))
          client.write(`{"id":${id ?? 'null'},"result":null,"error":"unknown method"}`);
        else server.write(text);
      }
    });
    const replies = new TextCutter();
    server.on('data', (chunk) => {
      for (const text of replies.push(chunk)) {
        if (sent.size > 0) {
          const message = parseLossless(text.toString()) as Message;
          const id =
            message.method === undefined && message.id instanceof NumberText ? message.id.text : undefined;
          const params = id === undefined ? undefined : sent.get(id);
          if (id !== undefined && params) {
            sent.delete(id);
            this.#seen.push({ params, reply: message });
          }
        }
      }
      client.write(chunk);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
    rmSync(this.#path, { force: true });
  }
}
