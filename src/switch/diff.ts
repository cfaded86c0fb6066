/** Desired against observed: what has to change in the switch, and what must not. Pure. */
import type { Diff, Refusal } from '../domain.ts';
import type { DesiredState } from '../topology/desired.ts';
import { bridgeChanges, bridgeRemovals, datapathOf } from './bridgediff.ts';
import type { SwitchChange } from './change.ts';
import { flowChanges } from './pipeline/flowdiff.ts';
import type { ObservedSwitch } from './observed.ts';
import { isOwnedBy, ownerOf } from './ownership.ts';
import { portChanges, portRemoval } from './portdiff.ts';
import { portSpecs } from './portspec.ts';

/** What makes the switch as the topology says: changes and refusals, each sorted. The same input gives the same bytes. */
export function diffSwitch(desired: DesiredState, observed: ObservedSwitch): Diff<SwitchChange> {
  const bridges = bridgeChanges(desired, observed);
  const specs = portSpecs(desired, observed.runDir);
  const datapaths = new Map(
    desired.bridges.map((bridge) => [bridge.name, datapathOf(bridge, observed)] as const),
  );
  const ports = portChanges(desired.name, specs, observed, (name) => datapaths.get(name) ?? '');
  const wantedPorts = new Set(specs.map((spec) => spec.name));
  const wantedBridges = new Set(desired.bridges.map((bridge) => bridge.name));
  const left = leftovers(desired.name, observed, wantedPorts, wantedBridges);
  return {
    changes: withFlows([...bridges.changes, ...ports.changes, ...left], observed),
    refusals: [...bridges.refusals, ...ports.refusals].sort(byName),
  };
}

/** What has to go so that nothing of this topology is left; nobody else's rows or settings. */
export function diffSwitchRemoval(topology: string, observed: ObservedSwitch): Diff<SwitchChange> {
  return { changes: withFlows(leftovers(topology, observed, new Set(), new Set()), observed), refusals: [] };
}

/** Flows are made from rows, so they come last. */
function withFlows(changes: readonly SwitchChange[], { pipelines }: ObservedSwitch): SwitchChange[] {
  const rows = changes.toSorted(byOrder);
  return pipelines ? [...rows, ...flowChanges(pipelines, rows).sort(byOrder)] : rows;
}

/** Rows that carry our mark and that nothing wants (any more). */
function leftovers(
  topology: string,
  observed: ObservedSwitch,
  wantedPorts: ReadonlySet<string>,
  wantedBridges: ReadonlySet<string>,
): SwitchChange[] {
  const changes: SwitchChange[] = [];
  for (const port of observed.ports.values()) {
    // A bridge's own port goes with its bridge.
    if (port.name === port.bridge || wantedPorts.has(port.name)) continue;
    if (isOwnedBy(topology, port.externalIds)) changes.push(portRemoval(port, observed));
  }
  changes.push(...bridgeRemovals(topology, observed, wantedPorts, wantedBridges));
  const referenced = new Set([...observed.ports.values()].map((port) => port.qosUuid));
  for (const qos of observed.qos.values()) {
    if (referenced.has(qos.uuid) || ownerOf(qos.externalIds) !== topology) continue;
    changes.push({
      domain: 'switch',
      verb: 'remove',
      kind: 'QoS',
      name: qos.uuid,
      reason: 'no port uses it any more',
      impact: 'none',
      fields: [],
      edit: { edit: 'remove-qos', uuid: qos.uuid },
    });
  }
  return changes;
}

const KINDS = ['Bridge', 'Port', 'QoS', 'flows'];

function byOrder(a: SwitchChange, b: SwitchChange): number {
  return KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || compare(a.name, b.name);
}

function byName(a: Refusal, b: Refusal): number {
  return compare(a.name, b.name);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
