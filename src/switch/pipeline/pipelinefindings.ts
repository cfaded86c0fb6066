/** What became of the accounting pipelines that a topology asks for. */
import type { Finding } from '../../domain.ts';
import { fail, toVsbError } from '../../errors.ts';
import type { DesiredState } from '../../topology/desired.ts';
import { bridgeMode } from './bridgemode.ts';
import { readBridgeFlows, type FlowsOptions } from './flowreader.ts';
import { isOwnedBy } from '../ownership.ts';
import type { PipelineBridge } from './pipelinebridge.ts';
import { countRules, diffPipeline } from './pipelinediff.ts';
import { toPipeline } from './pipeline.ts';

/** One finding for each bridge of the topology whose pairs are to be counted and are not. */
export async function pipelineFindings(
  desired: DesiredState,
  bridges: ReadonlyMap<string, PipelineBridge>,
  options: FlowsOptions,
): Promise<Finding[]> {
  const wanted = desired.bridges.flatMap(({ name, visibility }) => {
    const bridge = bridges.get(name);
    return visibility === 'pairs' && bridge && isOwnedBy(desired.name, bridge.externalIds) ? [bridge] : [];
  });
  const findings = await Promise.all(wanted.map((bridge) => pipelineFinding(bridge, options)));
  return findings.flatMap((finding) => finding ?? []);
}

async function pipelineFinding(bridge: PipelineBridge, options: FlowsOptions): Promise<Finding | undefined> {
  const { name } = bridge;
  try {
    const flows = await readBridgeFlows(name, options);
    const { mode, reason } = bridgeMode(bridge, flows);
    if (mode !== 'pairs') return toFinding(name, fail('PIPELINE_BLOCKED', { bridge: name, why: reason }));
    const { come } = countRules(diffPipeline(bridge, flows));
    if (come === 0) return undefined;
    const { rules, pairs } = toPipeline(bridge);
    const all = rules.length + pairs.length;
    return toFinding(name, fail('PIPELINE_INCOMPLETE', { bridge: name, missing: come, all }));
  } catch (thrown) {
    const { code, message } = toVsbError(thrown);
    return toFinding(name, fail('PIPELINE_UNREADABLE', { bridge: name, why: `[${code}] ${message}` }));
  }
}

function toFinding(name: string, { code, message }: ReturnType<typeof fail>): Finding {
  return { domain: 'switch', code, kind: 'flows', name, message };
}
