/** Sentences of a grammar in EBNF: so much of ISO/IEC 14977 as docs/filter.md uses. */

type Node =
  | { readonly is: 'literal'; readonly text: string }
  | { readonly is: 'rule'; readonly name: string }
  | { readonly is: 'sequence' | 'choice'; readonly parts: readonly Node[] }
  | { readonly is: 'option' | 'repetition'; readonly part: Node };

export type Grammar = ReadonlyMap<string, Node>;

const WORDS = ['vm', 'web*', '10.0.0.0/8', 'é', '1.5M', 'a:b'];
const QUOTED = ['"and"', "'a b'", '"\\"("', '""'];

/** Fails where the text is no grammar. */
export function readGrammar(text: string): Grammar {
  const tokens = text.match(/"[^"]*"|[\w]+|[=|,;()[\]{}]/g) ?? [];
  const grammar = new Map<string, Node>();
  let next = 0;
  const take = (wanted?: string): string => {
    const token = tokens[next++] ?? 'the end';
    if (wanted !== undefined && token !== wanted) throw new Error(`expected ${wanted}, found ${token}`);
    return token;
  };
  const takeIf = (wanted: string): boolean => {
    if (tokens[next] !== wanted) return false;
    next++;
    return true;
  };
  const list = (separator: string, is: 'sequence' | 'choice', part: () => Node): Node => {
    const parts = [part()];
    while (takeIf(separator)) parts.push(part());
    return { is, parts };
  };
  const choice = (): Node => list('|', 'choice', () => list(',', 'sequence', term));
  const closed = (end: string, make: (part: Node) => Node): Node => {
    const node = make(choice());
    take(end);
    return node;
  };
  function term(): Node {
    if (takeIf('(')) return closed(')', (part) => part);
    if (takeIf('[')) return closed(']', (part) => ({ is: 'option', part }));
    if (takeIf('{')) return closed('}', (part) => ({ is: 'repetition', part }));
    const token = take();
    return token.startsWith('"') ? { is: 'literal', text: token.slice(1, -1) } : { is: 'rule', name: token };
  }
  while (next < tokens.length) {
    const name = take();
    take('=');
    grammar.set(name, choice());
    take(';');
  }
  return grammar;
}

/** A sentence of a rule; the numbers choose. The deeper, the sooner it ends. */
export function toSentence(grammar: Grammar, rule: string, numbers: Iterator<number>): string {
  const pick = (count: number): number => Number(numbers.next().value ?? 0) % count;
  const write = (node: Node, depth: number): string => {
    switch (node.is) {
      case 'literal':
        return node.text;
      case 'rule':
        if (node.name === 'word') return WORDS[pick(WORDS.length)] ?? '';
        if (node.name === 'quoted') return QUOTED[pick(QUOTED.length)] ?? '';
        return write(ruleOf(grammar, node.name), depth + 1);
      case 'sequence':
        return node.parts.map((part) => write(part, depth)).join(' ');
      case 'choice': {
        // The last choice of a rule leads on fastest.
        const index = depth > 15 ? node.parts.length - 1 : pick(node.parts.length);
        const part = node.parts[index];
        return part === undefined ? '' : write(part, depth);
      }
      case 'option':
        return pick(2) === 0 ? '' : write(node.part, depth);
      case 'repetition':
        return Array.from({ length: depth > 15 ? 0 : pick(3) }, () => write(node.part, depth)).join(' ');
    }
  };
  return write(ruleOf(grammar, rule), 0);
}

function ruleOf(grammar: Grammar, name: string): Node {
  const node = grammar.get(name);
  if (!node) throw new Error(`no rule ${name}`);
  return node;
}
