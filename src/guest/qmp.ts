/** One command to a running QEMU over its QMP socket (QEMU Machine Protocol: greeting, capabilities, command). */
import { connect } from 'node:net';
import { fail, VsbError } from '../errors.ts';

/** QEMU answers in milliseconds; a host that swaps takes longer. */
const TIMEOUT_MS = 5000;

/** What a command is called with, as QEMU's own reference names it (QEMU QMP Reference Manual). */
export type QmpArguments = Readonly<Record<string, unknown>>;

/**
 * Sends a command and waits for its answer.
 * @returns the answer's `return`
 * @throws QMP_FAILED where nobody listens, QEMU refuses, or does not answer in time (another client is served first)
 */
export async function qmp(socket: string, command: string, args?: QmpArguments): Promise<unknown> {
  const failed = (why: string): VsbError => fail('QMP_FAILED', { socket, command, why });
  const connection = connect(socket);
  const abort = AbortSignal.timeout(TIMEOUT_MS);
  abort.addEventListener('abort', () => connection.destroy(failed('no answer in time')), { once: true });
  try {
    connection.write('{"execute":"qmp_capabilities"}\n');
    let answers = 0;
    for await (const message of messages(connection)) {
      if ('error' in message) throw failed(descriptionOf(message['error']));
      // The first answer is that of qmp_capabilities; events come in between.
      if (!('return' in message)) continue;
      if (++answers === 2) return message['return'];
      // JSON has no `undefined`: without arguments there is no such member.
      connection.write(`${JSON.stringify({ execute: command, arguments: args })}\n`);
    }
    throw failed('it closed the connection');
  } catch (error) {
    throw error instanceof VsbError ? error : failed(error instanceof Error ? error.message : String(error));
  } finally {
    connection.destroy();
  }
}

/** The lines as objects; QEMU ends each with a newline. Errors of the connection come out of the iteration. */
async function* messages(
  connection: ReturnType<typeof connect>,
): AsyncGenerator<Readonly<Record<string, unknown>>> {
  let rest = '';
  connection.setEncoding('utf8');
  for await (const chunk of connection as AsyncIterable<string>) {
    rest += chunk;
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const message: unknown = JSON.parse(line);
      if (typeof message === 'object' && message !== null) yield message as Readonly<Record<string, unknown>>;
    }
  }
}

function descriptionOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'desc' in error) return String(error.desc);
  return JSON.stringify(error);
}
