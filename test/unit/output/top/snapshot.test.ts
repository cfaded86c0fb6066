import { expect } from 'chai';
import { TopSnapshots } from '../../../../src/output/top/snapshot.ts';
import { nicOf, pairRow, readingAt, vmRow } from './samples.ts';

const EMPTY = { ...readingAt(0), vms: [], pairs: [], conversations: undefined };

describe('TopSnapshots', () => {
  it('finds the peer that a VM exchanges most with, both ways and over all NICs', () => {
    const pairs = [
      pairRow(nicOf('a'), nicOf('b'), 50),
      pairRow(nicOf('a'), 'uplink', 60),
      pairRow(nicOf('b', '1'), nicOf('a', '1'), 20),
      pairRow(nicOf('c'), 'flood', 0),
    ];
    const reading = { ...EMPTY, vms: ['a', 'b', 'c'].map((vm) => vmRow(vm, 1, 1)), pairs };
    const snapshots = new TopSnapshots();
    snapshots.next({ ...reading, atMs: 0 });
    const { vms } = snapshots.next({ ...reading, atMs: 1000 });
    expect(vms.map(({ topPeer }) => topPeer)).to.deep.equal(['b', 'a', undefined]);
  });

  it('counts lost packets since the first reading, anew where the count went back, and not where nothing counts', () => {
    const snapshots = new TopSnapshots();
    const lost = (sentDropped: bigint | undefined, receivedDropped: bigint | undefined): bigint | undefined =>
      snapshots.next({ ...EMPTY, vms: [vmRow('a', 1, 1, { sentDropped, receivedDropped })] }).vms[0]
        ?.lostPackets;
    expect(lost(undefined, undefined)).to.equal(undefined);
    expect(lost(7n, undefined)).to.equal(0n);
    expect(lost(8n, 2n)).to.equal(3n);
    expect(lost(1n, 0n)).to.equal(0n);
    expect(lost(2n, 0n)).to.equal(1n);
  });

  it('adds up what is known of all VMs', () => {
    const snapshots = new TopSnapshots();
    snapshots.next({ ...EMPTY, atMs: 0 });
    const vms = [vmRow('a', 10, undefined), vmRow('b', 5, undefined), vmRow('c', undefined, undefined)];
    const { sent, received } = snapshots.next({ ...EMPTY, atMs: 1000, vms });
    expect(sent.means[0]).to.equal(15);
    expect(received.means[0]).to.equal(undefined);
  });
});
