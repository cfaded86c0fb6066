/** Runs a program on a terminal (onterminal.py), and looks at its screen. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { TerminalScreen } from './terminalscreen.ts';

const PTY = fileURLToPath(new URL('onterminal.py', import.meta.url));

/** How a program on a terminal ended. */
export interface TerminalEnd {
  /** Exit status; -N where signal N ended it. */
  readonly status: number;
  /** The terminal's modes (echo, lines, signals) are as they were. */
  readonly isRestored: boolean;
}

export interface OnTerminal extends AsyncDisposable {
  readonly screen: TerminalScreen;
  /** All that was sent to the terminal. */
  readonly bytes: () => string;
  /** As if somebody typed it. */
  type(text: string): void;
  resize(columns: number, rows: number): void;
  signal(name: NodeJS.Signals): void;
  /** Waits for a screen. */
  until(condition: (screen: TerminalScreen) => boolean, what: string): Promise<string>;
  /** Waits for the end of the program. */
  end(): Promise<TerminalEnd>;
}

const LIMIT_MS = 20_000;

/** Starts a program on a terminal of this size. */
export function startOnTerminal(
  command: readonly string[],
  size: readonly [columns: number, rows: number],
  env: Readonly<Record<string, string | undefined>>,
): OnTerminal {
  const child = spawn('python3', [PTY, ...size.map(String), ...command], {
    env: { ...process.env, TERM: 'xterm-256color', ...env },
  });
  const screen = new TerminalScreen(...size);
  let bytes = '';
  let errors = '';
  let fault: Error | undefined;
  const waiting = new Set<() => void>();
  const look = (): void => {
    for (const each of waiting) each();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    bytes += text;
    try {
      screen.write(text);
    } catch (thrown) {
      fault = thrown instanceof Error ? thrown : new Error('not an error', { cause: thrown });
    }
    look();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const closed = once(child, 'close').then(look);
  const order = (what: object): void => {
    child.stdin.write(`${JSON.stringify(what)}\n`);
  };
  return {
    screen,
    bytes: () => bytes,
    type: (text) => {
      order({ type: text });
    },
    resize: (columns, rows) => {
      screen.resize(columns, rows);
      order({ resize: [columns, rows] });
    },
    signal: (name) => {
      order({ signal: name });
    },
    until: (condition, what) =>
      new Promise((resolve, reject) => {
        const finish = (act: () => void): void => {
          clearTimeout(timer);
          waiting.delete(check);
          act();
        };
        const give = (why: string): void => {
          finish(() => {
            reject(new Error(`${why} waiting for ${what}; the screen:\n${screen.text}\n${errors}`));
          });
        };
        const check = (): void => {
          if (fault !== undefined) give(fault.message);
          else if (condition(screen))
            finish(() => {
              resolve(screen.text);
            });
          else if (child.exitCode !== null) give('it ended while');
        };
        const timer = setTimeout(give, LIMIT_MS, 'too long');
        waiting.add(check);
        check();
      }),
    end: async () => {
      await closed;
      return JSON.parse(errors.trimEnd().split('\n').at(-1) ?? '') as TerminalEnd;
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return;
      child.stdin.end();
      await closed;
    },
  };
}
