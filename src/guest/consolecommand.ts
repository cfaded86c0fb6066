/** One command in the shell on a guest's console, until it has said a word. */
import { connect } from 'node:net';
import { fail } from '../errors.ts';
import type { GuestPaths } from './run-directory.ts';

/**
 * @param command one line
 * @param word what it says when it is over, in a line of its own
 * @throws GUEST_NOT_RUNNING, GUEST_SILENT at the time limit, CANCELLED
 */
export function runOnConsole(
  vm: string,
  paths: GuestPaths,
  {
    command,
    word,
    timeoutMs,
    signal,
  }: { command: string; word: string; timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(paths.consoleSocket);
    let said = '';
    const timer = setTimeout(() => {
      end(fail('GUEST_SILENT', { vm, text: word, timeoutMs, last: said.trim().split('\n').at(-1) ?? '' }));
    }, timeoutMs);
    const onAbort = (): void => {
      end(fail('CANCELLED', { what: `"${command}" in VM "${vm}"` }));
    };
    const end = (error?: Error): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.destroy();
      if (error) reject(error);
      else resolve();
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.setEncoding('latin1').on('data', (text: string) => {
      said = (said + text).slice(-4096);
      if (said.split(/\r?\n/).some((line) => line.trim() === word)) end();
    });
    socket.once('error', (cause) => {
      end(fail('GUEST_NOT_RUNNING', { vm, status: 'its console is closed' }, { cause }));
    });
    socket.once('close', () => {
      end(fail('GUEST_NOT_RUNNING', { vm, status: 'its console was closed' }));
    });
    socket.write(`${command}\n`);
  });
}
