/**
 * The flows of a datapath as `dpctl/dump-flows --names` lists them (ovs-dpctl(8); dpif_flow_format() in Open vSwitch): what
 * was forwarded for whom, on any bridge, whoever makes its rules. A line that is not as expected is left out. Pure, and
 * linear in the text.
 */
import { toMac, type Mac } from '../../units/mac.ts';
import { parseDatapathActions, type DatapathActions } from './datapathactions.ts';

/** A flow of the datapath (a "megaflow"): it stands for all packets that look the same to the rules. */
export interface DatapathFlow {
  /** Tells it from all others of its datapath; the same again where it left and came back. */
  readonly key: string;
  /** The device that its packets came in at. */
  readonly inPort: string;
  /** Whom its packets are for; `undefined` where it does not look at that. */
  readonly toMac: Mac | undefined;
  /** Since it is there; without the packet that it was made for. */
  readonly packets: bigint;
  readonly bytes: bigint;
  readonly does: DatapathActions;
}

/**
 * Reads a whole dump. It does not name flows by their `ufid`, which takes `-m`: the match tells them apart as well, and the
 * text is a third as long, in ovs-vswitchd's main thread too.
 */
export function parseDatapathFlows(text: string): DatapathFlow[] {
  const flows: DatapathFlow[] = [];
  let thread = '';
  let start = 0;
  while (start < text.length) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const line = text.slice(start, end);
    start = end + 1;
    // Each forwarding thread has flows of its own.
    if (line.startsWith('flow-dump from ')) thread = line.slice('flow-dump from '.length);
    else {
      const flow = parseFlow(line, thread);
      if (flow) flows.push(flow);
    }
  }
  return flows;
}

/** `recirc_id(0),in_port(web1-0),eth(src=…,dst=…),eth_type(0x0800), packets:5, bytes:490, used:0.2s, actions:db1-0` */
function parseFlow(line: string, thread: string): DatapathFlow | undefined {
  const matchEnd = line.indexOf(', packets:');
  const actionsAt = line.indexOf(', actions:', matchEnd);
  if (matchEnd < 0 || actionsAt < 0) return undefined;
  const match = line.slice(0, matchEnd);
  const counts = /^, packets:(\d{1,20}), bytes:(\d{1,20}), /.exec(line.slice(matchEnd, actionsAt + 2));
  const inPort = argumentOf(match, 'in_port');
  if (!counts || inPort === undefined) return undefined;
  return {
    key: thread === '' ? match : `${thread} ${match}`,
    inPort,
    toMac: toMacOf(argumentOf(match, 'eth')),
    packets: BigInt(counts[1] ?? 0),
    bytes: BigInt(counts[2] ?? 0),
    does: parseDatapathActions(line.slice(actionsAt + ', actions:'.length)),
  };
}

/** What stands in the parentheses of a field of the match. */
function argumentOf(match: string, field: string): string | undefined {
  const at = `,${match}`.indexOf(`,${field}(`);
  if (at < 0) return undefined;
  const start = at + field.length + 1;
  const end = match.indexOf(')', start);
  return end < 0 ? undefined : match.slice(start, end);
}

/** A part of an address (`dst=01:00:…/01:00:…`) names nobody. */
function toMacOf(ethernet: string | undefined): Mac | undefined {
  const destination = ethernet?.split(',').find((part) => part.startsWith('dst='));
  return destination === undefined ? undefined : toMac(destination.slice('dst='.length));
}
