/** Brings the accounting pipeline of bridges up to date: reads what is there, writes the difference at once or not at all. */
import { toVsbError, type VsbError } from '../errors.ts';
import { runOrFail } from '../process/run.ts';
import type { BridgeFlows } from './bridgeflows.ts';
import { bridgeMode, type BridgeMode } from './bridgemode.ts';
import { readBridgeFlows, type FlowsOptions } from './flowreader.ts';
import type { PipelineBridge } from './pipelinebridge.ts';
import { countRules, diffPipeline, isDifferent, renderBundle } from './pipelinediff.ts';

/** 20,000 rules take ovs-vswitchd under a second; it may have other things to do first. */
const WRITE_LIMIT_MS = 30_000;
/** Bundles come with OpenFlow 1.4, and to 1.3 as an extension; a bridge may be told to speak one of them only. */
const VERSIONS = 'OpenFlow13,OpenFlow14,OpenFlow15';

/**
 * Makes the rules of a bridge those that its rows ask for, in one bundle; rules that are right already keep their
 * counters.
 * @throws as readBridgeFlows; PROGRAM_MISSING, PROGRAM_FAILED, with nothing written; PROGRAM_TIMEOUT
 */
export async function writePipeline(bridge: PipelineBridge, options: FlowsOptions): Promise<void> {
  await writeDifference(bridge, await readBridgeFlows(bridge.name, options), options);
}

/** A bridge, what is counted on it and why not more. */
export interface EnsuredBridge extends BridgeMode {
  readonly bridge: string;
  /** How many flows of others a packet meets before ours: what they forward is not counted in pairs. */
  readonly foreignFlows: number;
  /** How many rules were added. */
  readonly restored: number;
  /** Why the rules could not be read or written. */
  readonly error: VsbError | undefined;
}

/**
 * Restores what is missing on bridges of any topology, for instance after a restart of ovs-vswitchd, which forgets its
 * flows. Never fails. Several processes may do it at once: the same rows give the same rules.
 */
export function ensurePipeline(
  bridges: Iterable<PipelineBridge>,
  options: FlowsOptions,
): Promise<EnsuredBridge[]> {
  return Promise.all([...bridges].map((bridge) => ensureBridge(bridge, options)));
}

async function ensureBridge(bridge: PipelineBridge, options: FlowsOptions): Promise<EnsuredBridge> {
  const byRows = bridgeMode(bridge, undefined);
  const nothing = { bridge: bridge.name, foreignFlows: 0, restored: 0, error: undefined };
  if (byRows.mode !== 'pairs') return { ...nothing, ...byRows };
  try {
    const flows = await readBridgeFlows(bridge.name, options);
    const mode = bridgeMode(bridge, flows);
    const known = { ...nothing, ...mode, foreignFlows: flows.foreignFlows };
    if (mode.mode !== 'pairs') return known;
    return { ...known, restored: await writeDifference(bridge, flows, options) };
  } catch (thrown) {
    return { ...nothing, ...byRows, error: toVsbError(thrown) };
  }
}

/** @returns how many rules were added, but for those that follow an address of the host */
async function writeDifference(
  bridge: PipelineBridge,
  flows: BridgeFlows,
  { ovsRundir, signal }: FlowsOptions,
): Promise<number> {
  const diff = diffPipeline(bridge, flows);
  if (!isDifferent(diff)) return 0;
  await runOrFail('ovs-ofctl', ['-O', VERSIONS, 'bundle', `unix:${ovsRundir}/${bridge.name}.mgmt`, '-'], {
    timeoutMs: WRITE_LIMIT_MS,
    input: renderBundle(diff),
    signal,
  });
  return countRules(diff).come;
}
