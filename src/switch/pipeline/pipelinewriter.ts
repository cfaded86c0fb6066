/** Brings the accounting pipeline of bridges up to date: reads what is there, writes the difference at once or not at all. */
import { toVsbError, type VsbError } from '../../errors.ts';
import { runOrFail } from '../../process/run.ts';
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
export interface InspectedBridge extends BridgeMode {
  readonly bridge: string;
  /**
   * How many flows of others a packet meets before ours: what they forward is not counted in pairs. `undefined` where
   * the tables were not read, since the rows alone say that they have no pipeline.
   */
  readonly foreignFlows: number | undefined;
  /** How many rules of ours are missing; `undefined` likewise. */
  readonly missing: number | undefined;
  /** Why the rules could not be read or written. */
  readonly error: VsbError | undefined;
}

/** Looks, and touches nothing. Never fails. */
export async function inspectPipeline(
  bridge: PipelineBridge,
  options: FlowsOptions,
): Promise<InspectedBridge> {
  return (await inspect(bridge, options)).inspected;
}

/** The same bridge after its rules were made whole. */
export interface EnsuredBridge extends InspectedBridge {
  /** How many rules were added. */
  readonly restored: number;
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
  const { inspected, flows } = await inspect(bridge, options);
  if (!flows || inspected.mode !== 'pairs') return { ...inspected, restored: 0 };
  try {
    await writeDifference(bridge, flows, options);
    return { ...inspected, missing: 0, restored: inspected.missing ?? 0 };
  } catch (thrown) {
    return { ...inspected, restored: 0, error: toVsbError(thrown) };
  }
}

async function inspect(
  bridge: PipelineBridge,
  options: FlowsOptions,
): Promise<{ readonly inspected: InspectedBridge; readonly flows: BridgeFlows | undefined }> {
  const byRows = bridgeMode(bridge, undefined);
  const unread = {
    bridge: bridge.name,
    ...byRows,
    foreignFlows: undefined,
    missing: undefined,
    error: undefined,
  };
  if (byRows.mode !== 'pairs') return { inspected: unread, flows: undefined };
  try {
    const flows = await readBridgeFlows(bridge.name, options);
    const { foreignFlows } = flows;
    const missing = countRules(diffPipeline(bridge, flows)).come;
    return { inspected: { ...unread, ...bridgeMode(bridge, flows), foreignFlows, missing }, flows };
  } catch (thrown) {
    return { inspected: { ...unread, error: toVsbError(thrown) }, flows: undefined };
  }
}

async function writeDifference(
  bridge: PipelineBridge,
  flows: BridgeFlows,
  { ovsRundir, signal }: FlowsOptions,
): Promise<void> {
  const diff = diffPipeline(bridge, flows);
  if (!isDifferent(diff)) return;
  await runOrFail('ovs-ofctl', ['-O', VERSIONS, 'bundle', `unix:${ovsRundir}/${bridge.name}.mgmt`, '-'], {
    timeoutMs: WRITE_LIMIT_MS,
    input: renderBundle(diff),
    signal,
  });
}
