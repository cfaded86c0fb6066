/** Which fields of a filter each kind of rows has, and where they are taken from. docs/filter.md says the same. Pure. */
import type { FilterSource } from '../filter/fields.ts';
import type { PortRow } from './attribute.ts';
import type { Conversation } from './conversations/conversations.ts';
import type { Measured } from './figures.ts';
import type { Pair, PairEnd } from './pairs/pair.ts';
import type { NicIdentity } from './switchports.ts';
import type { VmRow } from './views.ts';
import type { Counter } from '../units/counter.ts';

/** Rows of the view of ports. */
export const PORT_SOURCE: FilterSource<PortRow> = {
  rows: 'ports',
  fields: {
    vm: (row) => row.owner?.vm,
    nic: (row) => row.owner?.nic,
    network: (row) => row.owner?.network,
    bridge: (row) => row.bridge,
    port: (row) => row.port,
    topology: (row) => row.owner?.topology,
    mac: (row) => row.mac,
    ...measuredFields<PortRow>((row) => row),
  },
};

/** Rows of the view of VMs: names are those of any of its NICs, figures their sum. */
export const VM_SOURCE: FilterSource<VmRow> = {
  rows: 'VMs',
  fields: {
    vm: (row) => row.vm,
    nic: (row) => row.nics.map(({ owner }) => owner.nic),
    network: (row) => row.nics.flatMap(({ owner }) => owner.network ?? []),
    bridge: (row) => row.nics.map(({ bridge }) => bridge),
    port: (row) => row.nics.map(({ port }) => port),
    topology: (row) => row.topology,
    mac: (row) => row.nics.flatMap(({ mac }) => mac ?? []),
    ...measuredFields<VmRow>((row) => row.total),
  },
};

/** Pairs. */
export const PAIR_SOURCE: FilterSource<Pair> = {
  rows: 'pairs',
  fields: {
    ...endFields<Pair>(),
    bridge: (row) => row.bridge,
    rate: (row) => row.bitsPerSecond,
    pps: (row) => row.packetsPerSecond,
    bytes: (row) => row.bytes,
    packets: (row) => row.packets,
    quality: (row) => row.quality,
    age: (row) => row.ageMs,
  },
};

/** Conversations. */
export const CONVERSATION_SOURCE: FilterSource<Conversation> = {
  rows: 'conversations',
  fields: {
    ...PAIR_SOURCE.fields,
    proto: (row) => row.protocol,
    src: (row) => row.source,
    dst: (row) => row.destination,
    ip: (row) => [row.source, row.destination],
    sport: (row) => row.sourcePort,
    dport: (row) => row.destinationPort,
  },
};

/** Where nobody says which end is meant, either is. */
function endFields<Row extends { readonly from: PairEnd; readonly to: PairEnd }>() {
  const ofEither = (pick: (nic: NicIdentity) => string | undefined) => (row: Row) =>
    [row.from, row.to].flatMap((end) => (typeof end === 'string' ? [] : (pick(end) ?? [])));
  return {
    vm: ofEither(({ vm }) => vm),
    from: (row: Row) => namesOf(row.from),
    to: (row: Row) => namesOf(row.to),
    nic: ofEither(({ nic }) => nic),
    network: ofEither(({ network }) => network),
    topology: ofEither(({ topology }) => topology),
  } as const satisfies FilterSource<Row>['fields'];
}

/** `uplink`; of a NIC, its VM's name, and that with the NIC. */
function namesOf(end: PairEnd): string | readonly string[] {
  return typeof end === 'string' ? end : [end.vm, `${end.vm}:${end.nic}`];
}

/** Sent and received where both are meant together. */
function measuredFields<Row>(of: (row: Row) => Measured) {
  return {
    rate: (row: Row) => sum(of(row).sentBitsPerSecond, of(row).receivedBitsPerSecond),
    sent: (row: Row) => of(row).sentBitsPerSecond,
    received: (row: Row) => of(row).receivedBitsPerSecond,
    pps: (row: Row) => sum(of(row).sentPacketsPerSecond, of(row).receivedPacketsPerSecond),
    bytes: (row: Row) => total(of(row).sentBytes, of(row).receivedBytes),
    packets: (row: Row) => total(of(row).sentPackets, of(row).receivedPackets),
    dropped: (row: Row) => total(of(row).sentDropped, of(row).receivedDropped),
    errors: (row: Row) => total(of(row).sentErrors, of(row).receivedErrors),
    loss: (row: Row) => of(row).hostLossPackets,
    quality: (row: Row) => of(row).quality,
    age: (row: Row) => of(row).ageMs,
  } as const satisfies FilterSource<Row>['fields'];
}

function sum(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b;
}

function total(a: Counter, b: Counter): Counter {
  return a === undefined || b === undefined ? undefined : a + b;
}
