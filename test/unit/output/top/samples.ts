/** Snapshots for the tests of top: some VMs and what they send each other, over a minute. */
import { TopSnapshots, type TopReading, type TopSnapshot } from '../../../../src/output/top/snapshot.ts';
import type { Conversation } from '../../../../src/traffic/conversations/conversations.ts';
import { NOT_MEASURED } from '../../../../src/traffic/figures.ts';
import type { Pair, PairEnd } from '../../../../src/traffic/pairs/pair.ts';
import type { NicIdentity } from '../../../../src/traffic/switchports.ts';
import type { NicRow, VmRow } from '../../../../src/traffic/views.ts';
import { toUuid } from '../../../../src/ovsdb/schema/schema.ts';

const START = Date.UTC(2026, 10, 22, 14, 2, 0);

export function nicOf(vm: string, nic = '0'): NicIdentity {
  return { vm, nic, topology: 'lab', network: vm.startsWith('db') ? 'db' : 'web' };
}

export function vmRow(
  vm: string,
  sentBitsPerSecond: number | undefined,
  receivedBitsPerSecond: number | undefined,
  more: Partial<VmRow['total']> = {},
): VmRow {
  const total = { ...NOT_MEASURED, sentBitsPerSecond, receivedBitsPerSecond, ageMs: 40, ...more };
  const nic: NicRow = {
    ...total,
    bridge: 'br0',
    port: `${vm}-0`,
    interfaceUuid: toUuid('11111111-1111-4111-8111-111111111111'),
    ofport: undefined,
    mac: '52:54:00:10:00:01',
    owner: nicOf(vm),
  };
  return { vm, topology: 'lab', total, nics: [nic] };
}

export function pairRow(from: PairEnd, to: PairEnd, bitsPerSecond: number, more: Partial<Pair> = {}): Pair {
  return {
    bridge: 'br0',
    from,
    to,
    packets: BigInt(Math.round(bitsPerSecond / 100)),
    bytes: BigInt(Math.round(bitsPerSecond)),
    packetsPerSecond: bitsPerSecond / 8000,
    bitsPerSecond,
    quality: 'exact',
    ageMs: 40,
    ...more,
  };
}

/** One VM that grows, one that pulses, one that is idle, a long name, a wide name. */
export function readingAt(second: number): TopReading {
  const web = 1e6 * (second + 1);
  const pulse = second % 4 === 0 ? 8e8 : 2e8;
  const web1 = nicOf('web1');
  const db1 = nicOf('db1');
  const long = nicOf('a-virtual-machine-with-a-very-long-name');
  return {
    at: new Date(START + second * 1000),
    atMs: 5000 + second * 1000,
    bridges: ['br0'],
    losses: [],
    notes: [],
    vms: [
      vmRow('a-virtual-machine-with-a-very-long-name', 12_300, 980),
      vmRow('db1', pulse, web, { sentDropped: 0n, receivedDropped: BigInt(second) }),
      vmRow('idle', 0, 0),
      vmRow('new', undefined, undefined),
      vmRow('web1', web, pulse, { sentBytes: 51_000n, receivedBytes: 6_900_000n, sentPacketsPerSecond: 83 }),
      vmRow('仮想マシン', 64_000, 0),
    ],
    pairs: [
      pairRow(web1, db1, web),
      pairRow(db1, web1, pulse * 0.9),
      pairRow(db1, 'uplink', pulse * 0.1),
      pairRow(long, 'flood', 12_300),
      pairRow('uplink', long, 980, { quality: 'at-least' }),
      pairRow(nicOf('仮想マシン'), web1, 64_000),
    ],
    conversations: [
      conversation(web1, db1, 40_001, 5432, web),
      conversation(db1, web1, 5432, 40_001, pulse * 0.9),
      conversation(nicOf('仮想マシン'), web1, 40_002, 80, 64_000),
    ],
  };
}

/** The snapshot after so many seconds of readings. */
export function snapshotAfter(seconds: number): TopSnapshot {
  const snapshots = new TopSnapshots();
  let last = snapshots.next(readingAt(0));
  for (let second = 1; second <= seconds; second++) last = snapshots.next(readingAt(second));
  return last;
}

function conversation(
  from: PairEnd,
  to: PairEnd,
  sourcePort: number,
  destinationPort: number,
  bitsPerSecond: number,
): Conversation {
  return {
    ...pairRow(from, to, bitsPerSecond),
    packets: 100n,
    bytes: 150_000n,
    protocol: 6,
    protocolName: 'tcp',
    source: '10.0.0.1',
    destination: '10.0.0.2',
    sourcePort,
    destinationPort,
    firstSeen: new Date(START),
    lastSeen: new Date(START),
  };
}
