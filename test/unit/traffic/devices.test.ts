import { expect } from 'chai';
import { VsbError } from '../../../src/errors.ts';
import { openVSwitch, type OpenVSwitchTables } from '../../../src/ovsdb/generated/vswitch.ts';
import { DEVICE_COLUMNS, findDevices, takesVlan, toDevices } from '../../../src/traffic/devices.ts';
import { snapshotOf, uuidOf } from '../../support/snapshots.ts';

type Wire = Readonly<Record<string, unknown>>;

/** A bridge br0 with these ports, each of one interface of its name. */
function devicesOf(ports: Readonly<Record<string, { readonly port?: Wire; readonly iface?: Wire }>>) {
  const names = Object.keys(ports);
  const uuid = (offset: number, index: number) => uuidOf(offset + index);
  const rowsOf = (offset: number, row: (name: string, index: number) => Wire) =>
    Object.fromEntries(names.map((name, index) => [uuid(offset, index), row(name, index)]));
  return toDevices(
    snapshotOf<OpenVSwitchTables>(openVSwitch, {
      Bridge: {
        columns: DEVICE_COLUMNS.Bridge,
        rows: {
          [uuidOf(1)]: {
            name: 'br0',
            ports: ['set', names.map((_, index) => ['uuid', uuid(100, index)])],
          },
        },
      },
      Port: {
        columns: DEVICE_COLUMNS.Port,
        rows: rowsOf(100, (name, index) => ({
          interfaces: ['uuid', uuid(200, index)],
          ...ports[name]?.port,
        })),
      },
      Interface: {
        columns: DEVICE_COLUMNS.Interface,
        rows: rowsOf(200, (name, index) => ({ name, ofport: index + 1, ...ports[name]?.iface })),
      },
    }),
  );
}

function nicIds(vm: string, nic: string, mac = '52:54:00:10:00:01'): Wire {
  return {
    external_ids: [
      'map',
      [
        ['vswitchboard-vm', vm],
        ['vswitchboard-nic', nic],
        ['attached-mac', mac],
      ],
    ],
  };
}

describe('devices', () => {
  it("are a VM's NIC, the host's own, or an uplink", () => {
    const devices = devicesOf({
      br0: { iface: { type: 'internal', mac_in_use: '02:00:00:00:00:01' } },
      eno1: { iface: { mac_in_use: '02:00:00:00:00:02' } },
      mgmt: { iface: { type: 'internal' } },
      tap0: { iface: { ...nicIds('web1', '0', '52-54-00-10-00-0A'), mac_in_use: 'fe:00:00:00:00:03' } },
    });
    expect(
      devices.map(({ name, end, mac }) => [name, typeof end === 'string' ? end : end.vm, mac]),
    ).to.deep.equal([
      ['br0', 'host', '02:00:00:00:00:01'],
      // The address of the device is not that of who is beyond it.
      ['eno1', 'uplink', undefined],
      ['mgmt', 'host', undefined],
      ['tap0', 'web1', '52:54:00:10:00:0a'],
    ]);
  });

  it('take VLANs as ovs-vswitchd.conf.db(5) says', () => {
    const [access, native, open, plain, trunk] = devicesOf({
      access: { port: { tag: 10 } },
      native: { port: { tag: 20, trunks: ['set', [20, 30]], vlan_mode: 'native-untagged' } },
      open: {},
      plain: { port: { vlan_mode: 'access' } },
      trunk: { port: { trunks: ['set', [10, 20]] } },
    });
    const takes = (device: typeof access): number[] =>
      device ? [0, 10, 20, 30, 40].filter((vlan) => takesVlan(device, vlan)) : [];
    expect(takes(access)).to.deep.equal([10]);
    expect(native?.untaggedVlan).to.equal(20);
    expect(takes(native)).to.deep.equal([20, 30]);
    expect(takes(open)).to.deep.equal([0, 10, 20, 30, 40]);
    expect(takes(plain)).to.deep.equal([0]);
    expect(trunk?.untaggedVlan).to.equal(undefined);
    expect(takes(trunk)).to.deep.equal([10, 20]);
  });

  it('are found by VM, by NIC and by name', () => {
    const devices = devicesOf({
      tapA: { iface: nicIds('web1', '10') },
      tapB: { iface: nicIds('web1', '2') },
      tapC: { iface: nicIds('db1', '0') },
      eno1: {},
    });
    const found = (name: string): string[] => findDevices(devices, name).map((device) => device.name);
    expect(found('web1')).to.deep.equal(['tapB', 'tapA']);
    expect(found('web1:10')).to.deep.equal(['tapA']);
    expect(found('eno1')).to.deep.equal(['eno1']);
    expect(() => found('web1:7'))
      .to.throw(VsbError, 'NICs: db1:0, web1:2, web1:10.')
      .with.property('code', 'NIC_UNKNOWN');
  });
});
