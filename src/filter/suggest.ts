/** What may be written next in a filter: for completion in a terminal or a page. Pure. */
import { VsbError } from '../errors.ts';
import { renderValue } from './expression.ts';
import { fieldOf, isOrdered, toFieldName, type FieldName, type FilterSource } from './fields.ts';
import { tryParse, type Expected } from './parse.ts';
import { PROTOCOLS } from './values.ts';

export interface Suggestions {
  /** Where the word that is being written begins; a suggestion replaces the text from here to the cursor. */
  readonly from: number;
  /** What it may become, in the order of the fields or of their values; empty where nothing fits. */
  readonly texts: readonly string[];
}

/**
 * Suggestions for the word before the cursor.
 * @param valuesOf values that rows have in a field just now, for example the names of VMs
 */
export function suggest<Row>(
  text: string,
  cursor: number,
  source: FilterSource<Row>,
  valuesOf: (field: FieldName) => readonly string[] = () => [],
): Suggestions {
  const before = text.slice(0, cursor);
  const from = before.length - (/[^\s()=<>!,"']*$/.exec(before)?.[0].length ?? 0);
  const begun = before.slice(from).toLowerCase();
  const known = expectedAfter(before.slice(0, from)).flatMap((expected) =>
    toTexts(expected, source, valuesOf),
  );
  const texts = [...new Set(known)].filter((one) => one.toLowerCase().startsWith(begun));
  return { from, texts };
}

function expectedAfter(text: string): readonly Expected[] {
  try {
    const parsed = tryParse(text);
    if (parsed.outcome === 'unexpected') return parsed.token.kind === 'end' ? parsed.expected : [];
    return parsed.expression.is === 'everything' ? [{ what: 'field' }] : [{ what: 'and-or' }];
  } catch (thrown) {
    // An open quote, for example: nothing can be said about what is inside.
    if (thrown instanceof VsbError && thrown.code === 'FILTER_INVALID') return [];
    throw thrown;
  }
}

function toTexts<Row>(
  expected: Expected,
  source: FilterSource<Row>,
  valuesOf: (field: FieldName) => readonly string[],
): readonly string[] {
  switch (expected.what) {
    case 'field':
      return [...Object.keys(source.fields), 'not', '('];
    case 'operator': {
      const name = toFieldName(expected.field.toLowerCase());
      const order = name !== undefined && isOrdered(fieldOf(name).type) ? ['<', '<=', '>', '>='] : [];
      return ['=', '!=', ...order, 'in', 'not in'];
    }
    case 'in':
      return ['in'];
    case 'and-or':
      return ['and', 'or'];
    case 'open':
      return ['('];
    case 'close':
      return [')'];
    case 'comma':
      return [','];
    case 'value': {
      const name = toFieldName(expected.field.toLowerCase());
      return name === undefined ? [] : valuesFor(name, valuesOf);
    }
  }
}

function valuesFor(name: FieldName, valuesOf: (field: FieldName) => readonly string[]): readonly string[] {
  const { type, usual = [] } = fieldOf(name);
  if (type === 'protocol') return [...PROTOCOLS.keys()];
  // A name with a star in it would be taken for a pattern.
  const seen = valuesOf(name).map((text) => renderValue({ text, isQuoted: text.includes('*') }));
  return isOrdered(type) ? seen : [...seen, ...usual];
}
