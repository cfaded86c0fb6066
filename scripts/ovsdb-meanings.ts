/**
 * What the tables and columns of a database mean, a sentence each: from the manual page that Open vSwitch and OVN make of
 * their own documentation (`.SH "Port TABLE"`, `.IP "\fBtag\fR: optional integer"`), or from a module generated before.
 */

/** First sentences by `Table` and `Table.column`; a page in another style gives none. */
export function meaningsInManPage(troff: string): ReadonlyMap<string, string> {
  const meanings = new Map<string, string>();
  let table: string | undefined;
  let wanted: string | undefined;
  for (const line of troff.split('\n')) {
    const heading = /^\.SH "(\w+) TABLE"/.exec(line);
    // Keys of a column have a heading of their own, with " : " in it; the column's own comes before theirs.
    const column = /^\.IP "\\fB(\w+)\\fR: /.exec(line);
    if (heading) wanted = table = heading[1];
    else if (line.startsWith('.SH')) wanted = table = undefined;
    else if (column) wanted = table === undefined ? undefined : `${table}.${column[1] ?? ''}`;
    else if (line.startsWith('.PP')) continue;
    else if (line.startsWith('.')) wanted = undefined;
    else if (wanted !== undefined && line.trim() !== '') {
      const sentence = firstSentence(toPlainText(line));
      if (sentence !== undefined && !meanings.has(wanted)) meanings.set(wanted, sentence);
      wanted = undefined;
    }
  }
  return meanings;
}

/** The meanings that a generated module has in its docstrings. */
export function meaningsInModule(source: string): ReadonlyMap<string, string> {
  const meanings = new Map<string, string>();
  let table: string | undefined;
  let sentences: string[] = [];
  for (const line of source.split('\n')) {
    const text = /^ *(?:\/\*\*| \*) (.*?)(?: \*\/)?$/.exec(line)?.[1];
    const row = /^export interface \w+Row /.test(line);
    const column = /^ {2}readonly (\w+):/.exec(line)?.[1];
    if (text !== undefined && text !== '/') sentences.push(text);
    else if (row || column !== undefined) {
      const of = /^A row of the table (\w+)\.$/.exec(sentences[0] ?? '')?.[1];
      if (row) table = of;
      const [meaning] = row ? sentences.slice(1) : sentences;
      if (table !== undefined && meaning !== undefined && !isOwnNote(meaning))
        meanings.set(row ? table : `${table}.${column ?? ''}`, meaning);
      sentences = [];
    } else if (!/^ *(?:\/\*\*| \*\/)$/.test(line)) sentences = [];
  }
  return meanings;
}

const OWN_NOTES =
  /^(?:(?:Length: )?(?:From -?[\d.]+ (?:to -?[\d.]+|up)|Up to -?[\d.]+)|At most (?:one row|\d+(?: rows)?)|At least one|No two rows have the same .*|Removed when nothing refers to it|Does not keep the rows that it names|Given at insert only|Not kept over a restart of the server)\.$/;

/** Whether the generator itself wrote a sentence. */
function isOwnNote(sentence: string): boolean {
  return OWN_NOTES.test(sentence);
}

const SPECIAL: ReadonlyMap<string, string> = new Map([
  ['\\[char46]', '.'],
  ['\\(cq', "'"],
  ['\\(oq', "'"],
  ['\\(aq', "'"],
  ['\\(dq', '"'],
  ['\\(lq', '"'],
  ['\\(rq', '"'],
  ['\\(em', '–'],
  ['\\(ti', '~'],
  ['\\(ha', '^'],
  ['\\(ga', '`'],
  ['\\(mu', '×'],
  ['\\(ge', '≥'],
  ['\\(le', '≤'],
  ['\\(bu', '•'],
  ['\\-', '-'],
  ['\\e', '\\'],
]);

const UNKNOWN = '\ufffd';

/** Text without troff's escapes; `undefined` where it has one that is not known here. */
function toPlainText(line: string): string | undefined {
  const text = line.replace(/\\(?:f.|\[\w+]|\(..|.)/g, (escape) =>
    escape.startsWith('\\f') ? '' : (SPECIAL.get(escape) ?? UNKNOWN),
  );
  return text.includes(UNKNOWN) ? undefined : text.replace(/``|''/g, '"').replace(/\s+/g, ' ').trim();
}

const ABBREVIATIONS = /(?:\b(?:e\.g|i\.e|etc|vs|cf)|\([^)]*)$/;

function firstSentence(text: string | undefined): string | undefined {
  // "See External IDs at the beginning of this document." says nothing elsewhere.
  if (text === undefined || text.includes('this document')) return undefined;
  for (const { index } of text.matchAll(/\.(?=\s|$)/g))
    if (!ABBREVIATIONS.test(text.slice(0, index))) return text.slice(0, index + 1);
  // It leads over to a list, which does not come along.
  return /^[^:]+:$/.test(text) ? `${text.slice(0, -1)}.` : undefined;
}
