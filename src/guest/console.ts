/** A guest's serial console: joined with two streams, or watched for a text. Whose streams these are is the caller's. */
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { fail } from '../errors.ts';
import type { GuestPaths } from './run-directory.ts';
import { readGuestStatus } from './status.ts';

/** Ctrl-], as telnet(1) and `virsh console` have it. */
const ESCAPE_BYTE = 0x1d;

/** Whether a person or a program is at the streams. */
export interface ConsoleStreams {
  readonly input: Readable;
  readonly output: Writable;
  /** A terminal in raw mode: the escape byte ends. Otherwise the end of the input does, once the guest is quiet. */
  readonly interactive: boolean;
}

/** A guest that has nothing more to say to its input; emulated ones think slowly. */
const QUIET_MS = 2000;
const POLL_MS = 50;

/**
 * Joins the console with the streams until the escape byte, the end of the input or the guest's end. QEMU serves one
 * console at a time; a second one waits.
 * @returns who ended it
 * @throws GUEST_NOT_RUNNING where nobody listens
 */
export async function attachConsole(
  vm: string,
  paths: GuestPaths,
  streams: ConsoleStreams,
  signal?: AbortSignal,
): Promise<'guest' | 'us'> {
  const socket = connect(paths.consoleSocket);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', (error) => {
      reject(fail('GUEST_NOT_RUNNING', { vm, status: 'its console is closed' }, { cause: error }));
    });
  });
  return new Promise((resolve) => {
    let quiet: NodeJS.Timeout | undefined;
    let inputEnded = false;
    const finish = (who: 'guest' | 'us'): void => {
      clearTimeout(quiet);
      streams.input.off('data', onInput).off('end', onInputEnd);
      streams.output.off('error', onAbort);
      streams.input.pause();
      signal?.removeEventListener('abort', onAbort);
      socket.destroy();
      resolve(who);
    };
    const onAbort = (): void => {
      finish('us');
    };
    const awaitQuiet = (): void => {
      clearTimeout(quiet);
      quiet = setTimeout(onAbort, QUIET_MS);
    };
    const onInput = (bytes: Buffer): void => {
      const escape = streams.interactive ? bytes.indexOf(ESCAPE_BYTE) : -1;
      socket.write(escape < 0 ? bytes : bytes.subarray(0, escape));
      if (escape >= 0) finish('us');
    };
    // Our end of the socket stays open: QEMU takes a half-closed one for a closed one, and its answers would be lost.
    const onInputEnd = (): void => {
      inputEnded = true;
      awaitQuiet();
    };
    socket.on('data', (bytes: Buffer) => {
      streams.output.write(bytes);
      if (inputEnded) awaitQuiet();
    });
    socket.on('error', () => undefined);
    socket.once('close', () => {
      finish('guest');
    });
    streams.input.on('data', onInput).once('end', onInputEnd);
    // Nobody reads on. What else that means is for whose stream it is.
    streams.output.once('error', onAbort);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * Waits until the guest has printed a text on its console since it started.
 * @throws GUEST_SILENT at the time limit, GUEST_NOT_RUNNING where it ended before, CANCELLED (it runs on)
 */
export async function awaitConsoleText(
  vm: string,
  paths: GuestPaths,
  text: string,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const { status } = await readGuestStatus(paths);
    const printed = await readFile(paths.consoleLog, 'utf8').catch(() => '');
    if (printed.includes(text)) return;
    if (status !== 'running') throw fail('GUEST_NOT_RUNNING', { vm, status });
    if (signal?.aborted === true) {
      throw fail('CANCELLED', { what: `VM "${vm}" runs, and nobody waited for "${text}"` });
    }
    if (performance.now() >= deadline) {
      throw fail('GUEST_SILENT', { vm, text, timeoutMs, last: lastLine(printed) });
    }
    await delay(POLL_MS);
  }
}

function lastLine(text: string): string {
  const lines = text.split(/[\r\n]+/).filter((line) => line.trim() !== '');
  return (lines.at(-1) ?? '').trim();
}
