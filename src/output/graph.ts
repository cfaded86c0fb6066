/** Paths joined into one graph, for Mermaid and for Graphviz. Pure. */
import type { Path, Step } from '../path/path.ts';
import { FORMAT_VERSION } from '../units/formatversion.ts';
import { toPrintable } from '../units/printable.ts';

export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

interface GraphNode {
  readonly id: string;
  readonly kind: Step['kind'] | 'vm';
  readonly label: string;
  readonly isBroken: boolean;
}

interface GraphEdge {
  readonly from: string;
  readonly to: string;
  /** Port, VLAN and limit. */
  readonly label: string | undefined;
}

/** VM → NIC → … → uplink; what several paths share is there once. In the order of the paths. */
export function toGraph(paths: readonly Path[]): Graph {
  const nodes = new Map<string, GraphNode>();
  const edges = new Map<string, GraphEdge>();
  const join = (from: string, { id, via }: Step): void => {
    edges.set(JSON.stringify([from, id]), { from, to: id, label: via });
  };
  for (const { vm, pid, steps, uplinks } of paths) {
    let before = `vm:${String(pid)}`;
    nodes.set(before, { id: before, kind: 'vm', label: vm, isBroken: false });
    for (const each of steps) {
      addNode(nodes, each);
      join(before, each);
      before = each.id;
    }
    for (const each of uplinks) {
      addNode(nodes, each);
      join(before, each);
    }
  }
  return { nodes: [...nodes.values()], edges: [...edges.values()] };
}

/** The graph as data. */
export function toGraphDocument(graph: Graph): Readonly<Record<string, unknown>> {
  return { formatVersion: FORMAT_VERSION, ...graph };
}

/** A flowchart for Mermaid, as Markdown pages of many forges draw it. */
export function renderMermaid({ nodes, edges }: Graph): string {
  const name = namesOf(nodes);
  return `${[
    'flowchart LR',
    ...nodes.map(({ id, label }) => `  ${name(id)}["${mermaidText(label)}"]`),
    ...edges.map(({ from, to, label }) => {
      const words = label === undefined ? '' : `|"${mermaidText(label)}"|`;
      return `  ${name(from)} -->${words} ${name(to)}`;
    }),
    ...nodes.filter(({ isBroken }) => isBroken).map(({ id }) => `  style ${name(id)} stroke:#c00`),
  ].join('\n')}\n`;
}

/** A digraph in Graphviz's language (dot(1)). */
export function renderDot({ nodes, edges }: Graph): string {
  const name = namesOf(nodes);
  return `${[
    'digraph vsb {',
    '  rankdir=LR;',
    '  node [shape=box];',
    ...nodes.map(({ id, label, isBroken }) => {
      return `  ${name(id)} [label="${dotText(label)}"${isBroken ? ', color=red' : ''}];`;
    }),
    ...edges.map(({ from, to, label }) => {
      return `  ${name(from)} -> ${name(to)}${label === undefined ? '' : ` [label="${dotText(label)}"]`};`;
    }),
    '}',
  ].join('\n')}\n`;
}

/** A bridge is broken for one VM's port and well for another's: it is marked where any is. */
function addNode(nodes: Map<string, GraphNode>, { id, kind, name, detail, problem }: Step): void {
  const label = detail === undefined ? name : `${name} (${detail})`;
  const isBroken = problem !== undefined || nodes.get(id)?.isBroken === true;
  nodes.set(id, { id, kind, label, isBroken });
}

/** Names of nodes are ours, so that nobody's name can be a keyword or break the grammar; theirs are labels. */
function namesOf(nodes: readonly GraphNode[]): (id: string) => string {
  const names = new Map(nodes.map(({ id }, place) => [id, `n${String(place)}`]));
  return (id) => names.get(id) ?? '';
}

/** Mermaid takes entities of numbers, with a # in place of &#, for what its grammar or HTML would read. */
function mermaidText(text: string): string {
  return toPrintable(text).replace(/[^\p{L}\p{N} :.,()_-]/gu, (sign) => `#${String(sign.codePointAt(0))};`);
}

/** In a string of dot only quotation marks and backslashes have a meaning; & begins an entity. */
function dotText(text: string): string {
  return toPrintable(text).replace(/["\\]/g, '\\$&').replaceAll('&', '&amp;');
}
