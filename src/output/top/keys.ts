/** Keys out of what a terminal in raw mode sends (ECMA-48 control sequences, as xterm and all that follow it). Pure. */

/** A key by its name, or the character that it types. */
export type Key =
  | { readonly key: 'character'; readonly text: string }
  | {
      readonly key:
        | 'up'
        | 'down'
        | 'left'
        | 'right'
        | 'page-up'
        | 'page-down'
        | 'home'
        | 'end'
        | 'enter'
        | 'escape'
        | 'backspace'
        | 'delete'
        | 'tab'
        | 'back-tab'
        | 'interrupt'
        | 'clear-line'
        | 'redraw';
    };

type NamedKey = Exclude<Key['key'], 'character'>;

const SEQUENCES: Readonly<Record<string, NamedKey>> = {
  '\x1b[A': 'up',
  '\x1bOA': 'up',
  '\x1b[B': 'down',
  '\x1bOB': 'down',
  '\x1b[C': 'right',
  '\x1bOC': 'right',
  '\x1b[D': 'left',
  '\x1bOD': 'left',
  '\x1b[5~': 'page-up',
  '\x1b[6~': 'page-down',
  '\x1b[H': 'home',
  '\x1bOH': 'home',
  '\x1b[1~': 'home',
  '\x1b[F': 'end',
  '\x1bOF': 'end',
  '\x1b[4~': 'end',
  '\x1b[3~': 'delete',
  '\x1b[Z': 'back-tab',
  '\x1b': 'escape',
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\x7f': 'backspace',
  '\b': 'backspace',
  '\x03': 'interrupt',
  '\x15': 'clear-line',
  '\x0c': 'redraw',
};

/** A control sequence, an SS3 key, or one code point. Every text is covered without a rest. */
// eslint-disable-next-line no-control-regex -- ESC is what such a sequence begins with.
const PIECE = /\x1b\[[0-?]*[ -/]*[@-~]|\x1bO[A-Z]|[^]/gu;

/**
 * The keys of one read. A terminal sends a key's sequence in one piece, so a lone ESC is the Escape key. Sequences that
 * mean no key here, and other control characters, are left out.
 */
export function toKeys(input: string): readonly Key[] {
  return (input.match(PIECE) ?? []).flatMap((piece): Key[] => {
    const key = SEQUENCES[piece];
    if (key !== undefined) return [{ key }];
    return /^\p{Cc}/u.test(piece) ? [] : [{ key: 'character', text: piece }];
  });
}
