/**
 * One apply or destroy at a time on a switch: two at once would each see what the other has half made. The lock is an
 * abstract unix socket (unix(7)), which goes with the process that holds it, however that ends.
 */
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { resolve as toAbsolute } from 'node:path';
import { fail } from '../errors.ts';
import { parseRemotes, renderHostAndPort, type Remote } from '../jsonrpc/remote.ts';

/**
 * Takes the lock of a switch, which has one name for each of its remotes: who comes by any of them meets it. A switch that
 * is reached by its unix socket and by TCP too, or by two names of a host, is not known to be one.
 * @throws APPLY_BUSY where another process holds it; REMOTE_INVALID, REMOTE_UNSUPPORTED
 */
export async function lockSwitch(remote: string): Promise<AsyncDisposable> {
  // Sorted, so that of two that want several of them one gets all.
  const places = [...new Set(parseRemotes(remote).map(placeOf))].sort();
  const held: Server[] = [];
  const release = async (): Promise<void> => {
    await Promise.all(held.map(close));
  };
  try {
    for (const place of places) held.push(await hold(place, remote));
  } catch (cause) {
    await release();
    throw cause;
  }
  return { [Symbol.asyncDispose]: release };
}

/** The same text for other spellings of a remote. */
function placeOf(remote: Remote): string {
  if ('path' in remote) return `${remote.method}:${realPath(remote.path)}`;
  return `${remote.method}:${renderHostAndPort(remote.host.toLowerCase(), remote.port)}`;
}

/** `/var/run` and `/run` are one directory; that there is no such socket, connecting tells. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return toAbsolute(path);
  }
}

async function hold(place: string, remote: string): Promise<Server> {
  const name = createHash('sha256').update(place).digest('hex').slice(0, 32);
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(cause.code === 'EADDRINUSE' ? fail('APPLY_BUSY', { remote }, { cause }) : cause);
    });
    server.listen(`\0vswitchboard/apply/${name}`, resolve);
  });
  return server;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}
