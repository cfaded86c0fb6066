import { expect } from 'chai';
import fc from 'fast-check';
import {
  renderExpression,
  type Expression,
  type Operator,
  type Value,
} from '../../../src/filter/expression.ts';
import { parseFilter } from '../../../src/filter/parse.ts';

/** Places left out: they are those of another text. */
type Bare = Expression | { readonly is: string };

const { expression } = fc.letrec<{ expression: Expression; simple: Expression }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'expression' },
    tie('simple'),
    fc.record({ is: fc.constant('not' as const), part: tie('expression') }),
    fc.record({
      is: fc.constantFrom('and' as const, 'or' as const),
      parts: fc.array(tie('expression'), { minLength: 2, maxLength: 4, depthIdentifier: 'expression' }),
    }),
  ),
  simple: fc.oneof(
    fc.record({
      is: fc.constant('compare' as const),
      field: fieldName(),
      at: fc.constant(0),
      operator: fc.constantFrom<Operator>('=', '!=', '<', '<=', '>', '>='),
      value: value(),
    }),
    fc.record({
      is: fc.constant('in' as const),
      field: fieldName(),
      at: fc.constant(0),
      values: fc.array(value(), { minLength: 1, maxLength: 4 }),
    }),
  ),
}));

function fieldName(): fc.Arbitrary<string> {
  return fc.constantFrom('vm', 'rate', 'no-field', 'ï');
}

function value(): fc.Arbitrary<Value> {
  const bare = fc.constantFrom('web*', '10.0.0.0/8', '1.5M', 'a-b_c.d', '52:54:00', '&', '\\', 'été');
  return fc.oneof(
    fc.record({ text: bare, isQuoted: fc.constant(false), at: fc.constant(0) }),
    fc.record({
      text: fc.string({ unit: 'binary', maxLength: 8 }),
      isQuoted: fc.constant(true),
      at: fc.constant(0),
    }),
  );
}

function withoutPlaces(one: Expression): Bare {
  return JSON.parse(
    JSON.stringify(one, (key, member: unknown) => (key === 'at' ? undefined : member)),
  ) as Bare;
}

describe('parseFilter', () => {
  it('reads what renderExpression writes as the same expression', () => {
    fc.assert(
      fc.property(expression, (one) => {
        const text = renderExpression(one);
        fc.pre(text.length <= 4096);
        expect(withoutPlaces(parseFilter(text)), text).to.deep.equal(withoutPlaces(one));
      }),
      { numRuns: 1000 },
    );
  });

  it('lets and bind closer than or, and not closest', () => {
    expect(renderExpression(parseFilter('a=1 or not b=2 and c=3'))).to.equal('a=1 or (not b=2 and c=3)');
  });

  it('reads "not in" as not of in', () => {
    expect(renderExpression(parseFilter('vm not in (a,b)'))).to.equal('not vm in (a, b)');
  });
});
