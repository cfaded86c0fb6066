/**
 * YAML text → value, and the way back from a path in the value to its place in the text. The only file that knows
 * js-yaml. What the value must look like is schema.ts's business.
 *
 * The text becomes events once. The value is built from them; the tree of places only where somebody asks for one,
 * because a file without issues needs none (docs/decisions/yaml-parser.md has the figures).
 */
import {
  CORE_SCHEMA,
  EVENT_ID,
  SCALAR_STYLE,
  YAMLException,
  constructFromEvents,
  defineMappingTag,
  getScalarValue,
  mapTag,
  parseEvents,
  type Event,
  type ScalarEvent,
} from 'js-yaml';

/** Steps from the root to a value: keys of mappings, indexes (from 0) of sequences. */
export type Path = readonly (string | number)[];

/** What can be pointed at: the value at a path, or the key that leads to it. */
export type PointAt = 'key' | 'value';

/** A place in the text, both from 1; columns count UTF-16 code units, as editors do. */
interface Place {
  readonly line: number;
  readonly column: number;
}

/** A key that its mapping has already. */
export interface DuplicateKey {
  readonly path: Path;
  readonly place: Place;
  readonly first: Place;
}

/** A text that is YAML. Of duplicate keys the last one is in `value`. */
export interface YamlDocument {
  readonly value: unknown;
  readonly duplicates: readonly DuplicateKey[];
  /** The place of a path; of its nearest ancestor where the text has no such path. */
  placeOf(path: Path, at: PointAt): Place;
  /** Keys of the mapping at a path, in the order of the text (objects put whole numbers first). */
  keysOf(path: Path): readonly string[];
}

/** A text that is no YAML, and where reading ended. */
export interface YamlFault {
  readonly why: string;
  readonly place: Place;
}

/** Reads one YAML 1.2 document (core schema: no merge keys, no dates, no sexagesimal numbers). */
export function parseYaml(
  text: string,
): { ok: true; document: YamlDocument } | { ok: false; fault: YamlFault } {
  try {
    const events = parseEvents(text, {});
    const { value, hasDuplicates } = construct(text, events);
    let tree: Tree | undefined;
    const getTree = (): Tree => (tree ??= plant(text, events));
    const duplicates = hasDuplicates ? getTree().duplicates : [];
    return {
      ok: true,
      document: {
        value,
        duplicates,
        placeOf: (path, at) => getTree().place(descend(getTree().root, path), at),
        keysOf: (path) => [...(descend(getTree().root, path).children?.keys() ?? [])],
      },
    };
  } catch (thrown) {
    if (!(thrown instanceof YAMLException)) throw thrown;
    const line = (thrown.mark?.line ?? 0) + 1;
    return {
      ok: false,
      fault: { why: thrown.reason, place: { line, column: (thrown.mark?.column ?? 0) + 1 } },
    };
  }
}

const SCHEMA = CORE_SCHEMA.withTags(
  defineMappingTag('tag:yaml.org,2002:map', {
    ...mapTag,
    addPair: (carrier, key, value) => {
      // An unquoted 010 or 1e1 would become the name "10" on its way into an object.
      if (typeof key !== 'string') return 'a key that is not text: put it in quotes';
      // zod passes over this one without a word.
      if (key === '__proto__') return 'the key __proto__, which no name may be';
      return mapTag.addPair(carrier, key, value);
    },
  }),
);

function construct(source: string, events: Event[]): { value: unknown; hasDuplicates: boolean } {
  try {
    return { value: only(constructFromEvents(events, { source, schema: SCHEMA })), hasDuplicates: false };
  } catch (thrown) {
    if (!(thrown instanceof YAMLException)) throw thrown;
    // With `json` duplicates override: whatever else is wrong with the text is thrown again here.
    const value = only(constructFromEvents(events, { source, schema: SCHEMA, json: true }));
    return { value, hasDuplicates: true };
  }
}

function only(documents: readonly unknown[]): unknown {
  if (documents.length > 1) throw new YAMLException('more than one document (---) in the file');
  return documents[0];
}

interface Node {
  /** Offsets in the text; −1 where there is nothing to point at (an empty value). */
  readonly key: number;
  readonly value: number;
  children?: Map<string, Node>;
}

interface Tree {
  readonly root: Node;
  readonly duplicates: readonly DuplicateKey[];
  place(node: Node, at: PointAt): Place;
}

interface Frame {
  readonly node: Node;
  readonly children: Map<string, Node>;
  readonly isMapping: boolean;
  key: { readonly name: string; readonly start: number } | undefined;
}

/** Builds the tree of places from the events. */
function plant(text: string, events: readonly Event[]): Tree {
  const place = placesIn(text);
  const root: Node = { key: -1, value: 0, children: new Map() };
  const frames: Frame[] = [];
  const path: string[] = [];
  const duplicates: DuplicateKey[] = [];
  const attach = (start: number): Node => {
    const parent = frames.at(-1);
    if (!parent) return root;
    const name = parent.isMapping ? (parent.key?.name ?? '') : String(parent.children.size);
    const node: Node = { key: parent.isMapping ? (parent.key?.start ?? -1) : start, value: start };
    const before = parent.children.get(name);
    if (before) {
      duplicates.push({ path: [...path, name], place: place(node.key), first: place(before.key) });
    }
    parent.children.set(name, node);
    path.push(name);
    parent.key = undefined;
    return node;
  };
  for (const event of events) {
    switch (event.type) {
      case EVENT_ID.DOCUMENT:
        break;
      case EVENT_ID.MAPPING:
      case EVENT_ID.SEQUENCE: {
        const node = attach(event.start);
        const children = (node.children ??= new Map<string, Node>());
        frames.push({ node, children, isMapping: event.type === EVENT_ID.MAPPING, key: undefined });
        break;
      }
      case EVENT_ID.SCALAR:
      case EVENT_ID.ALIAS: {
        const start = event.type === EVENT_ID.SCALAR ? startOfScalar(event) : event.anchorStart - 1;
        const parent = frames.at(-1);
        if (parent?.isMapping === true && !parent.key) {
          parent.key = { name: event.type === EVENT_ID.SCALAR ? getScalarValue(text, event) : '', start };
        } else {
          attach(start);
          path.pop();
        }
        break;
      }
      case EVENT_ID.POP:
        frames.pop();
        path.pop();
        break;
    }
  }
  const placeOfNode = (node: Node, at: PointAt): Place =>
    place(at === 'key' && node.key >= 0 ? node.key : node.value >= 0 ? node.value : node.key);
  return { root, duplicates, place: placeOfNode };
}

/** A quoted scalar's value starts after its quote. */
function startOfScalar(event: ScalarEvent): number {
  const isQuoted = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED;
  return isQuoted ? event.valueStart - 1 : event.valueStart;
}

function descend(root: Node, path: Path): Node {
  let node = root;
  for (const step of path) {
    const child = node.children?.get(String(step));
    if (!child) return node;
    node = child;
  }
  return node;
}

/** Offsets → lines and columns, by binary search over the starts of lines. */
function placesIn(text: string): (offset: number) => Place {
  const starts = [0];
  for (const lineBreak of text.matchAll(/\r\n|\r|\n/g)) starts.push(lineBreak.index + lineBreak[0].length);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: Math.max(offset, 0) - (starts[low] ?? 0) + 1 };
  };
}
