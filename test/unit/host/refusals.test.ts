import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { PciFunction } from '../../../src/host/pci.ts';
import { decodeFunctions, observePciUsers, type PciUsers } from '../../../src/host/pciusers.ts';
import { passthroughRefusals } from '../../../src/host/refusals.ts';
import { desiredTaps } from '../../support/desiredtaps.ts';

const [ONE, TWO] = ['0000:03:02.0', '0000:03:02.1'];

function pciFunction(address: string, iommuGroup: string): PciFunction {
  const { vendor, device, class: code } = { vendor: '8086', device: '154c', class: '020000' };
  return {
    ...{ address, vendor, device, class: code, driver: 'vfio-pci', iommuGroup },
    ...{ physicalFunction: undefined, virtualFunctions: [], vfs: undefined, netdevs: [] },
  };
}

describe('a PCI function of another guest', () => {
  const desired = desiredTaps(
    'lab',
    [ONE, TWO].map((address, place) => ({
      device: `vm${String(place)}`,
      nic: { bridge: undefined, backend: { kind: 'passthrough', address } },
    })),
  );
  function refused(groups: readonly [string, string], pciUsers: PciUsers = new Map()): string[] {
    const pci = new Map(
      [pciFunction(ONE, groups[0]), pciFunction(TWO, groups[1])].map((f) => [f.address, f]),
    );
    return passthroughRefusals(desired, { devices: new Map(), pci, pciUsers }).map(
      ({ name, error }) => `${name} ${error.code}`,
    );
  }

  it('is refused while that guest runs, with all of its IOMMU group; its own guest keeps it', () => {
    const own = desired.vms[0]?.uuid;
    expect(refused(['1', '2'])).to.deep.equal([]);
    expect(refused(['1', '2'], new Map([[ONE, { pid: 7, uuid: own }]]))).to.deep.equal([]);
    const stranger = { pid: 7, uuid: undefined };
    expect(refused(['1', '2'], new Map([[ONE, stranger]]))).to.deep.equal(['vm0:0 PCI_IN_USE']);
    expect(refused(['1', '1'], new Map([[ONE, stranger]]))).to.deep.equal([
      'vm0:0 PCI_IN_USE',
      'vm1:0 PCI_IN_USE',
    ]);
  });

  it('is refused where two VMs of one file would share an IOMMU group', () => {
    expect(refused(['1', '1'])).to.deep.equal(['vm1:0 PCI_GROUP_SPLIT']);
  });

  it('is found in command lines, as vsb, people and libvirt write them', async () => {
    const libvirt = '{"driver":"vfio-pci","host":"0000:05:00.0","id":"hostdev0","bus":"pci.6"}';
    expect(decodeFunctions(['-device', 'vfio-pci,host=03:02.1,id=nic0', '-device', libvirt])).to.deep.equal([
      TWO,
      '0000:05:00.0',
    ]);
    expect(decodeFunctions(['-device', 'virtio-net-pci,host=03:02.1', 'vfio-pci'])).to.deep.equal([]);
    const proc = await mkdtemp(join(tmpdir(), 'vsb-proc-'));
    try {
      const lines = {
        12: ['/usr/bin/qemu-system-x86_64', '-uuid', 'ABC', '-device', `vfio-pci,host=${ONE}`],
        13: ['grep', `vfio-pci,host=${TWO}`],
        self: ['qemu-system-x86_64', '-device', `vfio-pci,host=${TWO}`],
      };
      for (const [pid, argv] of Object.entries(lines)) {
        await mkdir(join(proc, pid));
        await writeFile(join(proc, pid, 'cmdline'), `${argv.join('\0')}\0`);
      }
      await mkdir(join(proc, '14'));
      expect([...(await observePciUsers(proc))]).to.deep.equal([[ONE, { pid: 12, uuid: 'abc' }]]);
    } finally {
      await rm(proc, { recursive: true });
    }
  });
});
