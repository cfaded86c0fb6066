/**
 * Looks after the accounting pipeline while traffic is watched: whether each bridge counts pairs, and why not; and, where
 * that is wanted, puts back what is missing, as after a restart of ovs-vswitchd, which forgets its flows.
 */
import type { PipelineBridge } from '../switch/pipeline/pipelinebridge.ts';
import { ensurePipeline, inspectPipeline, type InspectedBridge } from '../switch/pipeline/pipelinewriter.ts';
import type { PairsState } from '../traffic/views.ts';

export interface PipelineKeeperOptions {
  readonly ovsRundir: string;
  /** False: it only looks. */
  readonly restores: boolean;
}

interface Kept {
  readonly key: string;
  readonly session: number | undefined;
  readonly atMs: number;
}

/** Others may add flows before ours at any time, and nobody tells. */
const LOOK_AGAIN_MS = 30_000;
/** Who changes a topology writes its rules right after its rows. */
const SETTLE_MS = 2_000;

export class PipelineKeeper implements Disposable {
  readonly #options: PipelineKeeperOptions;
  readonly #end = new AbortController();
  readonly #states = new Map<string, PairsState>();
  /** By bridge: how it was when it was looked at last. */
  readonly #kept = new Map<string, Kept>();
  readonly #busy = new Set<string>();
  #keys:
    | { readonly bridges: ReadonlyMap<string, PipelineBridge>; readonly keyOf: Map<string, string> }
    | undefined;

  constructor(options: PipelineKeeperOptions) {
    this.#options = options;
  }

  /** What is known so far, by bridge. */
  get states(): ReadonlyMap<string, PairsState> {
    return this.#states;
  }

  /**
   * To be called at every reading. Looks at the bridges that are new, have changed, or were read on another connection
   * than before; what comes of it is in `states` later.
   * @param sessionOf the connection that a bridge was read on; `undefined` where it was not
   */
  look(
    bridges: ReadonlyMap<string, PipelineBridge>,
    sessionOf: (bridge: string) => number | undefined,
    nowMs: number,
  ): void {
    for (const bridge of this.#states.keys()) if (!bridges.has(bridge)) this.#forget(bridge);
    for (const bridge of bridges.values()) {
      const session = sessionOf(bridge.name);
      if (session === undefined || this.#busy.has(bridge.name)) continue;
      const key = this.#keyOf(bridges, bridge);
      const kept = this.#kept.get(bridge.name);
      const waitMs = kept?.session !== session ? 0 : kept.key !== key ? SETTLE_MS : LOOK_AGAIN_MS;
      if (kept && nowMs - kept.atMs < waitMs) continue;
      this.#kept.set(bridge.name, { key, session, atMs: nowMs });
      void this.#lookAt(bridge);
    }
  }

  [Symbol.dispose](): void {
    this.#end.abort();
  }

  /** Never fails. */
  async #lookAt(bridge: PipelineBridge): Promise<void> {
    this.#busy.add(bridge.name);
    const flows = { ovsRundir: this.#options.ovsRundir, signal: this.#end.signal };
    const found = this.#options.restores
      ? (await ensurePipeline([bridge], flows))[0]
      : await inspectPipeline(bridge, flows);
    this.#busy.delete(bridge.name);
    if (!found || this.#end.signal.aborted) return;
    const before = this.#states.get(bridge.name)?.restored ?? 0;
    this.#states.set(bridge.name, toState(found, before));
  }

  #forget(bridge: string): void {
    this.#states.delete(bridge);
    this.#kept.delete(bridge);
  }

  /** Snapshots come with every change of the database, few of which are about this. */
  #keyOf(bridges: ReadonlyMap<string, PipelineBridge>, bridge: PipelineBridge): string {
    if (this.#keys?.bridges !== bridges) this.#keys = { bridges, keyOf: new Map() };
    const known = this.#keys.keyOf.get(bridge.name);
    if (known !== undefined) return known;
    const key = JSON.stringify(bridge, (_, value: unknown) => (value instanceof Map ? [...value] : value));
    this.#keys.keyOf.set(bridge.name, key);
    return key;
  }
}

function toState(found: InspectedBridge & { readonly restored?: number }, before: number): PairsState {
  const { bridge, mode, reason, foreignFlows, restored = 0, error } = found;
  return { bridge, mode, reason, foreignFlows, restored: before + restored, error };
}
