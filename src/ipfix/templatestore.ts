/**
 * The templates of all exporters, bounded. Over UDP a template that comes again replaces the one before (RFC 7011 §8.4).
 * Pure.
 */
import type { Template } from './template.ts';

/**
 * What all templates together may cost: one for each field, and 16 for the template itself. Open vSwitch 3.1 sends 6,000
 * for a bridge, and this is some tens of MB. Beyond it, those exporters' templates go that were defined longest ago.
 */
export const MAX_COST = 262_144;
const COST_OF_TEMPLATE = 16;

/** The templates of one exporter's observation domain, while a message is read. */
export interface Templates {
  find(id: number): Template | undefined;
  define(template: Template): void;
  /** @param id that of a template, or of a kind of template set: then all of the kind (§8.1) */
  withdraw(id: number, kind: Template['kind']): void;
  /** Makes what the message defined and withdrew last; without it the message leaves no trace. */
  keep(): void;
}

/** By id. Apart, so that to withdraw all of a kind costs no more than there are of it. */
type Domain = Record<Template['kind'], Map<number, Template>>;

export class TemplateStore {
  /** By exporter and observation domain; the one that was changed last is last. */
  readonly #domains = new Map<string, Domain>();
  #cost = 0;

  open(exporter: string, domain: number): Templates {
    const key = `${String(domain)} ${exporter}`;
    const before = this.#domains.get(key);
    // A copy from the first change on.
    let changed: Domain | undefined;
    const change = (): Domain =>
      (changed ??= { data: new Map(before?.data), options: new Map(before?.options) });
    return {
      find: (id) => {
        const now = changed ?? before;
        return now?.data.get(id) ?? now?.options.get(id);
      },
      define: (template) => {
        // Out first, so that it comes last in the order.
        forEachKind(change(), (templates) => templates.delete(template.id));
        change()[template.kind].set(template.id, template);
      },
      withdraw: (id, kind) => {
        if (id < 256) change()[kind].clear();
        else forEachKind(change(), (templates) => templates.delete(id));
      },
      keep: () => {
        if (changed !== undefined) this.#keep(key, changed);
      },
    };
  }

  #keep(key: string, domain: Domain): void {
    this.#forget(key);
    shorten(domain);
    const cost = costOf(domain);
    for (const oldest of this.#domains.keys()) {
      if (this.#cost + cost <= MAX_COST) break;
      this.#forget(oldest);
    }
    if (cost === 0) return;
    this.#domains.set(key, domain);
    this.#cost += cost;
  }

  #forget(key: string): void {
    const domain = this.#domains.get(key);
    if (domain === undefined) return;
    this.#cost -= costOf(domain);
    this.#domains.delete(key);
  }
}

/** Leaves no more than all may cost, without those that were defined longest ago; data's before options'. */
function shorten(domain: Domain): void {
  let cost = costOf(domain);
  forEachKind(domain, (templates) => {
    for (const template of templates.values()) {
      if (cost <= MAX_COST) return;
      templates.delete(template.id);
      cost -= costOfTemplate(template);
    }
  });
}

function costOf(domain: Domain): number {
  let cost = 0;
  forEachKind(domain, (templates) => {
    for (const template of templates.values()) cost += costOfTemplate(template);
  });
  return cost;
}

function costOfTemplate({ fields }: Template): number {
  return fields.length + COST_OF_TEMPLATE;
}

function forEachKind(domain: Domain, act: (templates: Map<number, Template>) => void): void {
  act(domain.data);
  act(domain.options);
}
