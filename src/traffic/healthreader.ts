/** Asks ovs-vswitchd how well the switch is. What its answers mean is health.ts's. */
import { askControl, findControlSocket, runControlCommand, type ControlOptions } from '../ovsdb/unixctl.ts';
import {
  decodeDatapathNames,
  decodeDatapaths,
  decodeEventCount,
  type DatapathHealth,
  type SwitchHealth,
} from './health.ts';

/**
 * Events that tell of figures that are not whole, or of work that is not forwarding: `upcall_flow_limit_…`, the datapath
 * is full, or ovs-vswitchd changes how much it allows; `netlink_overflow`, the kernel had more to tell than was read;
 * `bridge_reconfigure`, the configuration was read anew.
 */
const EVENTS = [
  'upcall_flow_limit_hit',
  'upcall_flow_limit_kill',
  'upcall_flow_limit_grow',
  'upcall_flow_limit_reduced',
  'upcall_flow_limit_scaled',
  'netlink_overflow',
  'bridge_reconfigure',
] as const;

export interface HealthOptions extends ControlOptions {
  /** Open vSwitch's run directory. */
  readonly ovsRundir: string;
}

/**
 * The health as it is now.
 * @throws CONTROL_…, CANCELLED
 */
export async function readSwitchHealth({ ovsRundir, ...options }: HealthOptions): Promise<SwitchHealth> {
  const path = await findControlSocket(ovsRundir);
  const [datapaths, ...counts] = await Promise.all([
    readDatapaths(path, options),
    // One by one, since `coverage/show` leaves out what is 0, and so does not tell it from what it does not know.
    ...EVENTS.map(async (event) => {
      const { outcome, text } = await runControlCommand(path, 'coverage/read-counter', [event], options);
      return outcome === 'done' ? decodeEventCount(text) : undefined;
    }),
  ]);
  const events = EVENTS.flatMap((event, index): [string, bigint][] => {
    const count = counts[index];
    return count === undefined ? [] : [[event, count]];
  });
  return { datapaths, events: new Map(events) };
}

/**
 * By name: where no name is given, `dpctl/show` looks for the kernel's datapaths too, and ovs-vswitchd warns in its log
 * where the kernel has none.
 */
async function readDatapaths(path: string, options: ControlOptions): Promise<DatapathHealth[]> {
  const upcallShow = await askControl(path, 'upcall/show', [], options);
  const names = decodeDatapathNames(upcallShow);
  if (names.length === 0) return [];
  // It refuses where one of them has just gone; what it can say of the others it says all the same.
  const { text } = await runControlCommand(path, 'dpctl/show', names, options);
  return decodeDatapaths(text, upcallShow);
}
