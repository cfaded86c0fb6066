/**
 * Listens at a passive remote for switches that call us (`ovs-vsctl set-manager`), and hands over their sockets, for
 * `pssl:` after the handshake. Which of several callers is talked to: link.ts.
 */
import { once } from 'node:events';
import { lstatSync, unlinkSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { fail, type VsbError } from '../errors.ts';
import { renderHostAndPort, type PassiveRemote } from './remote.ts';
import { KEEP_ALIVE } from './socket.ts';
import { explainTls, explainVerification, readTls, type TlsFiles } from './tls.ts';

/** Who a listener reports to. */
export interface Callee {
  /** The socket is the callee's from now on. @param caller as a remote is written, for people */
  onCall(socket: Socket, caller: string): void;
  /** Someone could not get in: TLS failed, or took longer than its limit. */
  onRefused(why: string): void;
  /** It does not listen any more; called at most once, and not after `close`. */
  onBroken(reason: VsbError): void;
}

export interface ListenOptions {
  /** Needed for `pssl:`. */
  readonly tls?: TlsFiles | undefined;
  /** For a caller's TLS handshake. */
  readonly handshakeTimeoutMs: number;
}

export class Listener {
  readonly #server: Server;
  /** The remote as it came out: with the port that port 0 became. */
  readonly remote: string;

  /**
   * Starts to listen. A socket file that nobody listens at any more is replaced, as Open vSwitch does.
   * @throws LISTEN_FAILED, TLS_FILES_MISSING, TLS_FILE_INVALID, TLS_KEY_MISMATCH
   */
  static async open(remote: PassiveRemote, callee: Callee, options: ListenOptions): Promise<Listener> {
    const server = createServerFor(remote, callee, options);
    try {
      if (remote.method === 'punix') {
        await removeStale(remote.path);
        server.listen({ path: remote.path });
      } else server.listen({ host: remote.host, port: remote.port });
      await once(server, 'listening');
    } catch (cause) {
      throw fail('LISTEN_FAILED', { remote: remote.text, why: explain(cause) }, { cause });
    }
    server.on('error', (cause) => {
      server.close();
      callee.onBroken(fail('LISTEN_FAILED', { remote: remote.text, why: cause.message }, { cause }));
    });
    return new Listener(server, remote);
  }

  private constructor(server: Server, remote: PassiveRemote) {
    this.#server = server;
    this.remote = remote.method === 'punix' ? remote.text : withPort(remote, server.address() as AddressInfo);
  }

  /** Stops listening; a socket file goes with it. Sockets that were handed over stay. */
  close(): void {
    this.#server.removeAllListeners('error');
    this.#server.on('error', () => undefined);
    this.#server.close();
  }
}

function createServerFor(remote: PassiveRemote, callee: Callee, options: ListenOptions): Server {
  if (remote.method !== 'pssl')
    return createServer(KEEP_ALIVE, (socket) => {
      callee.onCall(socket, callerOf(remote, socket));
    });
  if (!options.tls) throw fail('TLS_FILES_MISSING', { remote: remote.text });
  const server = createTlsServer(
    {
      ...KEEP_ALIVE,
      ...readTls(options.tls),
      // Both: who has no certificate is refused in the handshake itself, so that no session is there to be resumed.
      requestCert: true,
      rejectUnauthorized: true,
      handshakeTimeout: options.handshakeTimeoutMs,
    },
    (socket) => {
      callee.onCall(socket, callerOf(remote, socket));
    },
  );
  return server.on('tlsClientError', (cause, socket) => {
    // Node tells a refused certificate as a reset connection, and the reason here.
    const refusal: unknown = socket.authorizationError;
    const why = typeof refusal === 'string' ? explainVerification(refusal) : explainTls(cause);
    callee.onRefused(`${callerOf(remote, socket)}: ${why ?? cause.message}`);
  });
}

function callerOf(remote: PassiveRemote, socket: Socket): string {
  if (remote.method === 'punix') return remote.text;
  const method = remote.method === 'ptcp' ? 'tcp' : 'ssl';
  const { remoteAddress, remotePort } = socket;
  // Gone already.
  if (remoteAddress === undefined || remotePort === undefined) return 'a caller';
  return `${method}:${renderHostAndPort(remoteAddress, remotePort)}`;
}

function withPort(remote: PassiveRemote & { readonly host: string }, { port }: AddressInfo): string {
  const host = remote.host.includes(':') ? `[${remote.host}]` : remote.host;
  return `${remote.method}:${String(port)}:${host}`;
}

/** Binding fails where a file is left; one that still answers is somebody's. */
async function removeStale(path: string): Promise<void> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return;
  const socket = connect({ path });
  const isStale = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => {
      resolve(false);
    });
    socket.once('error', (cause: NodeJS.ErrnoException) => {
      // Any other failure (no permission, a full queue) says nothing about who listens.
      resolve(cause.code === 'ECONNREFUSED');
    });
  });
  socket.destroy();
  if (isStale) unlinkSync(path);
}

function explain(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  switch (code ?? '') {
    case 'EADDRINUSE':
      return 'something else listens there (EADDRINUSE). End it, or choose another place';
    case 'EACCES':
    case 'EPERM':
      return `no permission (${code ?? ''}). Run as root, or choose a port from 1024 up or a directory of your own`;
    case 'EADDRNOTAVAIL':
      return 'no device of this machine has the address (EADDRNOTAVAIL). Choose one that "ip address" shows';
    case 'ENOENT':
      return 'its directory is not there (ENOENT). Make it, or choose another';
    default:
      return message;
  }
}
