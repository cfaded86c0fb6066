import { expect } from 'chai';
import fc from 'fast-check';
import { VsbError } from '../../../src/errors.ts';
import { compileFilter } from '../../../src/filter/compile.ts';
import { ROWS, type Row } from './rows.ts';

const WEB: Row = {
  vm: ['web1', 'db1'],
  mac: '52:54:00:10:00:01',
  src: '10.0.1.5',
  proto: 6,
  dport: 5432,
  rate: 2e6,
  bytes: 9_007_199_254_740_993n,
  pps: 0,
  age: 250,
};

function matches(text: string, row: Row = WEB): boolean {
  return compileFilter(text, ROWS).matches(row);
}

function messageOf(text: string): string {
  try {
    compileFilter(text, ROWS);
  } catch (thrown) {
    if (thrown instanceof VsbError && thrown.code === 'FILTER_INVALID') return thrown.message;
    throw thrown;
  }
  throw new Error(`${text} was taken`);
}

describe('compileFilter', () => {
  const TRUE = [
    '',
    '  ',
    'vm=web1',
    'vm = web*',
    'vm=*1',
    'vm=w*b*',
    'vm=db1',
    'VM=web1 AND Proto=TCP',
    'vm="web1"',
    "vm='web1'",
    'vm=web* and proto=tcp and not dport in (53,123) and rate > 1M',
    'vm in (a, b, web*)',
    'vm not in (a, b)',
    'vm!=web2',
    'vm=x or vm=y or vm=web1',
    'vm=web1 or vm=x and vm=y',
    '(vm=x)or(vm=web1)',
    'not (vm=x or vm=y)',
    'not not vm=web1',
    'mac=52-54-00-10-00-01',
    'mac=52:54:*',
    'src=10.0.1.5',
    'src=10.0.0.0/16',
    'src!=fd00::/8',
    'proto=6',
    'dport>=1024',
    'dport<=5432',
    'rate=2M',
    'rate=2Mbit/s',
    'rate=2000kbps',
    'rate<2.5M',
    'pps=0',
    'pps<1k',
    'bytes>9007199254740992',
    'bytes>8000TB',
    'age<=250ms',
    'age<1s',
  ];
  for (const text of TRUE)
    it(`is true of the row: ${text}`, () => {
      expect(matches(text)).to.equal(true);
    });

  const FALSE = [
    'vm=Web1',
    'vm="web*"',
    'vm=eb1',
    'vm!=web1',
    'vm not in (web1)',
    'vm=web1 and vm=x',
    '(vm=web1 or vm=x) and vm=y',
    'src=10.0.1.0/30',
    'proto=udp',
    'dport<5432',
    'rate>2M',
    'bytes<=9007199254740992',
    'age>250ms',
  ];
  for (const text of FALSE)
    it(`is false of the row: ${text}`, () => {
      expect(matches(text)).to.equal(false);
    });

  it('holds a field that the row has not for nothing, and the opposite for true', () => {
    for (const text of ['vm=*', 'rate>=0', 'src=0.0.0.0/0', 'dport in (53)', 'mac=*', 'proto=tcp']) {
      expect(matches(text, {}), text).to.equal(false);
      expect(matches(`not ${text}`, {}), text).to.equal(true);
    }
    expect(matches('vm!=web1', {})).to.equal(true);
    expect(matches('vm=*', { vm: [] })).to.equal(false);
  });

  it('says which fields it looks at', () => {
    const { fields, text } = compileFilter(' rate>1 and (vm=a or not vm=b) ', ROWS);
    expect([...fields]).to.deep.equal(['rate', 'vm']);
    expect(text).to.equal('rate>1 and (vm=a or not vm=b)');
  });

  const WRONG: readonly (readonly [string, number, string])[] = [
    [
      'vm=web* and proto= and',
      20,
      'expected a value of "proto", found the word "and" (a value of that name needs quotes)',
    ],
    ['vm', 3, 'expected an operator (= != < <= > >= in), found the end'],
    ['vm=', 4, 'expected a value of "vm", found the end'],
    ['vm=a vm=b', 6, 'expected "and" or "or", found "vm"'],
    ['vm=a && vm=b', 6, 'expected "and" or "or", found "&&"'],
    ['vm==a', 4, 'expected a value of "vm", found "="'],
    ['(vm=a', 6, 'expected "and", "or" or ")", found the end'],
    ['vm=a)', 5, 'expected "and" or "or", found ")"'],
    ['not', 4, 'expected a field, "not" or "(", found the end'],
    ['()', 2, 'expected a field, "not" or "(", found ")"'],
    ['vm in a', 7, 'expected "(", found "a"'],
    ['vm in ()', 8, 'expected a value of "vm", found ")"'],
    ['vm in (a b)', 10, 'expected "," or ")", found "b"'],
    ['vm not a', 8, 'expected "in", found "a"'],
    ['vm="a', 4, 'the quote that begins here has no end: add "'],
    ['!vm=a', 1, 'a lone "!" means nothing here: write "not", or "!="'],
    ['vm>web', 1, '"vm" has no order: use =, != or in instead of ">"'],
    ['proto<tcp', 1, '"proto" has no order: use =, != or in instead of "<"'],
    ['vm=a or vmm=web', 9, 'there is no field "vmm". Did you mean "vm"?'],
    ['sport=53', 1, 'rows have no "sport". Did you mean "dport"? Fields of rows: vm, mac, src,'],
    ['network=x', 1, 'rows have no "network". Fields of rows: vm, mac, src,'],
    ['rate > 1X', 8, '"rate" takes a bit rate (980, 64k, 1.5M, 10G; 1k = 1000), not "1X"'],
    ['rate > fast', 8, '"rate" takes a bit rate'],
    ['dport=65536', 7, '"dport" takes a port number, 0 to 65535, not "65536"'],
    ['dport in (53, dns)', 15, '"dport" takes a port number'],
    ['proto=http', 7, '"proto" takes a protocol (icmp, '],
    ['proto=constructor', 7, '"proto" takes a protocol (icmp, '],
    ['src=10.0.0.*', 5, '"src" takes an IP address or a network (10.0.0.0/24), not "10.0.0.*"'],
    ['mac=web', 5, '"mac" takes a MAC address'],
    ['age>5', 5, '"age" takes a duration (250ms, 2s, 5m), not "5"'],
    ['pps>1kB', 5, '"pps" takes a number'],
  ];
  for (const [text, column, why] of WRONG)
    it(`shows the place: ${text}`, () => {
      const message = messageOf(text);
      expect(message).to.contain(`Filter, column ${String(column)}: ${why}`);
      const [, excerpt, caret] = message.split('\n');
      expect(excerpt).to.equal(`    ${text}`);
      expect(caret).to.equal(`${' '.repeat(3 + column)}^`);
    });

  it('shows only the surroundings of the place in a long filter, and no control characters', () => {
    const long = Array.from({ length: 100 }, () => 'vm=a').join(' or ');
    const lines = messageOf(`${long} \x1b[2J`).split('\n');
    expect(lines[1]?.length).to.be.at.most(110);
    expect(lines[1]?.[lines[2]?.indexOf('^') ?? 0]).to.equal('?');
    expect(lines.join('')).to.not.contain('\x1b');
  });

  it('bounds what it takes', () => {
    expect(messageOf('a'.repeat(5000))).to.contain('at most 4096 characters');
    expect(messageOf('('.repeat(4000))).to.contain('at most 100 parentheses');
    expect(messageOf('not '.repeat(1000))).to.contain('at most 100 parentheses');
    expect(matches(`${'('.repeat(100)}vm=web1${')'.repeat(100)}`)).to.equal(true);
  });

  it('fails with nothing but FILTER_INVALID, whatever the text', () => {
    const piece = fc.constantFrom(
      ...['vm', 'rate', 'dport', 'src', '=', '!=', '<', '>=', '(', ')', ',', 'and', 'or', 'not', 'in'],
      ...[' ', '"', "'", '\\', '!', '*', '10.0.0.0/8', '1M', '\0', '😀', 'a'],
    );
    const anything = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join('')),
      fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(' ')),
    );
    fc.assert(
      fc.property(anything, (text) => {
        try {
          compileFilter(text, ROWS).matches(WEB);
        } catch (thrown) {
          expect(thrown).to.be.instanceOf(VsbError).with.property('code', 'FILTER_INVALID');
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('looks at each condition once at most', () => {
    let reads = 0;
    const counting = { rows: 'rows', fields: { vm: () => String(++reads) } };
    const { matches: test } = compileFilter(
      Array.from({ length: 150 }, () => '(not vm=x or vm=y)').join(' and '),
      counting,
    );
    test({});
    expect(reads).to.be.at.most(300);
  });
});
