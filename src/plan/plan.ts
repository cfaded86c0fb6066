/**
 * Puts the domains' changes in order: what is there, what differs, what is to be done first. Acts only through the
 * domains' own faces.
 */
import type {
  Applied,
  Change,
  Diff,
  Domain,
  DomainName,
  FailedChange,
  Finding,
  Refusal,
  WaitOptions,
} from '../domain.ts';
import { fail, toVsbError } from '../errors.ts';
import type { DesiredState } from '../topology/desired.ts';

/**
 * The order on the way up; the way down is the reverse. A tap is there before its port asks for it, and goes after
 * ovs-vswitchd let go of it, also where an apply takes a NIC away.
 */
const UPWARD: readonly DomainName[] = ['disk', 'host', 'switch'];

/** What would change, in the order in which it would be made. The same state gives the same plan, byte for byte. */
export interface Plan {
  readonly topology: string;
  readonly changes: readonly Change[];
  readonly refusals: readonly Refusal[];
  /** What the topology's choices cost. */
  readonly notes: readonly string[];
}

/** One domain with what it observed, its own types hidden. */
export interface Observation {
  readonly name: DomainName;
  diff(desired: DesiredState): Step;
  removal(topologyName: string): Step;
}

/** The part of a plan that one domain makes. */
interface Step {
  readonly diff: Diff;
  /** The same with these changes only, and without its refusals. */
  only(wanted: (change: Change) => boolean): Step;
  apply(options: WaitOptions): Promise<Applied>;
}

/** A plan with what makes it so. */
export interface ReadyPlan {
  readonly plan: Plan;
  /** Makes it, domain after domain; one change that fails does not stop the rest. Throws PLAN_REFUSED, APPLY_INCOMPLETE. */
  apply(options: WaitOptions): Promise<readonly FailedChange[]>;
}

/** Any domain, its own types hidden. */
export interface PlannedDomain {
  readonly name: DomainName;
  observe(desired: DesiredState): Promise<Observation>;
  verify(desired: DesiredState, options: WaitOptions): Promise<readonly Finding[]>;
}

/** Hides a domain's own types of what it observed and what it changes. */
export function planned<O, C extends Change>(
  name: DomainName,
  domain: Domain<DesiredState, O, C>,
): PlannedDomain {
  const step = (diff: Diff<C>): Step => ({
    diff,
    only: (wanted) => step({ changes: diff.changes.filter(wanted), refusals: [] }),
    apply: (options) => domain.apply(diff.changes, options),
  });
  return {
    name,
    observe: async (desired) => {
      const observed = await domain.observe(desired);
      return {
        name,
        diff: (wanted) => step(domain.diff(wanted, observed)),
        removal: (topologyName) => step(domain.removal(topologyName, observed)),
      };
    },
    verify: (desired, options) => domain.verify(desired, options),
  };
}

/** Reads what is there, in all domains at once. */
export function observe(domains: readonly PlannedDomain[], desired: DesiredState): Promise<Observation[]> {
  return Promise.all(domains.map((domain) => domain.observe(desired)));
}

/** What makes the host as the topology says. Pure. */
export function planUp(desired: DesiredState, observations: readonly Observation[]): ReadyPlan {
  const steps = inOrder(observations, UPWARD).map((observation) => observation.diff(desired));
  const below = steps.slice(0, -1);
  return readyPlan(
    desired.name,
    [
      ...below.map((step) => step.only((change) => !isLate(change))),
      ...steps.slice(-1),
      ...below.toReversed().map((step) => step.only(isLate)),
    ],
    steps.map((step) => step.diff),
  );
}

function isLate(change: Change): boolean {
  return change.verb === 'remove' || change.isLate === true;
}

/** What takes away all that a topology owns, and nothing else. Pure. */
export function planDown(topologyName: string, observations: readonly Observation[]): ReadyPlan {
  const downward = UPWARD.toReversed();
  const steps = inOrder(observations, downward).map((observation) => observation.removal(topologyName));
  return readyPlan(
    topologyName,
    steps,
    steps.map((step) => step.diff),
  );
}

/** What is committed and not in effect, over all domains. */
export async function verify(
  domains: readonly PlannedDomain[],
  desired: DesiredState,
  options: WaitOptions,
): Promise<readonly Finding[]> {
  const findings = await Promise.all(domains.map((domain) => domain.verify(desired, options)));
  return findings.flat();
}

function inOrder(observations: readonly Observation[], order: readonly DomainName[]): readonly Observation[] {
  return observations.toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
}

/** @param diffs of whole domains, with what is refused and noted */
function readyPlan(topology: string, steps: readonly Step[], diffs: readonly Diff[]): ReadyPlan {
  const refusals = diffs.flatMap((diff) => diff.refusals);
  const plan: Plan = {
    topology,
    changes: steps.flatMap((step) => step.diff.changes),
    refusals,
    notes: diffs.flatMap((diff) => diff.notes ?? []),
  };
  return {
    plan,
    apply: async (options) => {
      if (refusals.length > 0) {
        const reasons = refusals.map(({ error }) => `[${error.code}] ${error.message}`);
        throw fail('PLAN_REFUSED', { topology, refusals: reasons });
      }
      const failed: FailedChange[] = [];
      let made = 0;
      for (const step of steps) {
        const { changes } = step.diff;
        if (changes.length === 0) continue;
        try {
          failed.push(...(await step.apply(options)).failed);
        } catch (thrown) {
          if (made === 0) throw thrown;
          const { code, message } = toVsbError(thrown);
          const details = { topology, made, all: plan.changes.length, why: `[${code}] ${message}` };
          throw fail('APPLY_INCOMPLETE', details, { cause: thrown });
        }
        made += changes.length;
      }
      return failed;
    },
  };
}
