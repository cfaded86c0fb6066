/** A socket between client and server that can swallow what comes back, or what goes there, and end the connection. */
import { createServer, connect, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';

/** What happens to the next request that has a text in it: it never arrives, or its reply never does. */
export type Cut = 'request' | 'reply';

export class Cutter implements AsyncDisposable {
  readonly remote: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #armed: { readonly cut: Cut; readonly word: string } | undefined;

  private constructor(path: string, target: string) {
    this.remote = `unix:${path}`;
    this.#server = createServer((client) => {
      this.#join(client, connect(target));
    });
  }

  /** One that stands before the socket of a server, in the same directory. */
  static async start(directory: string, target: string): Promise<Cutter> {
    const path = join(directory, 'cutter.sock');
    const cutter = new Cutter(path, target);
    cutter.#server.listen(path);
    await once(cutter.#server, 'listening');
    return cutter;
  }

  /** Cuts once, at the next request with this word in it. */
  cutAt(word: string, cut: Cut): void {
    this.#armed = { cut, word };
  }

  #join(client: Socket, server: Socket): void {
    let isSwallowing = false;
    const end = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', end).on('close', () => {
        this.#sockets.delete(socket);
        end();
      });
    }
    client.on('data', (chunk) => {
      const armed = this.#armed;
      if (armed && chunk.includes(armed.word)) {
        this.#armed = undefined;
        if (armed.cut === 'request') {
          end();
          return;
        }
        isSwallowing = true;
      }
      server.write(chunk);
    });
    server.on('data', (chunk) => {
      // By the time that it replies it has done it.
      if (isSwallowing) end();
      else client.write(chunk);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
