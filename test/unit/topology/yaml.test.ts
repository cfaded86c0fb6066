import { expect } from 'chai';
import fc from 'fast-check';
import { parseYaml, type YamlDocument, type YamlFault } from '../../../src/topology/yaml.ts';

function documentOf(text: string): YamlDocument {
  const result = parseYaml(text);
  if (!result.ok) throw new Error(`${result.fault.why} at ${JSON.stringify(result.fault.place)}`);
  return result.document;
}

function faultOf(text: string): YamlFault {
  const result = parseYaml(text);
  if (result.ok) throw new Error('read without a fault');
  return result.fault;
}

const at = (line: number, column: number): { line: number; column: number } => ({ line, column });

describe('topology/yaml', () => {
  it('builds the value with the types of the core schema', () => {
    const { value } = documentOf('a: 52:54:00:10:00:01\nb: [1, 1.5, true, ~, 2026-01-01, 100-110]\nc:\n');
    expect(value).to.deep.equal({
      a: '52:54:00:10:00:01',
      b: [1, 1.5, true, null, '2026-01-01', '100-110'],
      c: null,
    });
  });

  it('knows the places of keys and values in block and flow style', () => {
    const document = documentOf('a:\n  b: "x"\n  c: { d: 1, e: [2, { f: 3 }] }\ng:\n- h: 4\n-  i: 5\nj:\n');
    expect(document.placeOf(['a'], 'key')).to.deep.equal(at(1, 1));
    expect(document.placeOf(['a', 'b'], 'key')).to.deep.equal(at(2, 3));
    expect(document.placeOf(['a', 'b'], 'value')).to.deep.equal(at(2, 6));
    expect(document.placeOf(['a', 'c', 'd'], 'key')).to.deep.equal(at(3, 8));
    expect(document.placeOf(['a', 'c', 'e', 1, 'f'], 'value')).to.deep.equal(at(3, 26));
    expect(document.placeOf(['g', 1], 'value')).to.deep.equal(at(6, 4));
    expect(document.placeOf(['g', 1, 'i'], 'value')).to.deep.equal(at(6, 7));
    // An empty value is nowhere: its key stands for it.
    expect(document.placeOf(['j'], 'value')).to.deep.equal(at(7, 1));
  });

  it('gives the nearest ancestor’s place for a path that is not there', () => {
    const document = documentOf('a:\n  b: { c: 1 }\n');
    expect(document.placeOf(['a', 'b', 'x', 'y'], 'value')).to.deep.equal(at(2, 6));
    expect(document.placeOf(['x'], 'key')).to.deep.equal(at(1, 1));
  });

  it('counts lines of all three kinds, and a byte order mark', () => {
    const document = documentOf('\uFEFFa: 1\r\nb: 2\rc: 3\nd: 4');
    expect(document.placeOf(['b'], 'key')).to.deep.equal(at(2, 1));
    expect(document.placeOf(['c'], 'key')).to.deep.equal(at(3, 1));
    expect(document.placeOf(['d'], 'value')).to.deep.equal(at(4, 4));
  });

  it('reports every duplicate key, with the place of the first', () => {
    const { duplicates, value } = documentOf('a: 1\nb: { c: 1, c: 2, c: 3 }\n"a": 4\n');
    expect(duplicates.map(({ path, place, first }) => [path.join('.'), place, first])).to.deep.equal([
      ['b.c', at(2, 12), at(2, 6)],
      ['b.c', at(2, 18), at(2, 12)],
      ['a', at(3, 1), at(1, 1)],
    ]);
    expect(value).to.deep.equal({ a: 4, b: { c: 3 } });
  });

  it('points an alias at itself', () => {
    const document = documentOf('a: &x { b: 1 }\nc: *x\n');
    expect(document.value).to.deep.equal({ a: { b: 1 }, c: { b: 1 } });
    expect(document.placeOf(['c', 'b'], 'value').line).to.equal(2);
  });

  it('keeps the order of the text where objects do not', () => {
    const document = documentOf('vms: { b: 1, "10": 2, a: 3, "2": 4 }');
    expect(document.keysOf(['vms'])).to.deep.equal(['b', '10', 'a', '2']);
    expect(document.keysOf(['none', 'such'])).to.deep.equal(['vms']);
  });

  it('refuses what is no YAML, with its place', () => {
    expect(faultOf('a: [1').why).to.include('flow collection');
    expect(faultOf('a: 1\n b: 2').place.line).to.equal(2);
    expect(faultOf('a: *none').why).to.include('alias');
    expect(faultOf('a: 1\na: 2\nb: *none').why).to.include('alias');
    expect(faultOf('a: 1\n---\nb: 1\n').why).to.include('more than one document');
    expect(faultOf('a: !!js/function 1').why).to.include('tag');
    expect(faultOf('a: "\\q"').place.line).to.equal(1);
  });

  it('refuses keys that would become other text', () => {
    for (const key of ['010', '1e1', 'true', '~', '[1]']) {
      expect(faultOf(`? ${key}\n: 1\n`).why, key).to.match(/not text|complex|duplicate/);
    }
    expect(documentOf('"010": 1').value).to.deep.equal({ '010': 1 });
  });

  it('makes own properties of names that objects inherit, and refuses the one that cannot be', () => {
    const { value } = documentOf('{ toString: 1, constructor: 2 }');
    expect(Object.keys(value as object)).to.deep.equal(['toString', 'constructor']);
    expect(faultOf('a: { __proto__: 1 }').why).to.include('__proto__');
  });

  it('reads any text without throwing', () => {
    const pieces = fc.constantFrom(
      'a',
      ':',
      ' ',
      '\n',
      '-',
      '{',
      '}',
      '[',
      ']',
      ',',
      '"',
      "'",
      '&x',
      '*x',
      '|',
      '?',
      '#',
      '!',
      '\t',
      '%',
      '---',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map((parts) => parts.join('')),
        ),
        (text) => {
          const result = parseYaml(text);
          const place = result.ok ? result.document.placeOf(['a', 0], 'key') : result.fault.place;
          expect(place.line).to.be.at.least(1);
          expect(place.column).to.be.at.least(1);
        },
      ),
      { numRuns: 500 },
    );
  });
});
