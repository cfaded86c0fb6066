/** The first main path: a topology file becomes a running network. Read apply() from top to bottom. */
import { resolve as toAbsolute } from 'node:path';
import type { FailedChange, Finding } from '../domain.ts';
import { fail } from '../errors.ts';
import { diskDomain } from '../disk/domain.ts';
import { hostDomain } from '../host/domain.ts';
import type { OvsdbClient } from '../ovsdb/client/client.ts';
import type { OpenVSwitchTables } from '../ovsdb/generated/vswitch.ts';
import { observe, planDown, planned, planUp, verify, type Plan, type PlannedDomain } from '../plan/plan.ts';
import { hasEnded } from '../process/identity.ts';
import { switchDomain } from '../switch/domain.ts';
import { removeExpiredExporters } from '../switch/exporters.ts';
import type { DesiredState } from '../topology/desired.ts';
import type { Settings } from './settings.ts';
import { lockSwitch } from './lock.ts';
import { connectSwitch } from './switchclient.ts';
import { loadTopology } from './topology.ts';

export interface PlanOptions {
  readonly settings: Settings;
  /** Rows only: no devices, no waiting for ovs-vswitchd; for hosts that are prepared before they run. */
  readonly databaseOnly: boolean;
  readonly signal?: AbortSignal;
}

export interface ApplyOptions extends PlanOptions {
  /** How long ovs-vswitchd may take, in milliseconds. */
  readonly deadlineMs: number;
  /** Asked with a plan that is not empty; false ends it with PLAN_NOT_CONFIRMED. */
  readonly confirm: (plan: Plan) => Promise<boolean>;
}

/** What became of a plan. All is well where `failed` and `findings` are empty. */
export interface ApplyReport {
  readonly plan: Plan;
  readonly outcome: 'unchanged' | 'applied';
  /** Changes that could not be made; the others were. */
  readonly failed: readonly FailedChange[];
  /** What is committed and not in effect. */
  readonly findings: readonly Finding[];
}

/** What apply would change. Touches nothing. Throws as loadTopology and OvsdbClient.connect do. */
export async function plan(path: string, options: PlanOptions): Promise<Plan> {
  const desired = await loadTopology(path);
  await using client = await connectSwitch(options.settings, { signal: options.signal, follow: false });
  const observations = await observe(domains(client, options), desired);
  return planUp(desired, observations).plan;
}

/**
 * Makes the host as the topology says: plan, one transaction, wait until it is in effect.
 * @throws as plan; APPLY_BUSY, PLAN_REFUSED, PLAN_NOT_CONFIRMED, with nothing changed; SWITCH_CHANGED, SWITCH_REJECTED,
 *   with nothing changed in the switch; APPLY_INCOMPLETE, SWITCH_OUTCOME_UNKNOWN
 */
export async function apply(path: string, options: ApplyOptions): Promise<ApplyReport> {
  const desired = await loadTopology(path);
  // Before anything is read: what another apply changes until it lets go must be in what is compared.
  await using _lock = await lockSwitch(options.settings.remote);
  await using client = await connect(options);
  await removeLeftExporters(client, options.settings);
  const parts = domains(client, options);
  const observations = await observe(parts, desired);
  const ready = planUp(desired, observations);
  const isEmpty = ready.plan.changes.length === 0;
  if (!isEmpty) await demandConsent(ready.plan, options);
  const failed = await ready.apply(options);
  const findings = await verify(parts, desired, options);
  return { plan: ready.plan, outcome: isEmpty ? 'unchanged' : 'applied', failed, findings };
}

/** Removes what the topology owns, and nothing else. Throws as apply. */
export async function destroy(path: string, options: ApplyOptions): Promise<ApplyReport> {
  const desired = await loadTopology(path);
  // Before anything is read: what another apply changes until it lets go must be in what is compared.
  await using _lock = await lockSwitch(options.settings.remote);
  await using client = await connect(options);
  await removeLeftExporters(client, options.settings);
  const parts = domains(client, options);
  const observations = await observe(parts, desired);
  const ready = planDown(desired.name, observations);
  const isEmpty = ready.plan.changes.length === 0;
  if (!isEmpty) await demandConsent(ready.plan, options);
  const failed = await ready.apply(options);
  const findings = await verify(parts, nothingOf(desired), options);
  return { plan: ready.plan, outcome: isEmpty ? 'unchanged' : 'applied', failed, findings };
}

/** A look at conversations that was killed may have left some behind. */
async function removeLeftExporters(
  client: OvsdbClient<OpenVSwitchTables>,
  { remote }: Settings,
): Promise<void> {
  await removeExpiredExporters(client, { now: new Date(), hasEnded, remote });
}

function connect({ settings, signal, databaseOnly }: PlanOptions): Promise<OvsdbClient<OpenVSwitchTables>> {
  // Without ovs-vswitchd nothing is waited for, so nothing is looked at after the transaction.
  return connectSwitch(settings, { signal, follow: !databaseOnly });
}

function domains(client: OvsdbClient<OpenVSwitchTables>, options: PlanOptions): PlannedDomain[] {
  const { databaseOnly, settings } = options;
  const { remote, netns, ovsRundir } = settings;
  const runDir = toAbsolute(settings.runDir);
  const ovs = switchDomain({ client, remote, netns, ovsRundir, runDir, databaseOnly });
  return [
    ...(databaseOnly
      ? []
      : [planned('disk', diskDomain()), planned('host', hostDomain({ netns: settings.netns }))]),
    planned('switch', ovs),
  ];
}

async function demandConsent(toMake: Plan, options: ApplyOptions): Promise<void> {
  // What is refused is refused before anybody is asked.
  if (toMake.refusals.length > 0) return;
  if (!(await options.confirm(toMake))) throw fail('PLAN_NOT_CONFIRMED', { why: 'it was not confirmed' });
}

function nothingOf(desired: DesiredState): DesiredState {
  return { name: desired.name, bridges: [], networks: [], vms: [] };
}
