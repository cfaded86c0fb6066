import { expect } from 'chai';
import { groupMembers, passthroughObstacle } from '../../../src/host/passthrough.ts';
import { decodeDefaultRoutes, readPci, type PciFunction, type PciInventory } from '../../../src/host/pci.ts';
import { plantHost, type HostTree } from '../../support/hosttree.ts';

describe('PCI functions', () => {
  let tree: HostTree;
  let inventory: PciInventory;

  before(async () => {
    tree = await plantHost('sriov');
    inventory = await readPci(`${tree.root}/sys`, ['vmbr0']);
  });
  after(() => tree[Symbol.asyncDispose]());

  it('are read with driver, IOMMU group, virtual functions and network devices', () => {
    expect(inventory.get('0000:03:00.0')).to.deep.equal({
      address: '0000:03:00.0',
      vendor: '8086',
      device: '1572',
      class: '020000',
      driver: 'i40e',
      iommuGroup: '10',
      physicalFunction: undefined,
      virtualFunctions: ['0000:03:02.0', '0000:03:02.1'],
      vfs: { made: 2, most: 64 },
      netdevs: [{ name: 'eno1', link: 'up', isDefaultRoute: true }],
    });
    const vf = inventory.get('0000:03:02.1');
    expect(vf?.physicalFunction).to.equal('0000:03:00.0');
    expect(vf?.vfs).to.equal(undefined);
    expect(vf?.netdevs).to.deep.equal([{ name: 'eno1v1', link: 'up', isDefaultRoute: false }]);
    expect([...inventory.keys()]).to.have.length(6);
  });

  it('have the other members of their group', () => {
    const card = inventory.get('0000:05:00.0') as PciFunction;
    expect(groupMembers(card, inventory).map(({ address }) => address)).to.deep.equal(['0000:05:00.1']);
  });

  it('are none where there is no PCI', async () => {
    await using empty = await plantHost();
    expect((await readPci(`${empty.root}/sys`, [])).size).to.equal(0);
  });

  for (const [address, code, says] of [
    ['0000:03:02.0', undefined, ''],
    ['0000:03:02.7', 'PCI_MISSING', '/sys/bus/pci/devices/0000:03:00.0/sriov_numvfs'],
    ['0000:05:00.1', 'PCI_NOT_NETWORK', 'class 010802'],
    ['0000:03:00.0', 'PCI_DEFAULT_ROUTE', '"eno1"'],
    ['0000:03:02.1', 'PCI_DRIVER', 'echo 0000:03:02.1 > /sys/bus/pci/drivers/iavf/unbind'],
    ['0000:05:00.0', 'PCI_GROUP_IN_USE', 'group 20 with 0000:05:00.1'],
  ] as const) {
    it(`${address} ${code === undefined ? 'can be handed to a guest' : `is refused: ${code}`}`, () => {
      const obstacle = passthroughObstacle(address, inventory);
      expect(obstacle?.code).to.equal(code);
      expect(obstacle?.message ?? '').to.include(says);
    });
  }

  it('are refused without an IOMMU', () => {
    const without = new Map(
      [...inventory].map(([address, one]) => [address, { ...one, iommuGroup: undefined }]),
    );
    expect(passthroughObstacle('0000:03:02.0', without)?.code).to.equal('PCI_NO_IOMMU');
  });
});

describe('default routes', () => {
  it('are those of every next hop', () => {
    expect(decodeDefaultRoutes('[{"dst":"default","gateway":"192.0.2.1","dev":"eth0"}]')).to.deep.equal([
      'eth0',
    ]);
    expect(
      decodeDefaultRoutes('[{"dst":"default","nexthops":[{"dev":"eno1"},{"dev":"eno2"}]}]'),
    ).to.deep.equal(['eno1', 'eno2']);
    expect(decodeDefaultRoutes('')).to.deep.equal([]);
  });
  it('that are something else are a fault of ours', () => {
    expect(() => decodeDefaultRoutes('{}'))
      .to.throw()
      .with.property('code', 'INTERNAL');
  });
});
