/**
 * Reads a filter's text: the grammar of docs/filter.md, by recursive descent. What fields and values mean is compile.ts's.
 * Pure.
 */
import { isKeyword, type Expression, type Operator, type Value } from './expression.ts';
import { invalidFilter, quote } from './invalid.ts';
import { toTokens, type Token } from './tokens.ts';

/** What could stand at a place: for messages, and for suggestions. */
export type Expected =
  | { readonly what: 'field' | 'in' | 'and-or' | 'open' | 'close' | 'comma' }
  | { readonly what: 'operator' | 'value'; readonly field: string };

/** A text that is no filter: where it stopped being one. */
interface Unexpected {
  readonly outcome: 'unexpected';
  readonly token: Token;
  readonly expected: readonly Expected[];
}

interface Parsed {
  readonly outcome: 'parsed';
  readonly expression: Expression;
}

/** More parentheses or nots than this inside each other are no filter that a person wrote; it bounds the stack. */
const MAX_DEPTH = 100;

const OPERATORS: readonly Operator[] = ['=', '!=', '<', '<=', '>', '>='];

/**
 * The expression of a text; nothing but white space is `everything`.
 * Fails with FILTER_INVALID, which says the place and what was expected there.
 */
export function parseFilter(text: string): Expression {
  const parsed = tryParse(text);
  if (parsed.outcome === 'parsed') return parsed.expression;
  const { token, expected } = parsed;
  throw invalidFilter(text, token.start, `expected ${renderExpected(expected)}, found ${renderFound(token)}`);
}

/** The same with what was expected as data. Fails with FILTER_INVALID only where there are no tokens, or too many levels. */
export function tryParse(text: string): Parsed | Unexpected {
  const parser = new Parser(text);
  try {
    return { outcome: 'parsed', expression: parser.filter() };
  } catch (thrown) {
    if (thrown instanceof UnexpectedToken) return thrown.unexpected;
    throw thrown;
  }
}

/** Ends the descent; only tryParse sees it. */
class UnexpectedToken extends Error {
  readonly unexpected: Unexpected;

  constructor(token: Token, expected: readonly Expected[]) {
    super('unexpected token');
    this.unexpected = { outcome: 'unexpected', token, expected };
  }
}

class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = toTokens(text);
  }

  filter(): Expression {
    if (this.#peek().kind === 'end') return { is: 'everything' };
    const expression = this.#or();
    if (this.#peek().kind !== 'end') throw this.#unexpected({ what: 'and-or' });
    return expression;
  }

  #or(): Expression {
    return this.#joined('or', () => this.#joined('and', () => this.#not()));
  }

  #joined(is: 'and' | 'or', part: () => Expression): Expression {
    const first = part();
    const parts = [first];
    while (this.#takeKeyword(is)) parts.push(part());
    return parts.length === 1 ? first : { is, parts };
  }

  #not(): Expression {
    if (this.#takeKeyword('not')) return { is: 'not', part: this.#deeper(() => this.#not()) };
    return this.#primary();
  }

  #primary(): Expression {
    if (!this.#takeSymbol('(')) return this.#condition();
    const inner = this.#deeper(() => this.#or());
    if (!this.#takeSymbol(')')) throw this.#unexpected({ what: 'and-or' }, { what: 'close' });
    return inner;
  }

  #condition(): Expression {
    const { kind, text: field, start: at } = this.#peek();
    if (kind !== 'word' || isKeyword(field)) throw this.#unexpected({ what: 'field' });
    this.#next++;
    const operator = OPERATORS.find((one) => this.#takeSymbol(one));
    if (operator !== undefined) return { is: 'compare', field, at, operator, value: this.#value(field) };
    if (this.#takeKeyword('in')) return { is: 'in', field, at, values: this.#list(field) };
    if (this.#takeKeyword('not')) {
      if (!this.#takeKeyword('in')) throw this.#unexpected({ what: 'in' });
      return { is: 'not', part: { is: 'in', field, at, values: this.#list(field) } };
    }
    throw this.#unexpected({ what: 'operator', field });
  }

  #list(field: string): Value[] {
    if (!this.#takeSymbol('(')) throw this.#unexpected({ what: 'open' });
    const values = [this.#value(field)];
    while (this.#takeSymbol(',')) values.push(this.#value(field));
    if (!this.#takeSymbol(')')) throw this.#unexpected({ what: 'comma' }, { what: 'close' });
    return values;
  }

  #value(field: string): Value {
    const { kind, text, start: at } = this.#peek();
    const isValue = kind === 'quoted' || (kind === 'word' && !isKeyword(text));
    if (!isValue) throw this.#unexpected({ what: 'value', field });
    this.#next++;
    return { text, isQuoted: kind === 'quoted', at };
  }

  #deeper(inner: () => Expression): Expression {
    if (++this.#depth > MAX_DEPTH) {
      const why = `at most ${String(MAX_DEPTH)} parentheses and nots may stand inside each other`;
      throw invalidFilter(this.#text, this.#peek().start, why);
    }
    const expression = inner();
    this.#depth--;
    return expression;
  }

  #takeKeyword(keyword: string): boolean {
    const { kind, text } = this.#peek();
    return this.#takeIf(kind === 'word' && text.toLowerCase() === keyword);
  }

  #takeSymbol(symbol: string): boolean {
    const { kind, text } = this.#peek();
    return this.#takeIf(kind === 'symbol' && text === symbol);
  }

  #takeIf(isIt: boolean): boolean {
    if (isIt) this.#next++;
    return isIt;
  }

  #peek(): Token {
    // `end` is last and is never taken.
    return (
      this.#tokens[this.#next] ?? { kind: 'end', text: '', start: this.#text.length, end: this.#text.length }
    );
  }

  #unexpected(...expected: readonly Expected[]): UnexpectedToken {
    return new UnexpectedToken(this.#peek(), expected);
  }
}

/** `"and", "or" or ")"` */
function renderExpected(expected: readonly Expected[]): string {
  const all = expected.flatMap(toPhrases);
  const last = all.at(-1) ?? '';
  return all.length < 2 ? last : `${all.slice(0, -1).join(', ')} or ${last}`;
}

function toPhrases(expected: Expected): readonly string[] {
  switch (expected.what) {
    case 'field':
      return ['a field', '"not"', '"("'];
    case 'operator':
      return ['an operator (= != < <= > >= in)'];
    case 'in':
      return ['"in"'];
    case 'value':
      return [`a value of ${quote(expected.field)}`];
    case 'and-or':
      return ['"and"', '"or"'];
    case 'open':
      return ['"("'];
    case 'close':
      return ['")"'];
    case 'comma':
      return ['","'];
  }
}

function renderFound({ kind, text }: Token): string {
  if (kind === 'end') return 'the end';
  const isMisplacedWord = kind === 'word' && isKeyword(text);
  return isMisplacedWord ? `the word "${text}" (a value of that name needs quotes)` : quote(text);
}
