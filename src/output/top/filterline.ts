/** The line in which a filter is written: editing, completion, and what is wrong with it. Pure. */
import { compileFilter, findFilterFault } from '../../filter/compile.ts';
import type { FieldName } from '../../filter/fields.ts';
import { suggest, type Suggestions } from '../../filter/suggest.ts';
import { CONVERSATION_SOURCE, PAIR_SOURCE, VM_SOURCE } from '../../traffic/filtersources.ts';
import type { Key } from './keys.ts';
import type { TopView } from './place.ts';

export interface FilterLine {
  readonly text: string;
  /** In code points from the beginning. */
  readonly cursor: number;
  /** Why it was not taken; gone with the next key. */
  readonly fault: string | undefined;
  /** What TAB may complete to, where that is not clear. */
  readonly choices: readonly string[];
}

/** Names that rows have just now, for completion. */
export type KnownNames = Readonly<Partial<Record<FieldName, readonly string[]>>>;

/** What a key made of the line: it goes on, or is left with the old filter, or with a new one that is right. */
export type Edited =
  | { readonly outcome: 'editing'; readonly line: FilterLine }
  | { readonly outcome: 'left' }
  | { readonly outcome: 'taken'; readonly text: string };

/** Fails with FILTER_INVALID where the text is no filter for the view. */
export function checkFilter(text: string, view: TopView): void {
  switch (view) {
    case 'vms':
      compileFilter(text, VM_SOURCE);
      break;
    case 'pairs':
      compileFilter(text, PAIR_SOURCE);
      break;
    case 'conversations':
      compileFilter(text, CONVERSATION_SOURCE);
  }
}

/** The line with a filter in it, the cursor behind it. */
export function openFilter(text: string): FilterLine {
  return { text, cursor: Array.from(text).length, fault: undefined, choices: [] };
}

/** The line after a key. */
export function editFilter(line: FilterLine, key: Key, view: TopView, names: KnownNames): Edited {
  const { text, cursor } = line;
  const characters = Array.from(text);
  const replace = (from: number, to: number, by: string): Edited =>
    editing(characters.toSpliced(from, to - from, by).join(''), from + Array.from(by).length);
  const moveTo = (to: number): Edited => editing(text, Math.min(characters.length, Math.max(0, to)));
  switch (key.key) {
    case 'character':
      return replace(cursor, cursor, key.text);
    case 'backspace':
      // At the beginning it leads out, as Escape does.
      return text === '' ? { outcome: 'left' } : replace(Math.max(0, cursor - 1), cursor, '');
    case 'delete':
      return replace(cursor, cursor + 1, '');
    case 'clear-line':
      return editing('', 0);
    case 'left':
      return moveTo(cursor - 1);
    case 'right':
      return moveTo(cursor + 1);
    case 'home':
      return moveTo(0);
    case 'end':
      return moveTo(Infinity);
    case 'tab':
      return complete(characters, cursor, view, names);
    case 'enter':
      return take(text, view);
    case 'escape':
      return { outcome: 'left' };
    case 'interrupt':
    case 'up':
    case 'down':
    case 'page-up':
    case 'page-down':
    case 'back-tab':
    case 'redraw':
      return { outcome: 'editing', line };
  }
}

/** Wrong ones stay in the line, with the cursor where they are wrong. */
function take(text: string, view: TopView): Edited {
  const fault = findFilterFault(() => {
    checkFilter(text, view);
  });
  if (fault === undefined) return { outcome: 'taken', text: text.trim() };
  return { outcome: 'editing', line: { text, cursor: fault.column - 1, fault: fault.why, choices: [] } };
}

/** What is always followed by something else. */
const ENDS_A_WORD = /^(?:and|or|not|in|not in)$/;

/** To what all suggestions begin with; where that is nothing more, they are shown. */
function complete(characters: readonly string[], cursor: number, view: TopView, names: KnownNames): Edited {
  const before = characters.slice(0, cursor).join('');
  const after = characters.slice(cursor).join('');
  const { from, texts } = suggestFor(view, before + after, before.length, names);
  const [only, ...others] = texts;
  if (only === undefined) return editing(before + after, cursor);
  const begun = before.slice(from);
  const common = others.reduce(commonBeginning, only);
  const isDone = others.length === 0;
  const added = isDone && ENDS_A_WORD.test(only) ? `${only} ` : common;
  const text = added.length > begun.length ? before.slice(0, from) + added : before;
  const line = editing(text + after, Array.from(text).length).line;
  return { outcome: 'editing', line: { ...line, choices: isDone || text !== before ? [] : texts } };
}

function editing(text: string, cursor: number): Extract<Edited, { outcome: 'editing' }> {
  return { outcome: 'editing', line: { text, cursor, fault: undefined, choices: [] } };
}

function commonBeginning(a: string, b: string): string {
  let length = 0;
  while (length < a.length && a[length]?.toLowerCase() === b[length]?.toLowerCase()) length++;
  return a.slice(0, length);
}

function suggestFor(view: TopView, text: string, cursor: number, names: KnownNames): Suggestions {
  const valuesOf = (field: FieldName): readonly string[] => names[field] ?? [];
  switch (view) {
    case 'vms':
      return suggest(text, cursor, VM_SOURCE, valuesOf);
    case 'pairs':
      return suggest(text, cursor, PAIR_SOURCE, valuesOf);
    case 'conversations':
      return suggest(text, cursor, CONVERSATION_SOURCE, valuesOf);
  }
}
