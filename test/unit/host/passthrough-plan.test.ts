import { expect } from 'chai';
import { diffHost } from '../../../src/host/diff.ts';
import { readPci } from '../../../src/host/pci.ts';
import { readTopology } from '../../../src/topology/read.ts';
import { resolve } from '../../../src/topology/resolve.ts';
import { plantHost } from '../../support/hosttree.ts';

describe('a plan with passthrough', () => {
  it('refuses the functions that a guest cannot have, by the NIC, and no others', async () => {
    await using tree = await plantHost('sriov');
    const pci = await readPci(`${tree.root}/sys`, ['vmbr0']);
    const topology = {
      version: 1,
      name: 'hw',
      networks: { direct: {} },
      vms: {
        a: { nics: [{ network: 'direct', backend: { passthrough: '0000:03:02.0' } }] },
        b: { nics: [{ network: 'direct', backend: { passthrough: '0000:03:00.0' } }] },
      },
    };
    const read = readTopology(JSON.stringify(topology), 'hw.vsb.yaml');
    if (!read.ok) throw new Error(read.issues.map(({ message }) => message).join('\n'));
    const { refusals } = diffHost(resolve(read.topology), { devices: new Map(), pci });
    expect(refusals.map(({ name, error }) => `${name} ${error.code}`)).to.deep.equal([
      'b:0 PCI_DEFAULT_ROUTE',
    ]);
  });
});
