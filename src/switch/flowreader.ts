/** Reads the tables of a bridge for the accounting pipeline. */
import { OpenFlowConnection } from '../openflow/connection.ts';
import { toBridgeFlows, type BridgeFlows } from './bridgeflows.ts';

export interface FlowsOptions {
  /** Directory of the sockets `<bridge>.mgmt`. */
  readonly ovsRundir: string;
  readonly signal?: AbortSignal | undefined;
}

/** Milliseconds for connecting, and for the answer: 100,000 rules take a quarter of a second. */
const READ_LIMIT_MS = 10_000;

/** @throws what OpenFlowConnection.connect and its questions throw */
export async function readBridgeFlows(
  bridge: string,
  { ovsRundir, signal }: FlowsOptions,
): Promise<BridgeFlows> {
  await using connection = await OpenFlowConnection.connect(`${ovsRundir}/${bridge}.mgmt`, {
    limitMs: READ_LIMIT_MS,
    ...(signal ? { signal } : {}),
  });
  return toBridgeFlows(await connection.flowStats());
}
