/** The accounting pipelines that a topology has a say in: what differs, once everything else of a plan is made. Pure. */
import type { FieldChange } from '../../domain.ts';
import type { BridgeFlows } from './bridgeflows.ts';
import type { SwitchChange } from '../change.ts';
import type { ObservedPipelines } from '../observed.ts';
import { isOwnedBy } from '../ownership.ts';
import type { PipelineBridge } from './pipelinebridge.ts';
import { countRules, diffPipeline, type PipelineDiff } from './pipelinediff.ts';
import { bridgesAfter } from './pipelinepreview.ts';

/** Bridges whose flows are read for a plan: those that the topology names, owns, or has a port on. */
export function bridgesOf(
  topology: string,
  named: readonly string[],
  bridges: ReadonlyMap<string, PipelineBridge>,
): PipelineBridge[] {
  return [...bridges.values()].filter(
    ({ name, externalIds, ports }) =>
      named.includes(name) ||
      isOwnedBy(topology, externalIds) ||
      ports.some((port) => isOwnedBy(topology, port.externalIds)),
  );
}

/**
 * One change for each bridge whose flows will differ from what its rows then ask for.
 * @param changes all others of the plan
 */
export function flowChanges(pipelines: ObservedPipelines, changes: readonly SwitchChange[]): SwitchChange[] {
  const after = bridgesAfter(pipelines.bridges, changes);
  return [...after.values()].flatMap((bridge) => {
    const flows = flowsBefore(bridge.name, pipelines, changes);
    return flows ? (flowChange(bridge.name, diffPipeline(bridge, flows), flows) ?? []) : [];
  });
}

const NO_FLOWS: BridgeFlows = Object.freeze({
  rules: new Set<bigint>(),
  pairs: new Set<number>(),
  pairIds: new Set<number>(),
  foreignFlows: 0,
  hasDefault: true,
  conflict: undefined,
});

/** A bridge that is made, and one whose datapath is made anew, begin without; `undefined` where they were not read. */
function flowsBefore(
  bridge: string,
  pipelines: ObservedPipelines,
  changes: readonly SwitchChange[],
): BridgeFlows | undefined {
  const isNew = changes.some(
    ({ name, edit }) =>
      name === bridge &&
      (edit.edit === 'create-bridge' ||
        (edit.edit === 'update-bridge' && edit.columns.datapath_type !== undefined)),
  );
  return isNew ? NO_FLOWS : pipelines.flows.get(bridge);
}

function flowChange(name: string, diff: PipelineDiff, there: BridgeFlows): SwitchChange | undefined {
  const { come, go } = countRules(diff);
  if (come + go + diff.goneIds.length === 0) return undefined;
  const count = (field: string, rules: number): FieldChange[] =>
    rules === 0 ? [] : [{ field, from: undefined, to: String(rules) }];
  const [verb, reason] =
    diff.leavesNothing && come === 0
      ? (['remove', 'pairs are not to be counted on it any more'] as const)
      : there.rules.size === 0
        ? (['create', 'to count who sends to whom (visibility: pairs)'] as const)
        : (['update', 'its ports need other rules'] as const);
  return {
    domain: 'switch',
    verb,
    kind: 'flows',
    name,
    reason,
    impact: 'none',
    fields: [...count('rules to add', come), ...count('rules to remove', go)],
    edit: { edit: 'write-flows' },
  };
}
