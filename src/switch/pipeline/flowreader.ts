/** Reads the tables of a bridge for the accounting pipeline. */
import { OpenFlowConnection } from '../../openflow/connection.ts';
import { toBridgeFlows, type BridgeFlows } from './bridgeflows.ts';

export interface FlowsOptions {
  /** Directory of the sockets `<bridge>.mgmt`. */
  readonly ovsRundir: string;
  /** Milliseconds for connecting, and for the answer. Default: 10 s. */
  readonly limitMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** 100,000 rules take a quarter of a second; ovs-vswitchd may have ports to make first. */
const DEFAULT_LIMIT_MS = 10_000;

/** @throws what OpenFlowConnection.connect and its questions throw */
export async function readBridgeFlows(
  bridge: string,
  { ovsRundir, limitMs = DEFAULT_LIMIT_MS, signal }: FlowsOptions,
): Promise<BridgeFlows> {
  await using connection = await OpenFlowConnection.connect(`${ovsRundir}/${bridge}.mgmt`, {
    limitMs,
    ...(signal ? { signal } : {}),
  });
  return toBridgeFlows(await connection.flowStats());
}
