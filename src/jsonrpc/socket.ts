/** Connects to a remote, and says in people's words why it could not. What goes over the socket: session.ts. */
import { connect, type Socket } from 'node:net';
import { fail, type VsbError } from '../errors.ts';
import type { Remote } from './remote.ts';

/** Limits of one attempt. */
export interface OpenOptions {
  readonly connectTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** A dead TCP peer is noticed by the kernel; ovsdb-server itself probes after 5 s (ovsdb-server(1)). */
const KEEP_ALIVE_MS = 5000;

/**
 * A connected socket; the caller owns it.
 * @throws OVSDB_UNREACHABLE, OVSDB_TIMEOUT, CANCELLED
 */
export function openSocket(remote: Remote, options: OpenOptions): Promise<Socket> {
  const { connectTimeoutMs, signal } = options;
  return new Promise((resolve, reject) => {
    const what = `connecting to "${remote.text}"`;
    if (signal?.aborted === true) {
      reject(fail('CANCELLED', { what }));
      return;
    }
    const socket =
      remote.method === 'unix'
        ? connect({ path: remote.path })
        : connect({
            host: remote.host,
            port: remote.port,
            noDelay: true,
            keepAlive: true,
            keepAliveInitialDelay: KEEP_ALIVE_MS,
          });
    const settle = (error?: VsbError) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.removeListener('error', onError);
      socket.removeListener('connect', onConnect);
      if (error) {
        // What an abandoned attempt still says is of no use.
        socket.on('error', () => undefined);
        socket.destroy();
        reject(error);
      } else resolve(socket);
    };
    const onConnect = () => {
      settle();
    };
    const onError = (cause: NodeJS.ErrnoException) => {
      settle(fail('OVSDB_UNREACHABLE', { remote: remote.text, why: explain(remote, cause) }, { cause }));
    };
    const onAbort = () => {
      settle(fail('CANCELLED', { what }));
    };
    const timer = setTimeout(() => {
      settle(fail('OVSDB_TIMEOUT', { what, limitMs: connectTimeoutMs }));
    }, connectTimeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.once('error', onError);
    socket.once('connect', onConnect);
  });
}

/** The reason of a failed attempt and what to do about it. */
function explain(remote: Remote, cause: NodeJS.ErrnoException): string {
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
      return `${cause.message}. Check the host, its network and the port`;
  }
}
