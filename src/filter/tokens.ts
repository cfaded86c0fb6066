/** A filter's text as tokens, each with its place. Pure. */
import { invalidFilter } from './invalid.ts';

export interface Token {
  /** `quoted` is a value that is taken as it is; `end` is behind the last character. */
  readonly kind: 'word' | 'quoted' | 'symbol' | 'end';
  /** Of `quoted`: without quotes and escapes. */
  readonly text: string;
  /** Where it begins and where it has ended, in UTF-16 code units. */
  readonly start: number;
  readonly end: number;
}

/** No filter that a person writes comes near it, and the parser's work and stack stay small. */
const MAX_LENGTH = 4096;

// Sticky: each matches at lastIndex or not at all. No alternative can match in two ways, so none goes back.
const SPACE = /\s*/y;
const SYMBOL = /!=|<=|>=|[=<>(),]/y;
const QUOTED = /"(?:[^"\\]|\\[^])*"|'(?:[^'\\]|\\[^])*'/y;
const WORD = /[^\s()=<>!,"']+/y;

/**
 * The tokens of the text, `end` last.
 * Fails with FILTER_INVALID at an open quote, a lone `!`, or a text above 4,096 characters.
 */
export function toTokens(text: string): readonly Token[] {
  if (text.length > MAX_LENGTH) {
    throw invalidFilter(text, MAX_LENGTH, `a filter has at most ${String(MAX_LENGTH)} characters`);
  }
  const tokens: Token[] = [];
  for (let at = skipSpace(text, 0); at < text.length; at = skipSpace(text, at)) {
    const token = toToken(text, at);
    tokens.push(token);
    at = token.end;
  }
  return [...tokens, { kind: 'end', text: '', start: text.length, end: text.length }];
}

function skipSpace(text: string, at: number): number {
  return at + (matchAt(SPACE, text, at)?.length ?? 0);
}

function toToken(text: string, start: number): Token {
  const make = (kind: Token['kind'], raw: string, value = raw): Token => ({
    kind,
    text: value,
    start,
    end: start + raw.length,
  });
  const symbol = matchAt(SYMBOL, text, start);
  if (symbol !== undefined) return make('symbol', symbol);
  const word = matchAt(WORD, text, start);
  if (word !== undefined) return make('word', word);
  const quoted = matchAt(QUOTED, text, start);
  if (quoted !== undefined) return make('quoted', quoted, quoted.slice(1, -1).replace(/\\([^])/g, '$1'));
  throw text[start] === '!'
    ? invalidFilter(text, start, 'a lone "!" means nothing here: write "not", or "!="')
    : invalidFilter(text, start, `the quote that begins here has no end: add ${text[start] ?? ''}`);
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}
