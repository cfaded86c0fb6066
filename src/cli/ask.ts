/** Questions to whoever sits at the terminal. */
import { writeError } from './verb.ts';

/** @param verb what would be done: `apply` @returns false too where nobody is there, which is said */
export async function askYes(verb: string, signal: AbortSignal): Promise<boolean> {
  const answer = await ask(`${verb} this? [yes/no] `, `Give --yes to ${verb} without asking.`, signal);
  return ['y', 'yes'].includes(answer?.toLowerCase() ?? 'no');
}

/**
 * @param otherwise what to do where nobody can be asked
 * @returns the answer without blanks around it; `undefined` where nobody is there (which is said), or has had enough
 */
export async function ask(
  question: string,
  otherwise: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (!process.stdin.isTTY) {
    writeError(`vsb: there is nobody to ask: stdin is no terminal. ${otherwise}`);
    return undefined;
  }
  const { createInterface } = await import('node:readline/promises');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-C and Ctrl-D close it, as a signal does here; the question is never answered then.
  const closed = new Promise<undefined>((resolve) => {
    lines.once('close', () => {
      resolve(undefined);
    });
  });
  const close = (): void => {
    lines.close();
  };
  signal.addEventListener('abort', close, { once: true });
  try {
    const answer = await Promise.race([lines.question(question), closed]);
    return answer?.trim();
  } finally {
    signal.removeEventListener('abort', close);
    lines.close();
  }
}
