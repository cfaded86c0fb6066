/** The whole terminal for a verb: alternate screen, keys one by one, and all as it was before whatever ends it. */
import type { ReadStream, WriteStream } from 'node:tty';

// xterm's private modes (ctlseqs, "DECSET"): alternate screen with saved cursor, autowrap, cursor.
const ENTER = '\x1b[?1049h\x1b[?7l\x1b[?25l\x1b[2J';
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';

export interface FullScreenEvents {
  /** What was typed, as the terminal sends it. */
  readonly typed: (input: string) => void;
  /** The terminal has another size, or shows something else: draw again. */
  readonly redraw: () => void;
  /** Nobody can type any more. */
  readonly ended: () => void;
}

/** Lines to show, and where the cursor is, from 0; without one it is hidden. */
export interface FullScreenText {
  readonly lines: readonly string[];
  readonly cursor: { readonly row: number; readonly column: number } | undefined;
}

/** The terminal from its making to its disposal; also a fault of the program gives it back before it is told. */
export class FullScreen implements Disposable {
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  readonly #listeners: Disposable[];
  #isEntered = false;

  constructor(input: ReadStream, output: WriteStream, events: FullScreenEvents) {
    this.#input = input;
    this.#output = output;
    input.setEncoding('utf8');
    this.#listeners = [
      listen(input, 'data', (data) => {
        events.typed(String(data));
      }),
      listen(input, 'end', events.ended),
      listen(input, 'error', events.ended),
      listen(output, 'resize', events.redraw),
      listen(process, 'uncaughtExceptionMonitor', () => {
        this.#leave();
      }),
      listen(process, 'exit', () => {
        this.#leave();
      }),
      // After Ctrl-Z's stop from outside (kill -STOP) the shell has had the terminal.
      listen(process, 'SIGCONT', () => {
        this.#isEntered = false;
        this.#enter();
        events.redraw();
      }),
    ];
    this.#enter();
  }

  /** Cells in a line, and lines. A terminal that does not know its size says 0. */
  get size(): { readonly width: number; readonly height: number } {
    return { width: this.#output.columns || 80, height: this.#output.rows || 24 };
  }

  /** Every line is written anew, without blanking it first: what others wrote there is gone, and nothing flickers. */
  draw({ lines, cursor }: FullScreenText): void {
    if (!this.#isEntered) return;
    const body = lines.map((line) => `${line}\x1b[K`).join('\r\n');
    const caret =
      cursor === undefined
        ? '\x1b[?25l'
        : `\x1b[${String(cursor.row + 1)};${String(cursor.column + 1)}H\x1b[?25h`;
    this.#output.write(`\x1b[H${body}\x1b[J${caret}`);
  }

  [Symbol.dispose](): void {
    this.#leave();
    for (const listener of this.#listeners) listener[Symbol.dispose]();
    this.#input.pause();
  }

  #enter(): void {
    this.#isEntered = true;
    this.#input.setRawMode(true);
    this.#input.resume();
    this.#output.write(ENTER);
  }

  #leave(): void {
    if (!this.#isEntered) return;
    this.#isEntered = false;
    this.#output.write(LEAVE);
    this.#input.setRawMode(false);
  }
}

/** A listener that ends with its disposal. */
function listen(
  emitter: NodeJS.EventEmitter,
  name: string,
  listener: (...args: unknown[]) => void,
): Disposable {
  emitter.on(name, listener);
  return {
    [Symbol.dispose]: () => {
      emitter.off(name, listener);
    },
  };
}
