/** What can be counted on a bridge, and why not more. Pure. */
import { VISIBILITY_KEY } from '../../units/externalids.ts';
import type { BridgeFlows } from './bridgeflows.ts';
import { ownerOf } from '../ownership.ts';
import type { PipelineBridge } from './pipelinebridge.ts';

/**
 * `pairs`: our pipeline counts who sends to whom. `ports`: ours to change, and it is not wanted. `foreign`: its flows are
 * not ours to change.
 */
export interface BridgeMode {
  readonly mode: 'pairs' | 'ports' | 'foreign';
  /** For people; no full stop. */
  readonly reason: string;
}

/** @param flows `undefined` where the bridge's tables were not read: then what others have there does not count. */
export function bridgeMode(bridge: PipelineBridge, flows: BridgeFlows | undefined): BridgeMode {
  const owner = ownerOf(bridge.externalIds);
  if (owner === undefined) return { mode: 'foreign', reason: 'no topology manages it' };
  if (bridge.externalIds.get(VISIBILITY_KEY) !== 'pairs') {
    return { mode: 'ports', reason: `topology "${owner}" wants no more (visibility: ports)` };
  }
  const [controller] = bridge.controllers;
  if (controller !== undefined) {
    return { mode: 'foreign', reason: `the controller ${controller} makes its flows` };
  }
  if (flows?.conflict !== undefined) return { mode: 'foreign', reason: flows.conflict };
  if (bridge.isSecure && flows?.hasDefault === false) {
    return {
      mode: 'foreign',
      reason: 'it has no default rule (fail_mode is secure), so it forwards nothing',
    };
  }
  return { mode: 'pairs', reason: `topology "${owner}" wants it (visibility: pairs)` };
}
