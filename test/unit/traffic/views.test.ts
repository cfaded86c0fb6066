import { expect } from 'chai';
import type { PortRow } from '../../../src/traffic/attribute.ts';
import { NOT_MEASURED, sumMeasured, type Measured } from '../../../src/traffic/figures.ts';
import type { NicIdentity } from '../../../src/traffic/switchports.ts';
import { toView, type TrafficReading } from '../../../src/traffic/views.ts';
import { switchPort } from './samples.ts';

const KNOWN: Measured = {
  ...NOT_MEASURED,
  sentBytes: 10n,
  receivedBytes: 1n,
  sentBitsPerSecond: 80,
  ageMs: 3,
};

describe('the view of VMs', () => {
  it('groups NICs by VM, in order of names and numbers, and leaves out what is no NIC', () => {
    const view = vmsOf(
      row(4, { vm: 'web10' }),
      row(3, { vm: 'web2', nic: '10' }),
      row(2, { vm: 'web2', nic: '9' }),
      row(1),
    );
    expect(view.map(({ vm, nics }) => [vm, nics.map(({ owner }) => owner.nic)])).to.deep.equal([
      ['web2', ['9', '10']],
      ['web10', ['0']],
    ]);
  });

  it('keeps VMs of one name in two topologies apart', () => {
    const view = vmsOf(row(1, { topology: 'b' }), row(2, { topology: 'a' }), row(3));
    expect(view.map(({ topology, nics }) => [topology, nics.length])).to.deep.equal([
      ['a', 1],
      ['b', 1],
    ]);
  });

  it('adds up the NICs of a VM', () => {
    const [vm] = vmsOf(row(1, {}), row(2, { nic: '1' }));
    expect(vm?.total).to.deep.include({
      sentBytes: 20n,
      receivedBytes: 2n,
      sentBitsPerSecond: 160,
      ageMs: 3,
    });
  });
});

describe('a sum', () => {
  it('is unknown where one part is, since the rest would be too little', () => {
    const sum = sumMeasured([KNOWN, { ...KNOWN, sentBytes: undefined }]);
    expect(sum.sentBytes).to.equal(undefined);
    expect(sum.receivedBytes).to.equal(2n);
  });

  it('is as old as its oldest part, and says why it has no rates', () => {
    const sum = sumMeasured([
      KNOWN,
      { ...KNOWN, ageMs: 50, sentBitsPerSecond: undefined, discontinuity: 'new-port' },
    ]);
    expect(sum).to.deep.include({ ageMs: 50, sentBitsPerSecond: undefined, discontinuity: 'new-port' });
  });

  it('of nothing is 0', () => {
    expect(sumMeasured([])).to.deep.include({ sentBytes: 0n, sentBitsPerSecond: 0 });
  });
});

describe('the view of ports', () => {
  it('has every port, and which bridges were not read', () => {
    const view = toView('ports', reading(row(1), row(2, {})));
    expect(view.ports).to.have.length(2);
    expect(view.bridges).to.deep.equal(['br0']);
  });
});

function row(n: number, owner?: Partial<NicIdentity>): PortRow {
  return { ...switchPort(n, owner), ...KNOWN };
}

function reading(...rows: PortRow[]): TrafficReading {
  return { at: new Date(0), bridges: ['br0'], rows, pairs: [], losses: [], states: [] };
}

function vmsOf(...rows: PortRow[]) {
  return toView('vms', reading(...rows)).vms;
}
