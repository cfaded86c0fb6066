/** What a person who watches has to know and no figure says, on stderr: each thing once, when it begins and when it ends. */
import type { View } from '../app/watch.ts';
import { writeError } from './verb.ts';

type PairsState = Extract<View, { readonly view: 'pairs' }>['states'][number];

export class WatchNotices {
  readonly #whereEmpty: string;
  #saidEmpty = false;
  #lost = new Set<string>();
  /** What was said of the counting of each bridge last. */
  readonly #said = new Map<string, string>();
  readonly #restored = new Map<string, number>();
  readonly #isFiltered: boolean;

  /**
   * @param whereEmpty what is done where there is nothing to show, for people
   * @param isFiltered rows may be left out, so that there may be some where none is shown
   */
  constructor(whereEmpty: string, isFiltered = false) {
    this.#whereEmpty = whereEmpty;
    this.#isFiltered = isFiltered;
  }

  /** @returns true where something was written. */
  tell(view: View): boolean {
    const states = view.view === 'pairs' ? view.states : [];
    const lines = [
      ...states.flatMap((state) => [...this.#restoring(state), ...this.#counting(state)]),
      ...this.#emptiness(view),
      ...this.#losses(view),
    ];
    for (const line of lines) writeError(`vsb: ${line}`);
    return lines.length > 0;
  }

  #emptiness(view: View): string[] {
    const missing = whatIsMissing(view);
    if (missing === undefined || this.#saidEmpty) return [];
    this.#saidEmpty = true;
    if (view.bridges.length === 0)
      return [
        `Nothing to show yet: this Open vSwitch has no bridge to look at. ${this.#whereEmpty}`.trimEnd(),
      ];
    if (this.#isFiltered) return ['Nothing to show yet: nothing passes the filter. Waiting for what does.'];
    return [`Nothing to show yet: ${missing} on ${view.bridges.join(', ')}. ${this.#whereEmpty}`.trimEnd()];
  }

  #losses({ losses, bridges }: View): string[] {
    const lost = new Set(losses.map(({ bridge }) => bridge));
    const begun = losses.filter(({ bridge }) => !this.#lost.has(bridge));
    const ended = [...this.#lost].filter((bridge) => !lost.has(bridge) && bridges.includes(bridge));
    this.#lost = lost;
    return [
      ...begun.map(({ error }) => `warning[${error.code}]: ${error.message} Trying again at every tick.`),
      ...ended.map((bridge) => `Bridge "${bridge}" is read again.`),
    ];
  }

  #restoring({ bridge, restored }: PairsState): string[] {
    const rules = restored - (this.#restored.get(bridge) ?? 0);
    this.#restored.set(bridge, restored);
    if (rules === 0) return [];
    return [`Put back ${String(rules)} rules that count pairs on bridge "${bridge}": they were missing.`];
  }

  #counting(state: PairsState): string[] {
    const text = renderCounting(state);
    if (this.#said.get(state.bridge) === text) return [];
    const isNews = text !== '' || this.#said.has(state.bridge);
    this.#said.set(state.bridge, text);
    if (!isNews) return [];
    return [text === '' ? `Pairs of bridge "${state.bridge}" are counted again.` : text];
  }
}

/** Why pairs are not counted, or not all of them; empty where they are. */
function renderCounting({ bridge, mode, reason, error, foreignFlows }: PairsState): string {
  if (mode === 'ports') return `Pairs of bridge "${bridge}" are not counted: ${reason}.`;
  if (mode === 'foreign' && !error)
    return `Pairs of bridge "${bridge}" are lower bounds, out of the datapath's flows: ${reason}.`;
  if (error) return `warning[${error.code}]: ${error.message}`;
  if (foreignFlows === undefined || foreignFlows === 0) return '';
  const [flows, they] =
    foreignFlows === 1 ? ['1 flow', 'it forwards'] : [`${String(foreignFlows)} flows`, 'they forward'];
  return `On bridge "${bridge}" a packet meets ${flows} of others before ours: what ${they} may be in no pair.`;
}

function whatIsMissing(view: View): string | undefined {
  switch (view.view) {
    case 'ports':
      return view.ports.length === 0 ? 'there is no port' : undefined;
    case 'vms':
      return view.vms.length === 0 ? 'there is no NIC of a VM' : undefined;
    case 'pairs':
      return view.pairs.length === 0 ? 'there is no pair that has sent anything' : undefined;
  }
}
