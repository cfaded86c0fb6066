import { expect } from 'chai';
import type { OpenVSwitchTables } from '../../../src/ovsdb/generated/vswitch.ts';
import { Snapshot } from '../../../src/ovsdb/replica/snapshot.ts';
import type { Uuid } from '../../../src/ovsdb/schema/schema.ts';
import { toBridgePorts } from '../../../src/traffic/switchports.ts';
import { uuid } from './samples.ts';

describe('whose port it is', () => {
  it('is told by our own keys', () => {
    expect(
      ownerOf({
        vswitchboard: 'two-tier',
        'vswitchboard-vm': 'web1',
        'vswitchboard-nic': '0',
        'vswitchboard-network': 'web',
        'vm-id': 'ignored',
        'iface-id': 'ignored',
      }),
    ).to.deep.equal({ vm: 'web1', nic: '0', topology: 'two-tier', network: 'web' });
  });

  const ID = '5f0c5c1d-0000-4000-8000-000000000000';
  for (const key of ['vm-id', 'vm-uuid', 'iface-id']) {
    it(`is told by ${key}, where there is nothing better; the NIC is the port then`, () => {
      expect(ownerOf({ [key]: ID })).to.deep.equal({
        vm: ID,
        nic: 'tap0',
        topology: undefined,
        network: undefined,
      });
    });
  }

  it('is nobody, for an uplink', () => {
    expect(ownerOf({})).to.equal(undefined);
    expect(ownerOf({ vswitchboard: 'two-tier' })).to.equal(undefined);
  });
});

describe('ports of bridges', () => {
  it('are sorted, with every interface of a bond, and without a number where the switch could not open them', () => {
    const bridges = toBridgePorts(
      snapshot({
        Bridge: { 1: { name: 'br1', ports: [] }, 2: { name: 'br0', ports: [uuid(3), uuid(4)] } },
        Port: { 3: { interfaces: [uuid(5), uuid(6)] }, 4: { interfaces: [uuid(7)] } },
        Interface: {
          5: { name: 'tap10', ofport: 1n },
          6: { name: 'tap2', ofport: -1n },
          7: { name: 'br0', ofport: 65534n },
        },
      }),
    );
    expect(bridges.map(({ bridge }) => bridge)).to.deep.equal(['br0', 'br1']);
    expect(bridges[0]?.ports.map(({ port, ofport }) => [port, ofport])).to.deep.equal([
      ['br0', 65534],
      ['tap2', undefined],
      ['tap10', 1],
    ]);
  });
});

function ownerOf(externalIds: Readonly<Record<string, string>>) {
  const [bridge] = toBridgePorts(
    snapshot({
      Bridge: { 1: { name: 'br0', ports: [uuid(2)] } },
      Port: { 2: { interfaces: [uuid(3)] } },
      Interface: { 3: { name: 'tap0', ofport: 1n, external_ids: new Map(Object.entries(externalIds)) } },
    }),
  );
  return (bridge?.ports[0] ?? expect.fail('no port')).owner;
}

/** Rows by the number of their UUID, with the columns that matter. */
function snapshot(tables: Record<string, Record<number, object>>): Snapshot<OpenVSwitchTables> {
  return new Snapshot(
    new Map(
      Object.entries(tables).map(([name, rows]) => [
        name,
        new Map<Uuid, unknown>(
          Object.entries(rows).map(([n, row]) => [
            uuid(Number(n)),
            { _uuid: uuid(Number(n)), external_ids: new Map<string, string>(), ...row },
          ]),
        ),
      ]),
    ),
  );
}
