import { expect } from 'chai';
import type { ObservedSwitch } from '../../../src/switch/observed.ts';
import { portSpecs, type PortSpec } from '../../../src/switch/portspec.ts';
import { vhostUserColumns, vhostUserObstacle } from '../../../src/switch/vhostuser.ts';
import { bridge, desiredState, nic } from '../../support/desired.ts';

const DEVICE = { type: '', options: new Map<string, string>(), mtuRequest: undefined };
const PORT = {
  type: 'dpdkvhostuserclient',
  options: new Map([['vhost-server-path', '/run/vsb/lab/web1/web1-0.sock']]),
  mtuRequest: undefined,
};

function spec(backend: 'tap' | 'vhost-user', mtu?: number): PortSpec {
  const wanted = nic('web1', 0, { backend: { kind: backend }, mtu });
  const [port] = portSpecs(desiredState('lab', [bridge('br0')], [wanted]), '/run/vsb');
  if (!port) throw new Error('no port');
  return port;
}

describe('ports for vhost-user', () => {
  it('call QEMU in the VM’s run directory', () => {
    const { columns, differences } = vhostUserColumns(spec('vhost-user', 9000), undefined);
    expect(columns).to.deep.equal({ type: PORT.type, options: PORT.options, mtu_request: 9000n });
    expect(differences.map(({ field }) => field)).to.deep.equal([
      'type',
      'options:vhost-server-path',
      'mtu_request',
    ]);
  });

  it('differ in what differs, and become devices of the kernel again', () => {
    const names = (port: PortSpec, iface: Parameters<typeof vhostUserColumns>[1]): string[] =>
      vhostUserColumns(port, iface).differences.map(({ field }) => field);
    expect(names(spec('vhost-user'), PORT)).to.deep.equal([]);
    expect(names(spec('vhost-user', 9000), PORT)).to.deep.equal(['mtu_request']);
    expect(names(spec('vhost-user'), { ...PORT, options: new Map() })).to.deep.equal([
      'options:vhost-server-path',
    ]);
    expect(names(spec('vhost-user'), DEVICE)).to.deep.equal(['type', 'options:vhost-server-path']);
    expect(names(spec('tap'), DEVICE)).to.deep.equal([]);
    expect(
      names(spec('tap'), { ...DEVICE, type: 'internal' }),
      'an adopted port of another kind',
    ).to.deep.equal([]);
    expect(vhostUserColumns(spec('tap'), PORT).columns).to.deep.equal({
      type: '',
      options: new Map(),
      mtu_request: undefined,
    });
  });

  it('are refused by what is missing, with what to do', () => {
    const able = {
      ifaceTypes: ['internal', 'dpdkvhostuserclient'],
      dpdkInitialised: true,
      pipelines: { bridges: new Map(), flows: new Map() },
    } as unknown as ObservedSwitch;
    const why = (datapath: string, settings: Partial<ObservedSwitch> = {}, port = spec('vhost-user')) =>
      vhostUserObstacle(port, datapath, { ...able, ...settings })?.message;
    expect(why('netdev')).to.equal(undefined);
    expect(why('netdev', { ifaceTypes: ['internal'] })).to.include('built without DPDK');
    expect(why('netdev', { dpdkInitialised: false })).to.include('dpdk-init=true');
    expect(why('system')).to.include('"datapath: netdev"');
    expect(why('system', { ifaceTypes: [] }, spec('tap'))).to.equal(undefined);
    expect(why('system', { pipelines: undefined }), 'rows alone').to.equal(undefined);
  });
});
