/** Connects to a remote, and says in people's words why it could not. What goes over the socket: session.ts. */
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { fail, type VsbError } from '../errors.ts';
import type { ActiveRemote } from './remote.ts';
import { explainTls, readTls, type TlsFiles } from './tls.ts';

/** What one attempt needs. How long it may take is its owner's business. */
export interface OpenOptions {
  /** Ends the attempt. */
  readonly signal?: AbortSignal | undefined;
  /** Needed for `ssl:`. */
  readonly tls?: TlsFiles | undefined;
}

/** A dead TCP peer is noticed by the kernel; ovsdb-server itself probes after 5 s (ovsdb-server(1)). */
export const KEEP_ALIVE = Object.freeze({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 5000 });

/**
 * A connected socket, for `ssl:` after the handshake; the caller owns it.
 * @throws OVSDB_UNREACHABLE, TLS_FILES_MISSING, TLS_FILE_INVALID, TLS_KEY_MISMATCH, CANCELLED
 */
export function openSocket(remote: ActiveRemote, options: OpenOptions): Promise<Socket> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    const cancelled = () => fail('CANCELLED', { what: `connecting to "${remote.text}"` });
    if (signal?.aborted === true) {
      reject(cancelled());
      return;
    }
    const { socket, readyEvent } = start(remote, options.tls);
    const settle = (error?: VsbError) => {
      signal?.removeEventListener('abort', onAbort);
      socket.removeListener('error', onError);
      socket.removeListener('close', onClose);
      socket.removeListener(readyEvent, onReady);
      if (error) {
        // What an abandoned attempt still says is of no use.
        socket.on('error', () => undefined);
        socket.destroy();
        reject(error);
      } else resolve(socket);
    };
    const onReady = () => {
      settle();
    };
    const onError = (cause: NodeJS.ErrnoException) => {
      settle(fail('OVSDB_UNREACHABLE', { remote: remote.text, why: explain(remote, cause) }, { cause }));
    };
    const onClose = () => {
      settle(
        fail('OVSDB_UNREACHABLE', { remote: remote.text, why: 'it hung up at once. Look into its log' }),
      );
    };
    const onAbort = () => {
      settle(cancelled());
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.once('error', onError);
    socket.once('close', onClose);
    socket.once(readyEvent, onReady);
  });
}

function start(remote: ActiveRemote, tls: TlsFiles | undefined): { socket: Socket; readyEvent: string } {
  switch (remote.method) {
    case 'unix':
      return { socket: connect({ path: remote.path }), readyEvent: 'connect' };
    case 'tcp': {
      const { host, port } = remote;
      return { socket: connect({ host, port, ...KEEP_ALIVE }), readyEvent: 'connect' };
    }
    case 'ssl': {
      if (!tls) throw fail('TLS_FILES_MISSING', { remote: remote.text });
      const { host, port } = remote;
      const socket = connectTls({
        host,
        port,
        ...KEEP_ALIVE,
        ...(isIP(host.split('%')[0] ?? host) === 0 ? { servername: host } : {}),
        ...readTls(tls),
        // As Open vSwitch does: the CA decides, names are not compared.
        checkServerIdentity: () => undefined,
      });
      return { socket, readyEvent: 'secureConnect' };
    }
  }
}

/** The reason of a failed attempt and what to do about it. */
function explain(remote: ActiveRemote, cause: NodeJS.ErrnoException): string {
  const start = 'Start Open vSwitch ("systemctl start openvswitch-switch") or correct the remote';
  switch (cause.code ?? '') {
    case 'ENOENT':
      return `no ovsdb-server has a socket there (ENOENT). ${start}`;
    case 'ECONNREFUSED':
      return `no ovsdb-server listens there (ECONNREFUSED). ${start}`;
    case 'EACCES':
    case 'EPERM':
      return `no permission (${cause.code ?? ''}). Run as root, or as a user who may write to the socket`;
    case 'ENOTSOCK':
    case 'ENOTDIR':
      return `the path is no socket (${cause.code}). Correct the remote`;
    case 'EINVAL':
      return remote.method === 'unix' && Buffer.byteLength(remote.path) > 107
        ? 'a socket path has at most 107 bytes (EINVAL). Use a shorter one, for example through a symbolic link'
        : 'the address is not valid (EINVAL). Correct the remote';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the host name is not known (${cause.code}). Correct the name, or the resolver`;
    default:
      return explainTls(cause) ?? `${cause.message}. Check the host, its network and the port`;
  }
}
