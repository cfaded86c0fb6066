import { expect } from 'chai';
import type { Uuid } from '../../../src/ovsdb/schema/schema.ts';
import { diffSwitch, diffSwitchRemoval } from '../../../src/switch/diff.ts';
import type {
  ObservedBridge,
  ObservedInterface,
  ObservedPort,
  ObservedQos,
  ObservedSwitch,
} from '../../../src/switch/observed.ts';
import { toBitsPerSecond } from '../../../src/units/bitrate.ts';
import { bridge, desiredState, nic, vlanId } from '../../support/desired.ts';

const OURS = new Map([['vswitchboard', 'lab']]);
const NIC_IDS = new Map([
  ['attached-mac', '52:54:00:10:00:01'],
  ['iface-id', 'iface-of-web1-0'],
  ['vm-id', 'uuid-of-web1'],
  ['vswitchboard', 'lab'],
  ['vswitchboard-network', 'web'],
  ['vswitchboard-nic', '0'],
  ['vswitchboard-vm', 'web1'],
]);

function uuid(text: string): Uuid {
  return text as Uuid;
}

function observedBridge(name: string, settings: Partial<ObservedBridge> = {}): ObservedBridge {
  return {
    uuid: uuid(`bridge-${name}`),
    name,
    datapathType: 'netdev',
    rstp: false,
    mcastSnooping: false,
    externalIds: OURS,
    portNames: [],
    ...settings,
  };
}

function observedPort(
  name: string,
  settings: Partial<ObservedPort> = {},
  iface: Partial<ObservedInterface> = {},
): ObservedPort {
  return {
    uuid: uuid(`port-${name}`),
    name,
    bridge: 'br0',
    tag: 10,
    trunks: [],
    vlanMode: 'access',
    qosUuid: undefined,
    externalIds: OURS,
    interfaces: [
      {
        uuid: uuid(`interface-${name}`),
        name,
        type: '',
        options: new Map<string, string>(),
        mtuRequest: undefined,
        ofportRequest: 40000,
        policingRateKbps: 0n,
        policingBurstKb: 0n,
        linkUp: false,
        externalIds: NIC_IDS,
        ...iface,
      },
    ],
    ...settings,
  };
}

function observed(
  bridges: readonly ObservedBridge[],
  ports: readonly ObservedPort[] = [],
  qos: readonly ObservedQos[] = [],
  kernelDatapath = false,
): ObservedSwitch {
  const onBridge = (name: string): string[] =>
    ports.filter((port) => port.bridge === name).map((port) => port.name);
  return {
    rootUuid: uuid('root'),
    ifaceTypes: [],
    dpdkInitialised: false,
    runDir: '/run/vsb',
    kernelDatapath,
    bridges: new Map(bridges.map((each) => [each.name, { ...each, portNames: onBridge(each.name) }])),
    ports: new Map(ports.map((port) => [port.name, port])),
    portOfInterface: new Map(
      ports.flatMap((port) => port.interfaces.map((iface) => [iface.name, port.name] as const)),
    ),
    qos: new Map(qos.map((row) => [row.uuid, row])),
    pipelines: undefined,
  };
}

const EMPTY = observed([]);
const WEB1 = desiredState('lab', [bridge('br0')], [nic('web1', 0)]);

describe('switch: diff', () => {
  it('creates the bridge and the port, bridge first, with VLAN, owner and ids', () => {
    const { changes, refusals } = diffSwitch(WEB1, EMPTY);
    expect(refusals).to.deep.equal([]);
    expect(changes.map(({ verb, kind, name, impact }) => [verb, kind, name, impact])).to.deep.equal([
      ['create', 'Bridge', 'br0', 'none'],
      ['create', 'Port', 'web1-0', 'none'],
    ]);
    const edit = changes[1]?.edit;
    expect(edit?.edit).to.equal('create-port');
    if (edit?.edit !== 'create-port') return;
    expect(edit.port).to.deep.equal({ tag: 10, vlan_mode: 'access' });
    expect(edit.interfaceIds).to.deep.equal(NIC_IDS);
    expect(edit.portIds).to.deep.equal(OURS);
    expect(edit.iface.ofport_request).to.be.within(0x8000, 0xfeff);
  });

  it('finds nothing where everything is as wanted', () => {
    expect(
      diffSwitch(WEB1, observed([observedBridge('br0')], [observedPort('web1-0')])).changes,
    ).to.deep.equal([]);
  });

  it('gives the same plan for the same input, whatever the order of the rows', () => {
    const desired = desiredState('lab', [bridge('br0')], [nic('b', 0), nic('a', 0), nic('c', 0)]);
    const rows = [observedPort('z-0'), observedPort('y-0')];
    const one = diffSwitch(desired, observed([observedBridge('br0')], rows));
    const two = diffSwitch(desired, observed([observedBridge('br0')], rows.toReversed()));
    expect(JSON.stringify(one.changes.map(({ edit, ...change }) => [change, edit.edit]))).to.equal(
      JSON.stringify(two.changes.map(({ edit, ...change }) => [change, edit.edit])),
    );
    expect(one.changes.map((change) => change.name)).to.deep.equal(['a-0', 'b-0', 'c-0', 'y-0', 'z-0']);
  });

  it('chooses the kernel datapath for auto where the kernel has it, else the userspace one', () => {
    const desired = desiredState('lab', [bridge('br0', { datapath: 'auto' })], []);
    const type = (kernelDatapath: boolean): unknown => {
      const edit = diffSwitch(desired, observed([], [], [], kernelDatapath)).changes[0]?.edit;
      return edit?.edit === 'create-bridge' ? edit.columns.datapath_type : undefined;
    };
    expect(type(true)).to.equal('system');
    expect(type(false)).to.equal('netdev');
  });

  it('leaves the datapath of a bridge that is there alone under auto', () => {
    const desired = desiredState('lab', [bridge('br0', { datapath: 'auto' })], []);
    expect(diffSwitch(desired, observed([observedBridge('br0')], [], [], true)).changes).to.deep.equal([]);
  });

  it('updates only the columns that differ, and says what that does to traffic', () => {
    const drifted = observedPort('web1-0', { tag: 99 });
    const [change, ...more] = diffSwitch(WEB1, observed([observedBridge('br0')], [drifted])).changes;
    expect(more).to.deep.equal([]);
    expect(change?.impact).to.equal('flow');
    expect(change?.fields).to.deep.equal([{ field: 'tag', from: '99', to: '10' }]);
    expect(change?.edit.edit === 'update-port' && change.edit.port).to.deep.equal({ tag: 10 });
  });

  it('writes only its own keys of external_ids', () => {
    const ids = new Map([...NIC_IDS, ['iface-status', 'active'], ['vm-id', 'wrong']]);
    const there = observedPort('web1-0', {}, { externalIds: ids });
    const edit = diffSwitch(WEB1, observed([observedBridge('br0')], [there])).changes[0]?.edit;
    expect(edit?.edit === 'update-port' && [...edit.interfaceIds.set]).to.deep.equal([
      ['vm-id', 'uuid-of-web1'],
    ]);
    expect(edit?.edit === 'update-port' && edit.interfaceIds.remove).to.deep.equal([]);
  });

  it('moves a port to another bridge in one change', () => {
    const desired = desiredState('lab', [bridge('br0'), bridge('br1')], [nic('web1', 0, { bridge: 'br1' })]);
    const there = observed([observedBridge('br0'), observedBridge('br1')], [observedPort('web1-0')]);
    const [change, ...more] = diffSwitch(desired, there).changes;
    expect(more).to.deep.equal([]);
    expect(change?.impact).to.equal('port-bounce');
    expect(change?.edit.edit === 'update-port' && change.edit.move).to.deep.equal({
      fromUuid: 'bridge-br0',
      toBridge: 'br1',
    });
  });

  it('gives no new port the number of one that comes from another bridge', () => {
    const alone = desiredState('lab', [bridge('br1')], [nic('new', 0, { bridge: 'br1' })]);
    const [created] = diffSwitch(alone, observed([observedBridge('br1')], [])).changes;
    const wished = created?.edit.edit === 'create-port' ? created.edit.iface.ofport_request : undefined;
    expect(wished).to.be.a('number');
    // The one that moves has the very number that the new one would get.
    const moving = observedPort('web1-0', {}, { ofportRequest: wished });
    const both = desiredState(
      'lab',
      [bridge('br0'), bridge('br1')],
      [nic('new', 0, { bridge: 'br1' }), nic('web1', 0, { bridge: 'br1' })],
    );
    const { changes } = diffSwitch(both, observed([observedBridge('br0'), observedBridge('br1')], [moving]));
    const numbers = changes.map(({ name, edit }) => [
      name,
      edit.edit === 'create-port' || edit.edit === 'update-port' ? edit.iface.ofport_request : undefined,
    ]);
    expect(numbers[0]?.[0]).to.equal('new-0');
    expect(numbers[0]?.[1]).to.be.a('number').that.does.not.equal(wished);
    expect(numbers[1], 'it keeps its own').to.deep.equal(['web1-0', undefined]);
  });

  it('names the burst where only that differs', () => {
    const there = observed(
      [observedBridge('br0')],
      [observedPort('web1-0', {}, { policingRateKbps: 500_000n, policingBurstKb: 1000n })],
    );
    const limited = desiredState(
      'lab',
      [bridge('br0')],
      [nic('web1', 0, { limit: { sent: toBitsPerSecond('500M'), received: undefined } })],
    );
    expect(diffSwitch(limited, there).changes.map(({ fields }) => fields)).to.deep.equal([
      [{ field: 'ingress_policing_burst', from: '1000 kbit', to: '50000 kbit' }],
    ]);
  });

  it('refuses a port of somebody else, and takes it with adopt', () => {
    const foreign = observedPort('web1-0', { externalIds: new Map() }, { externalIds: new Map() });
    const there = observed([observedBridge('br0')], [foreign]);
    const refused = diffSwitch(WEB1, there);
    expect(refused.changes).to.deep.equal([]);
    expect(refused.refusals.map(({ error }) => error.code)).to.deep.equal(['PORT_NOT_OURS']);
    expect(refused.refusals[0]?.error.message).to.contain('adopt: true');
    const adopting = desiredState('lab', [bridge('br0')], [nic('web1', 0, { adopt: true })]);
    const adopted = diffSwitch(adopting, there);
    expect(adopted.refusals).to.deep.equal([]);
    expect(adopted.changes[0]?.reason).to.contain('adopt');
    const edit = adopted.changes[0]?.edit;
    expect(edit?.edit === 'update-port' && [...edit.portIds.set]).to.deep.equal([
      ['vswitchboard', 'lab'],
      ['vswitchboard-adopted', 'true'],
    ]);
  });

  it('lets an adopted port go, and the bridge that it is on, in place of removing them', () => {
    const adopted = new Map([...OURS, ['vswitchboard-adopted', 'true']]);
    const port = observedPort('web1-0', { externalIds: adopted });
    const onOurs = diffSwitchRemoval('lab', observed([observedBridge('br0')], [port])).changes;
    expect(onOurs.map(({ verb, kind }) => [verb, kind])).to.deep.equal([
      ['update', 'Bridge'],
      ['update', 'Port'],
    ]);
    const edit = onOurs[1]?.edit;
    expect(edit?.edit === 'update-port' && [edit.portIds.remove, edit.interfaceIds.remove]).to.deep.equal([
      ['vswitchboard', 'vswitchboard-adopted'],
      ['vswitchboard', 'vswitchboard-vm', 'vswitchboard-nic', 'vswitchboard-network'],
    ]);
    const empty = diffSwitchRemoval(
      'lab',
      observed([observedBridge('br0', { externalIds: adopted })]),
    ).changes;
    expect(empty.map(({ verb, kind }) => [verb, kind])).to.deep.equal([['update', 'Bridge']]);
  });

  it('names the topology that owns a port already', () => {
    const theirs = observedPort('web1-0', { externalIds: new Map([['vswitchboard', 'other']]) });
    const { refusals } = diffSwitch(WEB1, observed([observedBridge('br0')], [theirs]));
    expect(refusals[0]?.error.message).to.contain('"other"');
  });

  it('refuses a name that is a bridge, a bond, or a member of one', () => {
    const member = { ...observedPort('x').interfaces[0], name: 'web1-0' } as ObservedInterface;
    const codes = (ports: readonly ObservedPort[]): string[] =>
      diffSwitch(WEB1, observed([observedBridge('br0')], ports)).refusals.map(({ error }) => error.code);
    expect(codes([observedPort('web1-0', { bridge: 'web1-0' })])).to.deep.equal(['PORT_IS_BRIDGE']);
    expect(codes([observedPort('bond0', { interfaces: [member], externalIds: new Map() })])).to.deep.equal([
      'INTERFACE_IN_USE',
    ]);
    const two = [...observedPort('web1-0').interfaces, member];
    expect(codes([observedPort('web1-0', { interfaces: two })])).to.deep.equal(['PORT_IS_BOND']);
  });

  it('removes ports of ours that nothing wants, and nobody else’s', () => {
    const there = observed(
      [observedBridge('br0')],
      [
        observedPort('web1-0'),
        observedPort('gone-0'),
        observedPort('foreign', { externalIds: new Map() }),
        observedPort('other', { externalIds: new Map([['vswitchboard', 'other']]) }),
      ],
    );
    const { changes } = diffSwitch(WEB1, there);
    expect(changes.map(({ verb, name }) => [verb, name])).to.deep.equal([['remove', 'gone-0']]);
  });

  it('says that a connected VM loses its bridge', () => {
    const there = observed([observedBridge('br0')], [observedPort('gone-0', {}, { linkUp: true })]);
    const [change] = diffSwitch(desiredState('lab', [bridge('br0')], []), there).changes;
    expect(change?.impact).to.equal('traffic-gap');
    expect(change?.collateral).to.deep.equal(['web1:0 is connected and loses br0']);
  });

  it('makes, changes and removes limits', () => {
    const limited = desiredState(
      'lab',
      [bridge('br0')],
      [nic('web1', 0, { limit: { sent: toBitsPerSecond('500M'), received: toBitsPerSecond('1G') } })],
    );
    const created = diffSwitch(limited, observed([observedBridge('br0')])).changes[0]?.edit;
    expect(created?.edit === 'create-port' && [created.iface, created.qos]).to.deep.equal([
      {
        ofport_request: created?.edit === 'create-port' ? created.iface.ofport_request : 0,
        ingress_policing_rate: 500_000n,
        ingress_policing_burst: 50_000n,
      },
      { qos: 'create', maxRate: '1000000000', owner: 'lab' },
    ]);
    const qos: ObservedQos = { uuid: uuid('q'), type: 'linux-htb', maxRate: '5', externalIds: OURS };
    const slow = observedPort('web1-0', { qosUuid: qos.uuid });
    const changed = diffSwitch(limited, observed([observedBridge('br0')], [slow], [qos])).changes[0]?.edit;
    expect(changed?.edit === 'update-port' && changed.qos).to.deep.equal({
      qos: 'update',
      uuid: 'q',
      maxRate: '1000000000',
    });
    const removed = diffSwitch(WEB1, observed([observedBridge('br0')], [slow], [qos])).changes[0]?.edit;
    expect(removed?.edit === 'update-port' && removed.qos).to.deep.equal({ qos: 'remove', uuid: 'q' });
  });

  it('leaves a QoS row of somebody else alone where the file has no limit', () => {
    const qos: ObservedQos = { uuid: uuid('q'), type: 'linux-htb', maxRate: '5', externalIds: new Map() };
    const there = observed([observedBridge('br0')], [observedPort('web1-0', { qosUuid: qos.uuid })], [qos]);
    expect(diffSwitch(WEB1, there).changes).to.deep.equal([]);
  });

  it('collects a QoS row of ours that no port uses', () => {
    const qos: ObservedQos = { uuid: uuid('q'), type: 'linux-htb', maxRate: '5', externalIds: OURS };
    const { changes } = diffSwitch(WEB1, observed([observedBridge('br0')], [observedPort('web1-0')], [qos]));
    expect(changes.map(({ verb, kind }) => [verb, kind])).to.deep.equal([['remove', 'QoS']]);
  });
});

describe('switch: bridges of somebody else', () => {
  const foreign = observedBridge('br0', { externalIds: new Map([['note', 'mine']]) });
  const rstp = desiredState('lab', [bridge('br0', { rstp: true })], []);

  it('are used as they are', () => {
    const { changes } = diffSwitch(WEB1, observed([foreign]));
    expect(changes.map(({ verb, kind }) => [verb, kind])).to.deep.equal([['create', 'Port']]);
  });

  it('are refused where the datapath would have to change', () => {
    const desired = desiredState('lab', [bridge('br0', { datapath: 'system' })], []);
    const { changes, refusals } = diffSwitch(desired, observed([foreign]));
    expect(changes).to.deep.equal([]);
    expect(refusals.map(({ error }) => error.code)).to.deep.equal(['BRIDGE_NOT_OURS']);
  });

  it('get a setting with a note of what was there, and get it back', () => {
    const edit = diffSwitch(rstp, observed([foreign])).changes[0]?.edit;
    expect(edit?.edit === 'update-bridge' && [edit.columns, [...edit.externalIds.set]]).to.deep.equal([
      { rstp_enable: true },
      [['vswitchboard/rstp_enable', 'lab true false']],
    ]);
    const noted = new Map([['vswitchboard/rstp_enable', 'lab true false']]);
    const after = observed([observedBridge('br0', { rstp: true, externalIds: noted })]);
    expect(diffSwitch(rstp, after).changes).to.deep.equal([]);
    for (const undo of [
      diffSwitchRemoval('lab', after),
      diffSwitch(desiredState('lab', [bridge('br0')], []), after),
    ]) {
      const back = undo.changes[0]?.edit;
      expect(back?.edit === 'update-bridge' && [back.columns, back.externalIds.remove]).to.deep.equal([
        { rstp_enable: false },
        ['vswitchboard/rstp_enable'],
      ]);
    }
  });

  it('keep a setting that somebody changed after us', () => {
    const noted = new Map([['vswitchboard/rstp_enable', 'lab true false']]);
    const after = observed([observedBridge('br0', { rstp: false, externalIds: noted })]);
    const back = diffSwitchRemoval('lab', after).changes[0]?.edit;
    expect(back?.edit === 'update-bridge' && [back.columns, back.externalIds.remove]).to.deep.equal([
      {},
      ['vswitchboard/rstp_enable'],
    ]);
  });

  it('stay when the topology goes; its notes of other topologies too', () => {
    const noted = new Map([['vswitchboard/rstp_enable', 'other true false']]);
    const there = observed([observedBridge('br0', { rstp: true, externalIds: noted })]);
    expect(diffSwitchRemoval('lab', there).changes).to.deep.equal([]);
  });
});

describe('switch: removal', () => {
  it('takes everything of the topology and nothing else', () => {
    const local = observedPort('br0', { bridge: 'br0' });
    const there = observed([observedBridge('br0')], [local, observedPort('web1-0')]);
    expect(
      diffSwitchRemoval('lab', there).changes.map(({ verb, kind, name }) => [verb, kind, name]),
    ).to.deep.equal([
      ['remove', 'Bridge', 'br0'],
      ['remove', 'Port', 'web1-0'],
    ]);
  });

  it('leaves our bridge to others whose ports are on it', () => {
    const there = observed(
      [observedBridge('br0')],
      [observedPort('web1-0'), observedPort('theirs', { externalIds: new Map() })],
    );
    const [kept, removed] = diffSwitchRemoval('lab', there).changes;
    expect(kept?.edit.edit === 'update-bridge' && kept.edit.externalIds.remove).to.include('vswitchboard');
    expect(kept?.reason).to.contain('theirs');
    expect(removed?.edit.edit).to.equal('remove-port');
  });
});

describe('switch: VLAN columns', () => {
  const portOf = (vlan: Parameters<typeof nic>[2]): unknown => {
    const edit = diffSwitch(desiredState('lab', [bridge('br0')], [nic('web1', 0, vlan)]), EMPTY).changes[1]
      ?.edit;
    return edit?.edit === 'create-port' ? edit.port : undefined;
  };

  it('are always explicit', () => {
    expect(portOf({ vlan: { mode: 'access', tag: vlanId(0) } })).to.deep.equal({
      tag: 0,
      vlan_mode: 'access',
    });
    expect(portOf({ vlan: { mode: 'trunk', trunks: [vlanId(20), vlanId(30)] } })).to.deep.equal({
      trunks: [20, 30],
      vlan_mode: 'trunk',
    });
    expect(
      portOf({ vlan: { mode: 'native-untagged', tag: vlanId(20), trunks: [vlanId(20), vlanId(30)] } }),
    ).to.deep.equal({ tag: 20, trunks: [20, 30], vlan_mode: 'native-untagged' });
  });
});
