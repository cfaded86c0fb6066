/**
 * One apply or destroy at a time on a switch: two at once would each see what the other has half made. The lock is an
 * abstract unix socket (unix(7)), which goes with the process that holds it, however that ends.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { fail } from '../errors.ts';

/**
 * Takes the lock of a switch.
 * @throws APPLY_BUSY where another process holds it
 */
export async function lockSwitch(remote: string): Promise<AsyncDisposable> {
  const name = createHash('sha256').update(remote).digest('hex').slice(0, 32);
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(cause.code === 'EADDRINUSE' ? fail('APPLY_BUSY', { remote }, { cause }) : cause);
    });
    server.listen(`\0vswitchboard/apply/${name}`, resolve);
  });
  return {
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      }),
  };
}
