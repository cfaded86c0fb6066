/** From a filter's text to a test of rows, with every field and value checked against the rows' fields. Pure. */
import { distance } from 'fastest-levenshtein';
import { VsbError } from '../errors.ts';
import type { Expression, Operator, Value } from './expression.ts';
import {
  fieldOf,
  isOrdered,
  toFieldName,
  type FieldName,
  type FieldValue,
  type FilterSource,
} from './fields.ts';
import { invalidFilter, quote } from './invalid.ts';
import { parseFilter } from './parse.ts';
import { describeValues, toTest, type Test } from './values.ts';

/** A filter that was read: what was written, which fields it looks at, and its test. */
export interface Filter<Row> {
  readonly text: string;
  readonly fields: ReadonlySet<FieldName>;
  readonly matches: (row: Row) => boolean;
}

/**
 * Reads a filter for rows of a kind. The grammar and what each field means: docs/filter.md. A condition on a field that a
 * row has no value of is false (and its `not` true); of several values any may match; `!=` is `not =`.
 *
 * Fails with FILTER_INVALID, which says the place and what was expected there: no syntax, a field that there is not or that
 * these rows have not, an order of what has none, a value of another type.
 */
export function compileFilter<Row>(text: string, source: FilterSource<Row>): Filter<Row> {
  const compiler = new Compiler(text, source);
  const matches = compiler.compile(parseFilter(text));
  return { text: text.trim(), fields: compiler.fields, matches };
}

/** What is wrong with a filter, and where: the column, counted in characters from 1. */
export interface FilterFault {
  readonly column: number;
  readonly why: string;
}

/** What a call of {@link compileFilter} fails with, for where the filter is still being written. */
export function findFilterFault(compile: () => void): FilterFault | undefined {
  try {
    compile();
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof VsbError) || thrown.code !== 'FILTER_INVALID') throw thrown;
    const { column, why } = thrown.details;
    return { column: Number(column), why: String(why) };
  }
}

type Read<Row> = (row: Row) => FieldValue;

class Compiler<Row> {
  readonly fields = new Set<FieldName>();
  readonly #text: string;
  readonly #source: FilterSource<Row>;

  constructor(text: string, source: FilterSource<Row>) {
    this.#text = text;
    this.#source = source;
  }

  compile(expression: Expression): (row: Row) => boolean {
    switch (expression.is) {
      case 'everything':
        return () => true;
      case 'and': {
        const parts = expression.parts.map((part) => this.compile(part));
        return (row) => parts.every((part) => part(row));
      }
      case 'or': {
        const parts = expression.parts.map((part) => this.compile(part));
        return (row) => parts.some((part) => part(row));
      }
      case 'not': {
        const part = this.compile(expression.part);
        return (row) => !part(row);
      }
      case 'compare':
        return this.#compare(expression);
      case 'in': {
        const { name, read } = this.#field(expression);
        const tests = expression.values.map((value) => this.#test(name, '=', value));
        return (row) => anyOf(read(row), (value) => tests.some((test) => test(value)));
      }
    }
  }

  #compare(condition: Extract<Expression, { is: 'compare' }>): (row: Row) => boolean {
    const { operator, value } = condition;
    const { name, read } = this.#field(condition);
    if (operator === '!=') {
      const test = this.#test(name, '=', value);
      return (row) => !anyOf(read(row), test);
    }
    if (operator !== '=' && !isOrdered(fieldOf(name).type)) {
      throw this.#invalid(condition.at, `"${name}" has no order: use =, != or in instead of "${operator}"`);
    }
    const test = this.#test(name, operator, value);
    return (row) => anyOf(read(row), test);
  }

  #field({ field, at }: { readonly field: string; readonly at: number }): {
    name: FieldName;
    read: Read<Row>;
  } {
    const name = toFieldName(field.toLowerCase());
    const read = name === undefined ? undefined : this.#source.fields[name];
    if (name !== undefined && read !== undefined) {
      this.fields.add(name);
      return { name, read };
    }
    const { rows } = this.#source;
    const known = Object.keys(this.#source.fields);
    const nearest = known.find(
      (one) => distance(one, field.toLowerCase()) <= Math.max(1, Math.floor(field.length / 3)),
    );
    const what = name === undefined ? `there is no field ${quote(field)}` : `${rows} have no "${field}"`;
    const hint = nearest === undefined ? '.' : `. Did you mean "${nearest}"?`;
    throw this.#invalid(at, `${what}${hint} Fields of ${rows}: ${known.join(', ')}`);
  }

  #test(name: FieldName, operator: Exclude<Operator, '!='>, value: Value): Test {
    const { type } = fieldOf(name);
    const test = toTest(type, operator, value);
    if (test) return test;
    throw this.#invalid(value.at, `"${name}" takes ${describeValues(type)}, not ${quote(value.text)}`);
  }

  #invalid(at: number, why: string): VsbError {
    return invalidFilter(this.#text, at, why);
  }
}

function anyOf(value: FieldValue, test: Test): boolean {
  if (value === undefined) return false;
  return typeof value === 'object' ? value.some(test) : test(value);
}
