/** A connection that writes to ovsdb-server without our client: texts in, texts out, nothing kept. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { parseLossless, NumberText, TextCutter } from './losslessjson.ts';

/** An answer to a request. */
export interface RawReply {
  readonly result?: unknown;
  readonly error?: unknown;
}

export class RawOvsdb implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #cutter = new TextCutter();
  readonly #waiting = new Map<
    string,
    { resolve: (reply: RawReply) => void; reject: (cause: Error) => void }
  >();
  #nextId = 1;

  static async open(path: string): Promise<RawOvsdb> {
    const socket = connect(path);
    await once(socket, 'connect');
    return new RawOvsdb(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      for (const text of this.#cutter.push(chunk)) this.#handle(text.toString());
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the server closed the connection'));
    });
  }

  /** @param params the text of a JSON list */
  request(method: string, params: string): Promise<RawReply> {
    const id = String(this.#nextId++);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#socket.write(`{"id":${id},"method":"${method}","params":${params}}`);
    });
  }

  #handle(text: string): void {
    const message = parseLossless(text) as RawReply & { id?: unknown; method?: string; params?: unknown };
    if (message.method === 'echo') {
      const echo = JSON.parse(text) as { id: unknown; params: unknown };
      this.#socket.write(JSON.stringify({ id: echo.id, result: echo.params, error: null }));
    } else if (message.id instanceof NumberText) {
      this.#waiting.get(message.id.text)?.resolve(message);
      this.#waiting.delete(message.id.text);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.closed) return;
    const closed = once(this.#socket, 'close');
    this.#socket.destroy();
    await closed;
  }
}
