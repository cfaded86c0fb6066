/** What a verb's file exports, and how its action runs: data to stdout, everything else to stderr, one exit status. */
import type { Command } from 'commander';
import { toVsbError } from '../errors.ts';
import { toPrintable } from '../units/printable.ts';

/** A verb: adds its command, with flags and help, to the program. Its action loads what it needs when it runs. */
export type AddVerb = (program: Command) => void;

/** Runs an action; a fault becomes `vsb: error[CODE]: …` on stderr and the exit status of its code. */
export async function runVerb(logLevel: string, action: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await action();
  } catch (thrown) {
    const error = toVsbError(thrown);
    // Issues of a file come with their own places and codes.
    const isListOfIssues = error.code === 'TOPOLOGY_INVALID';
    writeError(isListOfIssues ? error.message : `vsb: error[${error.code}]: ${error.message}`);
    if (logLevel === 'debug') writeError(String(error.stack) + causes(error));
    process.exitCode = error.exitStatus;
  }
}

/** Writes data, complete with its final newline. */
export function writeData(text: string): void {
  process.stdout.write(text);
}

/** Writes lines for people to stderr: what others said in them (a guest, a program, a database) brings no escapes. */
export function writeError(text: string): void {
  process.stderr.write(`${text.split('\n').map(toPrintable).join('\n')}\n`);
}

function causes(error: Error): string {
  return error.cause instanceof Error ? `\ncaused by ${String(error.cause.stack)}${causes(error.cause)}` : '';
}

/** Ends when the user does: Ctrl-C or SIGTERM. The second Ctrl-C ends the process at once, as Node does by default. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => {
      controller.abort();
    });
  }
  return controller.signal;
}

/** Whether to paint: a terminal, and nobody asked for plain text (https://no-color.org). */
export function isColourful(stream: { readonly isTTY?: boolean }): boolean {
  return stream.isTTY === true && (process.env['NO_COLOR'] ?? '') === '';
}
