/**
 * Asks ovs-vswitchd for the flows of its datapaths, as long as there are few enough: it lists them in its main thread, where
 * nothing else happens meanwhile, and on the userspace datapath no packet is forwarded either.
 */
import { fail, toVsbError, type VsbError } from '../../errors.ts';
import { askControl, findControlSocket, type ControlOptions } from '../../ovsdb/unixctl.ts';
import { parseDatapathFlows, type DatapathFlow } from './datapathflows.ts';
import { decodeDatapaths } from '../health.ts';

export interface DatapathReaderOptions extends ControlOptions {
  /** Open vSwitch's run directory. */
  readonly ovsRundir: string;
  /** How many flows there may be, in all datapaths together. Default: 10,000, which take it 0.1 to 0.17 s. */
  readonly maxFlows?: number;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
}

export type DatapathReading =
  | {
      readonly outcome: 'read';
      readonly flows: readonly DatapathFlow[];
      readonly atMs: number;
    }
  | { readonly outcome: 'lost'; readonly error: VsbError };

const MAX_FLOWS = 10_000;

/** Never fails: what went wrong is in a `lost` reading, DATAPATH_TOO_MANY_FLOWS among it. */
export async function readDatapathFlows(options: DatapathReaderOptions): Promise<DatapathReading> {
  const { ovsRundir, maxFlows = MAX_FLOWS, nowMs, ...limits } = options;
  try {
    const socket = await findControlSocket(ovsRundir);
    const datapaths = decodeDatapaths(await askControl(socket, 'dpctl/show', [], limits), '');
    const count = datapaths.reduce((sum, { flows }) => sum + Number(flows ?? 0n), 0);
    if (count > maxFlows) throw fail('DATAPATH_TOO_MANY_FLOWS', { flows: count, maxFlows });
    const flows: DatapathFlow[] = [];
    for (const { name } of datapaths) {
      const text = await askControl(socket, 'dpctl/dump-flows', ['--names', name], limits);
      for (const flow of parseDatapathFlows(text)) flows.push({ ...flow, key: `${name} ${flow.key}` });
    }
    return { outcome: 'read', flows, atMs: nowMs() };
  } catch (thrown) {
    return { outcome: 'lost', error: toVsbError(thrown) };
  }
}
