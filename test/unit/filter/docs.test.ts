import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { VsbError } from '../../../src/errors.ts';
import { compileFilter } from '../../../src/filter/compile.ts';
import { FIELD_NAMES, fieldOf, type FilterSource } from '../../../src/filter/fields.ts';
import * as library from '../../../src/index.ts';
import { parseFilter } from '../../../src/filter/parse.ts';
import { suggest } from '../../../src/filter/suggest.ts';
import {
  CONVERSATION_SOURCE,
  PAIR_SOURCE,
  PORT_SOURCE,
  VM_SOURCE,
} from '../../../src/traffic/filtersources.ts';
import { toSentence, readGrammar } from './grammar.ts';

const page = readFileSync('docs/filter.md', 'utf8');
const SOURCES: Readonly<Record<string, FilterSource<never>>> = {
  ports: PORT_SOURCE,
  vms: VM_SOURCE,
  pairs: PAIR_SOURCE,
  conversations: CONVERSATION_SOURCE,
};
const TYPES = {
  text: 'text',
  mac: 'MAC address',
  address: 'address',
  protocol: 'protocol',
  'port-number': 'port number',
  'bit-rate': 'bit rate',
  'byte-count': 'bytes',
  count: 'number',
  duration: 'duration',
} as const;

describe('docs/filter.md', () => {
  it('has every field, with its type and its views', () => {
    const rows =
      /## Fields\n([^]*?)\n\n[^|]/
        .exec(page)?.[1]
        ?.split('\n')
        .filter((line) => line.startsWith('| `')) ?? [];
    const described = rows.flatMap((row) => {
      const [names = '', type, ...views] = row
        .split('|')
        .slice(1)
        .map((cell) => cell.trim());
      const marks = Object.keys(SOURCES).filter((_, index) => views[index] === '✓');
      return Array.from(names.matchAll(/`(\w+)`/g), ([, name]) => ({ name, type, views: marks }));
    });
    const known = FIELD_NAMES.map((name) => ({
      name,
      type: TYPES[fieldOf(name).type],
      views: Object.entries(SOURCES).flatMap(([view, { fields }]) => (name in fields ? [view] : [])),
    }));
    const byName = (a: { name: string | undefined }, b: { name: string | undefined }): number =>
      (a.name ?? '') < (b.name ?? '') ? -1 : 1;
    expect(described.sort(byName)).to.deep.equal([...known].sort(byName));
  });

  it('has examples that are right for their views', () => {
    const rows = Array.from(page.matchAll(/^\| `(\w+)` \| `([^`]+)` \| .* \|$/gm));
    const examples = rows.filter(([, view]) => view !== undefined && view in SOURCES);
    expect(examples.length).to.be.greaterThan(8);
    for (const [, view = '', text = ''] of examples) {
      const source = SOURCES[view];
      if (!source) throw new Error(view);
      compileFilter(text, source);
    }
  });

  it('has a program whose names there are, and that does what it says', () => {
    const program = /```ts\n([^]*?)```/.exec(page)?.[1] ?? '';
    const names = /import \{ (.*) \} from 'vswitchboard'/.exec(program)?.[1]?.split(', ') ?? [];
    expect(names).to.have.length(5);
    expect(Object.keys(library)).to.include.members(names);
    compileFilter(/compileFilter\('(.*)', PAIR_SOURCE\)/.exec(program)?.[1] ?? '', PAIR_SOURCE);
    const [, text = '', cursor, from, only] =
      /suggest\('(.*)', (\d+), PAIR_SOURCE\); \/\/ \{ from: (\d+), texts: \['(.*)'\] \}/.exec(program) ?? [];
    expect(suggest(text, Number(cursor), PAIR_SOURCE)).to.deep.equal({ from: Number(from), texts: [only] });
  });

  it('has the error that it shows', () => {
    const shown = /error\[FILTER_INVALID\]: (.*)\n {4}(.*)\n/.exec(page);
    const text = shown?.[2]?.trim() ?? '';
    let message = '';
    try {
      parseFilter(text);
    } catch (thrown) {
      if (thrown instanceof VsbError) message = thrown.message;
    }
    expect(message.split('\n')[0]).to.equal(shown?.[1]);
  });

  it('has a grammar whose every sentence is a filter', () => {
    const grammar = readGrammar(/```ebnf\n([^]*?)```/.exec(page)?.[1] ?? '');
    expect(grammar.has('condition')).to.equal(true);
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat(1000)), (choices) => {
        const sentence = toSentence(grammar, 'filter', choices);
        if (sentence.length <= 4096) parseFilter(sentence);
      }),
      { numRuns: 500 },
    );
  });
});
