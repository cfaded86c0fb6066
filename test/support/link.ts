/** A link that writes down what it is told, and lets a test wait for it. */
import { EventEmitter, once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { VsbError } from '../../src/errors.ts';
import { Link, type LinkOptions, type LinkState } from '../../src/jsonrpc/link.ts';
import type { Session } from '../../src/jsonrpc/session.ts';

export class WatchedLink implements AsyncDisposable {
  readonly link: Link;
  readonly states: LinkState[] = [];
  readonly sessions: Session[] = [];
  readonly notifications: string[] = [];
  readonly log: string[] = [];
  readonly #told = new EventEmitter();

  /** Starts it, with limits that suit tests. @param settles whether a session is settled as soon as it is up */
  constructor(options: Pick<LinkOptions, 'remotes'> & Partial<LinkOptions>, settles = true) {
    this.#told.setMaxListeners(50);
    this.link = new Link(
      {
        connectTimeoutMs: 10_000,
        downloadTimeoutMs: 10_000,
        backoff: { leastMs: 10, mostMs: 80 },
        random: () => 0,
        log: (level, message) => {
          this.log.push(`${level}: ${message}`);
          this.#told.emit('told');
        },
        ...options,
      },
      {
        onUp: (session) => {
          this.sessions.push(session);
          if (settles) this.link.settled();
        },
        onNotification: (method) => {
          this.notifications.push(method);
          this.#told.emit('told');
        },
        onState: (state) => {
          this.states.push(state);
          this.#told.emit('told');
        },
      },
    );
    this.link.start();
  }

  /** Waits until the states since `from` (default: all) show something. */
  async until<T>(find: (states: readonly LinkState[]) => T | undefined, from = 0): Promise<T> {
    for (;;) {
      const found = find(this.states.slice(from));
      if (found !== undefined) return found;
      await once(this.#told, 'told');
    }
  }

  /** Waits until the log holds a line. */
  async logged(pattern: RegExp): Promise<string> {
    return await this.until(() => this.log.find((line) => pattern.test(line)));
  }

  /** Waits for the n-th session (from 1), or the next that there is when called. */
  async session(count = 1): Promise<Session> {
    await this.until(() => (this.sessions.length >= count ? true : undefined));
    return this.sessions[count - 1] as Session;
  }

  /** Waits for a loss, the first since `from`, and gives its reason. */
  loss(from = 0): Promise<VsbError> {
    return this.until(
      (states) => states.flatMap((state) => (state.at === 'backoff' ? [state.reason] : [])).at(0),
      from,
    );
  }

  /** Waits until it listens, and gives where. */
  listening(): Promise<string> {
    return this.until((states) => states.flatMap((s) => (s.at === 'listening' ? [s.remote] : [])).at(0));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.link.close();
  }
}

/** The databases that a session's server has. */
export async function databasesOf(session: Session): Promise<unknown> {
  const answer = await session.request('list_dbs', [], { timeoutMs: 10_000 });
  if (answer.kind === 'lost') throw answer.reason;
  return answer.kind === 'result' ? answer.result : answer.error;
}

/** Keeps this process busy: nothing is read, no timer runs. */
export function spin(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

/** A TCP peer of the test's making. */
export async function startTcpPeer(onConnection: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onConnection(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    remote: `tcp:127.0.0.1:${String(port)}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
