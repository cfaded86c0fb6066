/** Runs the command line from its source, as a person would. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { run, type RunResult } from '../../src/process/run.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
// import.meta.resolve is not there where mocha loads tests through require.
const TSX = createRequire(import.meta.url).resolve('tsx');
const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

export interface CliOptions {
  /** Added to the environment; VSB_… and OVS_… variables of the surroundings are taken away first. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default: the root of the checkout. */
  readonly cwd?: string;
  readonly input?: string;
  /** A program that runs it, for example `setpriv` with its arguments. */
  readonly wrapper?: readonly string[];
  /** Default 30 s: loading the TypeScript source alone takes 1–3 s on a loaded machine. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** `vsb ARGS`: its exit status and what it printed. */
export async function vsb(args: readonly string[], options: CliOptions = {}): Promise<RunResult> {
  const foreign = Object.keys(process.env).filter((name) => /^(VSB|OVS)_/.test(name));
  const env = { ...Object.fromEntries(foreign.map((name) => [name, undefined])), ...options.env };
  // `env -C` (coreutils) sets the working directory; tsx is named by its own path, since it may not be found from there.
  const node = [process.execPath, '--import', TSX, MAIN, ...args];
  return run('env', ['-C', options.cwd ?? ROOT, ...(options.wrapper ?? []), ...node], {
    timeoutMs: options.timeoutMs ?? 30_000,
    env,
    input: options.input,
    signal: options.signal,
  });
}
