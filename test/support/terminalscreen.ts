/**
 * What a terminal shows after it was sent some bytes: the part of xterm that full-screen programs here use. An unknown control
 * sequence is an error, so that nothing is overlooked.
 */
import { widthOf } from '../../src/output/top/text.ts';

/** One cell; the second one of a wide character has an empty text. */
export interface Cell {
  readonly text: string;
  /** SGR parameters in force: `1`, `7`, `31`. */
  readonly style: ReadonlySet<string>;
}

const BLANK: Cell = { text: ' ', style: new Set() };
// eslint-disable-next-line no-control-regex -- what control sequences are made of
const PIECE = /\x1b\[([?0-9;]*)([A-Za-z])|[\r\n]|\x1b|[^\x1b\r\n]/gu;

export class TerminalScreen {
  columns: number;
  rows: number;
  /** On the alternate screen. */
  isAlternate = false;
  isCursorShown = true;
  isWrapping = true;
  cursor = { row: 0, column: 0 };
  #cells: Cell[][] = [];
  #main: Cell[][] = [];
  #style: ReadonlySet<string> = new Set();
  #rest = '';

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
  }

  /** The lines as text, without spaces at their ends. */
  get text(): string {
    return this.cells
      .map((line) =>
        line
          .map(({ text }) => text)
          .join('')
          .trimEnd(),
      )
      .join('\n');
  }

  /** Every line with every cell. */
  get cells(): readonly (readonly Cell[])[] {
    return Array.from({ length: this.rows }, (_, row) =>
      Array.from({ length: this.columns }, (__, column) => this.#cells[row]?.[column] ?? BLANK),
    );
  }

  resize(columns: number, rows: number): void {
    this.columns = columns;
    this.rows = rows;
  }

  write(text: string): void {
    const all = this.#rest + text;
    // A sequence that was cut waits for its end.
    // eslint-disable-next-line no-control-regex -- as above
    this.#rest = /\x1b(?:\[[?0-9;]*)?$/.exec(all)?.[0] ?? '';
    for (const [piece, parameters, final] of all.slice(0, all.length - this.#rest.length).matchAll(PIECE)) {
      if (final !== undefined) this.#control(parameters ?? '', final);
      else if (piece === '\r') this.cursor.column = 0;
      else if (piece === '\n') this.#nextRow();
      else this.#print(piece);
    }
  }

  #print(character: string): void {
    const width = widthOf(character);
    // Combined with the character before.
    if (width === 0) return;
    if (this.cursor.column + width > this.columns) {
      if (!this.isWrapping) return;
      this.cursor.column = 0;
      this.#nextRow();
    }
    const line = (this.#cells[this.cursor.row] ??= []);
    while (line.length < this.cursor.column) line.push(BLANK);
    line[this.cursor.column] = { text: character, style: this.#style };
    if (width === 2) line[this.cursor.column + 1] = { text: '', style: this.#style };
    this.cursor.column += width;
  }

  #nextRow(): void {
    if (this.cursor.row < this.rows - 1) this.cursor.row++;
    else this.#cells.shift();
  }

  #control(parameters: string, final: string): void {
    const [first = '0', second = '0'] = parameters.split(';');
    switch (`${parameters.startsWith('?') ? '?' : ''}${final}`) {
      case 'm':
        this.#style =
          parameters === '0' || parameters === ''
            ? new Set()
            : new Set([...this.#style, ...parameters.split(';')]);
        break;
      case 'H':
        this.cursor = { row: Math.max(1, Number(first)) - 1, column: Math.max(1, Number(second)) - 1 };
        break;
      case 'A':
        this.cursor.row = Math.max(0, this.cursor.row - Math.max(1, Number(first)));
        break;
      case 'K':
        this.#cells[this.cursor.row]?.splice(this.cursor.column);
        break;
      case 'J':
        if (first === '2') this.#cells = [];
        else this.#eraseBelow();
        break;
      case '?h':
      case '?l':
        this.#mode(parameters, final === 'h');
        break;
      default:
        throw new Error(`unknown control sequence ESC [ ${parameters} ${final}`);
    }
  }

  #eraseBelow(): void {
    this.#cells[this.cursor.row]?.splice(this.cursor.column);
    this.#cells.splice(this.cursor.row + 1);
  }

  #mode(parameters: string, isOn: boolean): void {
    switch (parameters) {
      case '?1049':
        if (isOn && !this.isAlternate) this.#main = this.#cells;
        this.#cells = isOn ? [] : this.#main;
        this.isAlternate = isOn;
        break;
      case '?7':
        this.isWrapping = isOn;
        break;
      case '?25':
        this.isCursorShown = isOn;
        break;
      default:
        throw new Error(`unknown mode ${parameters}`);
    }
  }
}
