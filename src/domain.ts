/**
 * The face that every domain (switch, host, disk) shows to plan/. Types only: what a change is, how it is
 * found, applied and verified stays in the domain's own room.
 */
import type { ErrorCode, VsbError } from './errors.ts';

/** What a change does to running traffic, from nothing to a gap for others. */
export type Impact = 'none' | 'flow' | 'port-bounce' | 'traffic-gap';

/** The parts of a host that are planned, in the order in which they are made. */
export type DomainName = 'disk' | 'host' | 'switch';

/** One setting that differs: both sides as text for people; `undefined` where it is not set. */
export interface FieldChange {
  readonly field: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** One difference between desired and observed, with the reason why it is there. */
export interface Change {
  readonly domain: DomainName;
  readonly verb: 'create' | 'update' | 'remove';
  /** What is changed, in the field's word: `Bridge`, `Port`, `QoS`, `tap`. */
  readonly kind: string;
  /** Its name: `br0`, `web1-0`. */
  readonly name: string;
  /** The NIC it is for, as `vm:nic`, where it is for one. */
  readonly nic?: string;
  readonly reason: string;
  readonly impact: Impact;
  /** What else is touched, in people's words. */
  readonly collateral?: readonly string[];
  readonly fields: readonly FieldChange[];
  /** It waits for the domains above, which must have let go of what it takes; so does every removal. */
  readonly isLate?: boolean;
}

/** Something desired that must not be done, for example taking over what is not ours. */
export interface Refusal {
  readonly domain: DomainName;
  readonly kind: string;
  readonly name: string;
  readonly error: VsbError;
}

/** What a pure comparison of desired and observed finds; both lists sorted. */
export interface Diff<C extends Change = Change> {
  readonly changes: readonly C[];
  readonly refusals: readonly Refusal[];
  /** What the desired state costs, for people to know; nothing follows from it. */
  readonly notes?: readonly string[];
}

/** A change that could not be made; the others went on. */
export interface FailedChange {
  readonly change: Change;
  readonly error: VsbError;
}

/** What became of applying changes. `failed` is empty where all of them were made. */
export interface Applied {
  readonly failed: readonly FailedChange[];
}

/** Something that is committed and yet not in effect. */
export interface Finding {
  readonly domain: DomainName;
  readonly code: ErrorCode;
  readonly kind: string;
  readonly name: string;
  /** The NIC it concerns, as `vm:nic`, where it concerns one. */
  readonly nic?: string;
  readonly message: string;
}

/** Limits for work that waits. */
export interface WaitOptions {
  /** Milliseconds of patience. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
}

/**
 * A part of the host that can be planned.
 * `observe` reads what is there, ours or not. `diff` is pure. `apply` is the only one that acts, and changes only what
 * it is handed. `verify` tells what is committed and not in effect.
 */
export interface Domain<Desired, Observed, C extends Change> {
  observe(desired: Desired): Promise<Observed>;
  diff(desired: Desired, observed: Observed): Diff<C>;
  /** The same for destroy: what has to go so that nothing of this topology is left. Pure. */
  removal(topologyName: string, observed: Observed): Diff<C>;
  apply(changes: readonly C[], options: WaitOptions): Promise<Applied>;
  verify(desired: Desired, options: WaitOptions): Promise<readonly Finding[]>;
}
