/** What a trace comes to: who gets the packet, and by which rules, or which rule drops it. Pure. */
import { ACCOUNTING_TABLES, decodeCookie } from '../../openflow/accounting.ts';
import type { Device } from '../devices.ts';
import type { PairEnd } from '../pairs/pair.ts';
import type { ParsedTrace, TraceStep } from './tracetext.ts';

/**
 * `delivered`: to whom it was for, alone; `flooded`: to whom it was for, and others; `elsewhere`: to others alone;
 * `dropped`: to nobody; `unknown`: the trace does not say.
 */
export type TraceOutcome = 'delivered' | 'flooded' | 'elsewhere' | 'dropped' | 'unknown';

/** Who made a rule: this program, Open vSwitch (the one that a new bridge has), or somebody else; nobody where none matched. */
export type RuleMaker = 'vswitchboard' | 'default' | 'other' | 'nobody';

export interface TracedRule extends TraceStep {
  readonly maker: RuleMaker;
  /** The topology that wants it, for a rule of this program. */
  readonly topology: string | undefined;
  /** Only counts: whatever it is, the packet goes on. */
  readonly counts: boolean;
}

/** Where a packet leaves the switch. */
export interface Delivery {
  /** `undefined` for a device of the datapath that is no Interface (a tunnel's). */
  readonly bridge: string | undefined;
  readonly device: string;
  readonly end: PairEnd;
}

/** Whom a packet is for: a device, or a class of them. */
export type TraceTarget = Device | 'uplink' | 'host' | 'flood';

export interface TraceVerdict {
  readonly outcome: TraceOutcome;
  readonly deliveries: readonly Delivery[];
  /** Also, or only, to a controller. */
  readonly toController: boolean;
  readonly rules: readonly TracedRule[];
  /** The last rule that was not only counting: it forwarded or dropped. */
  readonly decidedBy: TracedRule | undefined;
  /** What Open vSwitch remarks about it, or why the trace ends early. */
  readonly why: string | undefined;
}

/** Judges a trace of a packet for `target`. @param topologyOf which topology manages a bridge */
export function judgeTrace(
  trace: ParsedTrace,
  devices: readonly Device[],
  target: TraceTarget,
  topologyOf: (bridge: string) => string | undefined,
): TraceVerdict {
  const byName = new Map(devices.map((device) => [device.name, device]));
  const outputs = [...new Set(trace.passes.flatMap(({ does }) => does.outputs))];
  const deliveries = outputs.map((name) => toDelivery(name, byName.get(name)));
  const rules = trace.steps.map((step) => toTracedRule(step, topologyOf(step.bridge)));
  const decidedBy = rules.findLast(({ counts }) => !counts);
  const unfollowed = unfollowedOf(trace);
  const isReached = deliveries.some((delivery) => isTarget(delivery, target));
  const isNowhere = deliveries.length === 0 && !toControllerOf(trace);
  const isCut = trace.passes.length === 0 || unfollowed !== undefined;
  const outcome = isReached
    ? deliveries.length === 1
      ? 'delivered'
      : 'flooded'
    : isCut
      ? 'unknown'
      : isNowhere
        ? 'dropped'
        : 'elsewhere';
  return {
    outcome,
    deliveries,
    toController: toControllerOf(trace),
    rules,
    decidedBy,
    why: trace.failure ?? (isReached ? undefined : unfollowed) ?? decidedBy?.notes.at(-1),
  };
}

function toDelivery(name: string, device: Device | undefined): Delivery {
  return { bridge: device?.bridge, device: name, end: device?.end ?? 'uplink' };
}

function isTarget({ device, end }: Delivery, target: TraceTarget): boolean {
  if (target === 'flood') return true;
  return typeof target === 'string' ? end === target : device === target.name;
}

function toControllerOf({ passes }: ParsedTrace): boolean {
  return passes.some(
    ({ does, datapathActions }) => does.toUserspace && datapathActions.includes('controller('),
  );
}

/** A bond with balance-tcp hashes after the rules were looked at, and ofproto/trace does not follow that. */
function unfollowedOf({ passes }: ParsedTrace): string | undefined {
  const followed = new Set(passes.map(({ resumes }) => resumes?.split(' ', 1)[0]));
  const open = passes.flatMap(({ does }) => does.goesOn).find((id) => !followed.has(id));
  return open === undefined
    ? undefined
    : `Open vSwitch takes the packet up again (${open}), as for a bond that balances by hash; a trace does not follow that`;
}

/** A step without a priority is no rule: the table had none for the packet. */
function makerOf(step: TraceStep, isOurs: boolean): RuleMaker {
  if (isOurs) return 'vswitchboard';
  if (step.priority === undefined) return 'nobody';
  const isDefault =
    step.table === 0 && step.priority === 0 && step.match === '' && step.actions[0] === 'NORMAL';
  return isDefault && step.cookie === 0n ? 'default' : 'other';
}

function toTracedRule(step: TraceStep, topology: string | undefined): TracedRule {
  const meaning = decodeCookie(step.cookie);
  return {
    ...step,
    maker: makerOf(step, meaning !== undefined),
    topology: meaning ? topology : undefined,
    counts: meaning !== undefined && step.table === ACCOUNTING_TABLES.account,
  };
}
