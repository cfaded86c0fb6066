/** What a filter means, as a tree, and the tree as text again. Pure. */

export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=';

/** A value as it was written. */
export interface Value {
  readonly text: string;
  /** In quotes: `*` stands for itself. */
  readonly isQuoted: boolean;
  /** Where it stands in the text. */
  readonly at: number;
}

interface Condition {
  readonly field: string;
  /** Where the field stands in the text. */
  readonly at: number;
}

export type Expression =
  | { readonly is: 'everything' }
  | { readonly is: 'and' | 'or'; readonly parts: readonly Expression[] }
  | { readonly is: 'not'; readonly part: Expression }
  | (Condition & { readonly is: 'compare'; readonly operator: Operator; readonly value: Value })
  | (Condition & { readonly is: 'in'; readonly values: readonly Value[] });

/** The words of the language; as values they need quotes. */
const KEYWORDS: readonly string[] = ['and', 'or', 'not', 'in'];

/** True for `and`, `or`, `not` and `in`, in any case. */
export function isKeyword(word: string): boolean {
  return KEYWORDS.includes(word.toLowerCase());
}

/** The shortest text that is read as this expression again (places aside). */
export function renderExpression(expression: Expression): string {
  switch (expression.is) {
    case 'everything':
      return '';
    case 'and':
    case 'or':
      return expression.parts.map(renderPart).join(` ${expression.is} `);
    case 'not':
      return `not ${renderPart(expression.part)}`;
    case 'compare':
      return `${expression.field}${expression.operator}${renderValue(expression.value)}`;
    case 'in':
      return `${expression.field} in (${expression.values.map(renderValue).join(', ')})`;
  }
}

/** A value as it has to be written: quoted where it was, or where it is no bare word. */
export function renderValue({ text, isQuoted }: Pick<Value, 'text' | 'isQuoted'>): string {
  const isBare = !isQuoted && /^[^\s()=<>!,"']+$/.test(text) && !isKeyword(text);
  return isBare ? text : `"${text.replace(/["\\]/g, '\\$&')}"`;
}

function renderPart(part: Expression): string {
  const text = renderExpression(part);
  return part.is === 'and' || part.is === 'or' ? `(${text})` : text;
}
