/** What happened between two readings that a person wants to hear of: who came and left, links, losses. Pure. */
import { concatMap, scan, type OperatorFunction } from 'rxjs';
import type { VsbError } from '../errors.ts';
import type { Uuid } from '../ovsdb/schema/schema.ts';
import type { AttributedReading, PortRow } from './attribute.ts';
import { compareText, type NicIdentity } from './switchports.ts';

interface VmName {
  readonly vm: string;
  /** `undefined` for a VM that is not ours. */
  readonly topology: string | undefined;
}

interface AtNic {
  readonly bridge: string;
  /** `Interface.name`. */
  readonly port: string;
  readonly owner: NicIdentity;
}

export type TrafficEvent = { /** Wall clock of the reading that showed it. */ readonly at: Date } & (
  | ({ readonly kind: 'vm-appeared' | 'vm-left' } & VmName)
  | ({ readonly kind: 'link-up' | 'link-down' } & AtNic)
  /** Packets that the VM sent were lost on the host, before the switch could look at them: so many since the last event. */
  | ({ readonly kind: 'loss'; readonly packets: bigint } & AtNic)
  | { readonly kind: 'bridge-lost'; readonly bridge: string; readonly error: VsbError }
  | { readonly kind: 'bridge-back'; readonly bridge: string }
);

/** The first reading is what it was before: nothing happened yet. */
export function toEvents(): OperatorFunction<AttributedReading, TrafficEvent> {
  return (readings$) =>
    readings$.pipe(
      scan(compare, NOTHING),
      concatMap(({ events }) => events),
    );
}

interface Compared {
  readonly before: AttributedReading | undefined;
  /** Of each NIC, as it was known last: a bridge that cannot be read tells of none. */
  readonly losses: ReadonlyMap<Uuid, bigint>;
  readonly events: readonly TrafficEvent[];
}

const NOTHING: Compared = { before: undefined, losses: new Map(), events: [] };

/** Events in order of bridges, VMs, NICs. */
function compare({ before, losses: known }: Compared, after: AttributedReading): Compared {
  const losses = new Map<Uuid, bigint>();
  for (const { interfaceUuid, hostLossPackets } of after.rows) {
    const lost = hostLossPackets ?? known.get(interfaceUuid);
    if (lost !== undefined) losses.set(interfaceUuid, lost);
  }
  const events = before
    ? [...bridgeEvents(before, after), ...vmEvents(before, after), ...nicEvents(before, after, known)]
    : [];
  return { before: after, losses, events };
}

function bridgeEvents(before: AttributedReading, after: AttributedReading): TrafficEvent[] {
  const { at } = after;
  const lostBefore = new Set(before.losses.map(({ bridge }) => bridge));
  const lost = new Set(after.losses.map(({ bridge }) => bridge));
  return [
    ...after.losses.flatMap(({ bridge, error }): TrafficEvent[] =>
      lostBefore.has(bridge) ? [] : [{ at, kind: 'bridge-lost', bridge, error }],
    ),
    ...before.losses.flatMap(({ bridge }): TrafficEvent[] =>
      lost.has(bridge) || !after.bridges.includes(bridge) ? [] : [{ at, kind: 'bridge-back', bridge }],
    ),
  ];
}

function vmEvents(before: AttributedReading, { at, rows }: AttributedReading): TrafficEvent[] {
  const [were, are] = [vmsOf(before.rows), vmsOf(rows)];
  const only = (kind: 'vm-appeared' | 'vm-left', some: typeof are, others: typeof are): TrafficEvent[] =>
    [...some]
      .filter(([key]) => !others.has(key))
      .map(([, { vm, topology }]): TrafficEvent => ({ at, kind, vm, topology }));
  return [...only('vm-left', were, are), ...only('vm-appeared', are, were)];
}

function vmsOf(rows: readonly PortRow[]): Map<string, VmName> {
  const owners = rows.flatMap(({ owner }) => owner ?? []).toSorted((a, b) => compareText(a.vm, b.vm));
  return new Map(owners.map(({ vm, topology }) => [JSON.stringify([topology, vm]), { vm, topology }]));
}

function nicEvents(
  before: AttributedReading,
  { at, rows }: AttributedReading,
  losses: Compared['losses'],
): TrafficEvent[] {
  const rowsBefore = new Map(before.rows.map((row) => [row.interfaceUuid, row]));
  return rows.flatMap((row) => {
    const was = rowsBefore.get(row.interfaceUuid);
    const { bridge, port, owner } = row;
    if (!was || !owner) return [];
    const where = { at, bridge, port, owner };
    const events: TrafficEvent[] = [];
    if (was.isLinkUp !== undefined && row.isLinkUp !== undefined && was.isLinkUp !== row.isLinkUp)
      events.push({ ...where, kind: row.isLinkUp ? 'link-up' : 'link-down' });
    const packets = (row.hostLossPackets ?? 0n) - (losses.get(row.interfaceUuid) ?? 0n);
    if (packets > 0n) events.push({ ...where, kind: 'loss', packets });
    return events;
  });
}
