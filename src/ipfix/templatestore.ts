/**
 * The templates of all exporters, bounded. Over UDP a template that comes again replaces the one before (RFC 7011 §8.4).
 * Pure.
 */
import type { Template } from './template.ts';

/**
 * Fields of all templates together; Open vSwitch 3.1 sends 4,300 for a bridge. Beyond it, those exporters' templates go
 * that were defined longest ago.
 */
export const MAX_FIELDS = 262_144;

/** The templates of one exporter's observation domain, while a message is read. */
export interface Templates {
  find(id: number): Template | undefined;
  define(template: Template): void;
  /** @param id that of a template, or of a kind of template set: then all of the kind (§8.1) */
  withdraw(id: number, kind: Template['kind']): void;
  /** Makes what the message defined and withdrew last; without it the message leaves no trace. */
  keep(): void;
}

type Domain = ReadonlyMap<number, Template>;

export class TemplateStore {
  /** By exporter and observation domain; the one that was changed last is last. */
  readonly #domains = new Map<string, Domain>();

  open(exporter: string, domain: number): Templates {
    const key = `${String(domain)} ${exporter}`;
    const before = this.#domains.get(key);
    // A copy from the first change on.
    let changed: Map<number, Template> | undefined;
    const change = (): Map<number, Template> => (changed ??= new Map(before));
    return {
      find: (id) => (changed ?? before)?.get(id),
      define: (template) => {
        change().delete(template.id);
        change().set(template.id, template);
      },
      withdraw: (id, kind) => {
        for (const template of [...change().values()]) {
          if (template.id === id || (id < 256 && template.kind === kind)) change().delete(template.id);
        }
      },
      keep: () => {
        if (changed !== undefined) this.#keep(key, changed);
      },
    };
  }

  #keep(key: string, domain: Map<number, Template>): void {
    this.#domains.delete(key);
    let fields = countFields(domain);
    for (const [id, template] of domain) {
      if (fields <= MAX_FIELDS) break;
      domain.delete(id);
      fields -= template.fields.length;
    }
    if (domain.size > 0) this.#domains.set(key, domain);
    this.#forgetOldest();
  }

  #forgetOldest(): void {
    let fields = 0;
    for (const domain of this.#domains.values()) fields += countFields(domain);
    for (const [key, domain] of this.#domains) {
      if (fields <= MAX_FIELDS) return;
      this.#domains.delete(key);
      fields -= countFields(domain);
    }
  }
}

function countFields(domain: Domain): number {
  let fields = 0;
  for (const template of domain.values()) fields += template.fields.length;
  return fields;
}
