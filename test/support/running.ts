/** A program that runs beside a test, which reads along and ends it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** `vsb` from its source: the program and its first arguments. */
export const VSB: readonly [string, ...string[]] = [
  process.execPath,
  '--import',
  createRequire(import.meta.url).resolve('tsx'),
  fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url)),
];

export interface Running extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Waits until it has printed this, on stdout or stderr; fails where it ends without. */
  text(wanted: string): Promise<void>;
  /** Waits for its end. */
  end(): Promise<{ readonly status: number | null; readonly output: string }>;
}

/** Starts it; disposing of it kills it. */
export function startRunning(
  [program, ...args]: readonly [string, ...string[]],
  env: Readonly<Record<string, string>>,
): Running {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: 'pipe' });
  const closed = once(child, 'close');
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      child.emit('text');
    });
  }
  return {
    child,
    text: async (wanted) => {
      while (!output.includes(wanted)) {
        await Promise.race([once(child, 'text'), closed]);
        if (child.exitCode !== null) throw new Error(`it ended without "${wanted}":\n${output}`);
      }
    },
    end: async () => {
      await closed;
      return { status: child.exitCode, output };
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await closed;
    },
  };
}
