/**
 * How well the switch is, read from what ovs-vswitchd says on its control channel (ovs-vswitchd(8), ovs-dpctl(8)). Texts
 * for people, so a line that is not as expected is passed over, and its figures are unknown. Pure; who asks is
 * healthreader.ts.
 */
import type { Counter } from '../units/counter.ts';

/** A datapath: where packets go that need no decision of ovs-vswitchd. */
export interface DatapathHealth {
  /** As `dpctl/show` has it: `system@ovs-system`. */
  readonly name: string;
  /** Packets that a flow in it forwarded. */
  readonly hits: Counter;
  /** Packets that no flow in it matched: ovs-vswitchd decides on them. */
  readonly upcalls: Counter;
  /** Of those, the ones that were dropped on their way to ovs-vswitchd. */
  readonly lost: Counter;
  readonly flows: Counter;
  /** How many flows ovs-vswitchd allows; above it, idle flows leave early and new ones are not installed. */
  readonly flowLimit: Counter;
  /** Milliseconds that the last look through all flows took. */
  readonly flowDumpMs: number | undefined;
}

/** The health of a whole switch. */
export interface SwitchHealth {
  /** In the order of ovs-vswitchd. */
  readonly datapaths: readonly DatapathHealth[];
  /** Events since ovs-vswitchd was started, by its own names; those that it does not know are absent. */
  readonly events: ReadonlyMap<string, bigint>;
}

/** @param upcallShow what `upcall/show` says: it speaks of every datapath that has a bridge */
export function decodeDatapathNames(upcallShow: string): string[] {
  return splitSections(upcallShow).map(([name]) => name);
}

/**
 * @param dpctlShow what `dpctl/show` says
 * @param upcallShow what `upcall/show` says; may be empty
 */
export function decodeDatapaths(dpctlShow: string, upcallShow: string): DatapathHealth[] {
  const upcallSections = new Map(splitSections(upcallShow));
  return splitSections(dpctlShow).map(([name, text]) => {
    const lookups = /^ +lookups: hit:(\d+) missed:(\d+) lost:(\d+)/m.exec(text);
    const upcalls = upcallSections.get(name) ?? '';
    const dumpMs = /^ +dump duration *: (\d+)ms/m.exec(upcalls)?.[1];
    return {
      name,
      hits: toCount(lookups?.[1]),
      upcalls: toCount(lookups?.[2]),
      lost: toCount(lookups?.[3]),
      flows: toCount(/^ +flows: (\d+)/m.exec(text)?.[1]),
      flowLimit: toCount(/^ +flows *:.*\(limit (\d+)\)/m.exec(upcalls)?.[1]),
      flowDumpMs: dumpMs === undefined ? undefined : Number(dumpMs),
    };
  });
}

/** @param readCounter what `coverage/read-counter` says */
export function decodeEventCount(readCounter: string): Counter {
  return toCount(/^\d+$/.exec(readCounter.trim())?.[0]);
}

/** Sections begin with a datapath's name and a colon, alone on a line that is not set off. */
function splitSections(text: string): [name: string, lines: string][] {
  return text.split(/^(?=\S)/m).flatMap((section): [string, string][] => {
    const name = /^(\S+):\n/.exec(section)?.[1];
    return name === undefined ? [] : [[name, section]];
  });
}

function toCount(digits: string | undefined): Counter {
  return digits === undefined ? undefined : BigInt(digits);
}
