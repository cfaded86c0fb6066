import { expect } from 'chai';
import { diffDisks, findingsOnDisks, removalOfDisks } from '../../../src/disk/diff.ts';
import type { ImageInfo } from '../../../src/disk/image.ts';
import type { ObservedImage } from '../../../src/disk/types.ts';
import { fail } from '../../../src/errors.ts';
import type { DesiredDisk, DesiredState } from '../../../src/topology/desired.ts';
import { desiredState, nic } from '../../support/desired.ts';

const DISK: DesiredDisk = {
  vm: 'web1',
  index: 0,
  image: '/i/a.qcow2',
  format: 'qcow2',
  sizeBytes: 1000,
  base: undefined,
  bus: 'virtio',
  readOnly: false,
};

function desired(...disks: readonly Partial<DesiredDisk>[]): DesiredState {
  const state = desiredState('lab', [], [nic('web1', 0)]);
  return {
    ...state,
    vms: state.vms.map((vm) => ({ ...vm, disks: disks.map((one) => ({ ...DISK, ...one })) })),
  };
}

function there(info: Partial<ImageInfo> = {}, vm?: string): ObservedImage {
  return {
    state: 'there',
    info: {
      image: '/i/a.qcow2',
      format: 'qcow2',
      virtualBytes: 1000,
      allocatedBytes: 0,
      fileBytes: 0,
      clusterBytes: undefined,
      compression: undefined,
      isEncrypted: false,
      isCorrupt: false,
      snapshots: [],
      chain: [],
      ...info,
    },
    users: vm === undefined ? [] : [{ pid: 7, vm, words: `VM "${vm}" (pid 7)` }],
  };
}

function outcome(disk: Partial<DesiredDisk>, image: ObservedImage, base?: ObservedImage): string {
  const images = new Map([['/i/a.qcow2', image], ...(base ? [['/i/base.img', base] as const] : [])]);
  const { changes, refusals } = diffDisks(desired(disk), { images });
  return [...changes.map(({ verb }) => verb), ...refusals.map(({ error }) => error.code)].join();
}

describe('the difference of disks', () => {
  const missing: ObservedImage = { state: 'missing' };
  const base = { image: '/i/base.img', format: 'raw' } as const;
  const unreadable: ObservedImage = {
    state: 'unreadable',
    error: fail('DISK_FORMAT_UNSURE', { image: '/i/a.qcow2' }),
  };

  it('makes what is missing, if there is enough to make it from', () => {
    expect(outcome({}, missing)).to.equal('create');
    expect(outcome({ sizeBytes: undefined }, missing)).to.equal('DISK_SIZE_MISSING');
    expect(outcome({ sizeBytes: undefined, base }, missing, there({ format: 'raw' }))).to.equal('create');
    expect(outcome({ base }, missing, missing)).to.equal('DISK_BASE_MISSING');
    expect(outcome({ base }, missing, unreadable)).to.equal('DISK_FORMAT_UNSURE');
    expect(outcome({ base, format: 'raw' }, missing, there())).to.equal('DISK_NEEDS_QCOW2');
    expect(outcome({ readOnly: true }, missing)).to.equal('DISK_MISSING');
  });

  it('grows what is too small and in nobody’s use, and shrinks nothing', () => {
    expect(outcome({}, there())).to.equal('');
    expect(outcome({ sizeBytes: undefined }, there())).to.equal('');
    expect(outcome({ sizeBytes: 2000 }, there())).to.equal('update');
    expect(outcome({ sizeBytes: 2000 }, there({}, 'web1'))).to.equal('DISK_IN_USE');
    expect(outcome({}, there({}, 'web1')), 'nothing to do').to.equal('');
    expect(outcome({ sizeBytes: 500 }, there())).to.equal('DISK_WOULD_SHRINK');
  });

  it('takes no image for another', () => {
    expect(outcome({}, there({ format: 'vmdk' }))).to.equal('DISK_FORMAT_DIFFERS');
    expect(outcome({ base }, there())).to.equal('DISK_BASE_DIFFERS');
    expect(outcome({ base }, there({ chain: [base] }))).to.equal('');
    expect(outcome({}, there({ chain: [base] })), 'a base that the file does not name').to.equal('');
    expect(outcome({}, unreadable)).to.equal('DISK_FORMAT_UNSURE');
  });

  it('has an image that several read once', () => {
    const shared = desired({ readOnly: true }, { index: 1, readOnly: true });
    const images = new Map([['/i/a.qcow2', there({ format: 'raw' })]]);
    expect(diffDisks(shared, { images }).refusals).to.have.lengthOf(1);
  });

  it('of destroy is nothing, and says so', () => {
    const images = new Map([
      ['/i/a.qcow2', there()],
      ['/i/b.qcow2', missing],
    ]);
    expect(removalOfDisks('lab', { images })).to.deep.equal({
      changes: [],
      refusals: [],
      notes: ['disk images are data and stay: /i/a.qcow2'],
    });
    expect(removalOfDisks('lab', { images: new Map() }).notes).to.equal(undefined);
  });

  it('is told as a finding where it is there after an apply', () => {
    const codes = (image: ObservedImage): string[] =>
      findingsOnDisks(desired({}), { images: new Map([['/i/a.qcow2', image]]) }).map(({ code }) => code);
    expect(codes(there())).to.deep.equal([]);
    expect(codes(missing)).to.deep.equal(['DISK_DIFFERS']);
    expect(codes(there({ format: 'raw' }))).to.deep.equal(['DISK_FORMAT_DIFFERS']);
  });
});
