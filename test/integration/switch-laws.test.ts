import { expect } from 'chai';
import fc from 'fast-check';
import { connectSwitch } from '../../src/app/switchclient.ts';
import { toSettings } from '../../src/app/settings.ts';
import type { OvsdbClient } from '../../src/ovsdb/client/client.ts';
import type { OpenVSwitchTables } from '../../src/ovsdb/generated/vswitch.ts';
import type { Snapshot } from '../../src/ovsdb/replica/snapshot.ts';
import { switchDomain } from '../../src/switch/domain.ts';
import type { DesiredBridge, DesiredNic, DesiredState } from '../../src/topology/desired.ts';
import { toBitsPerSecond } from '../../src/units/bitrate.ts';
import type { VlanMode } from '../../src/units/vlan.ts';
import { bridge, desiredState, nic, vlanId } from '../support/desired.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';

const WAIT = { deadlineMs: 5000 };

const vlanArbitrary: fc.Arbitrary<VlanMode> = fc.oneof(
  fc.integer({ min: 0, max: 4094 }).map((tag): VlanMode => ({ mode: 'access', tag: vlanId(tag) })),
  fc
    .uniqueArray(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 })
    .map((ids): VlanMode => ({ mode: 'trunk', trunks: ids.sort((a, b) => a - b).map(vlanId) })),
  fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 }).map((ids): VlanMode => {
    const trunks = ids.sort((a, b) => a - b).map(vlanId);
    return { mode: 'native-untagged', tag: trunks[0] ?? vlanId(1), trunks };
  }),
);

const rateArbitrary = fc.option(fc.integer({ min: 1, max: 1000 }), { nil: undefined });

const nicArbitrary: fc.Arbitrary<DesiredNic> = fc
  .record({
    vm: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    index: fc.integer({ min: 0, max: 1 }),
    bridge: fc.constantFrom('br0', 'br1'),
    vlan: vlanArbitrary,
    sent: rateArbitrary,
    received: rateArbitrary,
  })
  .map(({ vm, index, sent, received, ...settings }) =>
    nic(vm, index, {
      ...settings,
      limit: {
        sent: sent === undefined ? undefined : toBitsPerSecond(`${String(sent)}M`),
        received: received === undefined ? undefined : toBitsPerSecond(`${String(received)}M`),
      },
    }),
  );

const bridgeArbitrary = (name: string): fc.Arbitrary<DesiredBridge> =>
  fc
    .record({
      rstp: fc.option(fc.boolean(), { nil: undefined }),
      mcastSnooping: fc.option(fc.boolean(), { nil: undefined }),
    })
    .map((settings) => bridge(name, settings));

const stateArbitrary: fc.Arbitrary<DesiredState> = fc
  .tuple(
    bridgeArbitrary('br0'),
    bridgeArbitrary('br1'),
    fc.uniqueArray(nicArbitrary, { maxLength: 8, selector: (each) => each.device }),
  )
  .map(([br0, br1, nics]) => desiredState('lab', [br0, br1], nics));

/** All rows with references by name in place of UUIDs: equal for databases that mean the same. */
function meaning(snapshot: Snapshot<OpenVSwitchTables>): unknown {
  const map = (entries: ReadonlyMap<string, string>): unknown => [...entries].sort();
  return [...snapshot.table('Bridge').values()]
    .map((row) => ({
      name: row.name,
      type: row.datapath_type,
      rstp: row.rstp_enable,
      snooping: row.mcast_snooping_enable,
      ids: map(row.external_ids),
      ports: row.ports
        .flatMap((uuid) => snapshot.row('Port', uuid) ?? [])
        .map((port) => ({
          name: port.name,
          tag: port.tag,
          trunks: port.trunks,
          mode: port.vlan_mode,
          ids: map(port.external_ids),
          qos:
            port.qos === undefined
              ? undefined
              : map(snapshot.row('QoS', port.qos)?.other_config ?? new Map()),
          interfaces: port.interfaces
            .flatMap((uuid) => snapshot.row('Interface', uuid) ?? [])
            .map((iface) => ({
              name: iface.name,
              ids: map(iface.external_ids),
              ofport: iface.ofport_request,
              rate: String(iface.ingress_policing_rate),
              burst: String(iface.ingress_policing_burst),
            })),
        }))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

describe('switch: laws, on a real ovsdb-server', function () {
  this.timeout(120_000);
  let sandbox: TestSandbox;
  let client: OvsdbClient<OpenVSwitchTables>;

  before(async () => {
    sandbox = await startTestSandbox({ databaseOnly: true });
    client = await connectSwitch(toSettings({ remote: sandbox.remote }, {}));
    // What others have there must not be touched by any of it.
    await sandbox.vsctl(
      ...['--no-wait', 'add-br', 'br9', '--', 'add-port', 'br9', 'theirs', 'tag=7'],
      ...['--', 'set', 'Port', 'theirs', 'qos=@q', '--', '--id=@q', 'create', 'QoS', 'type=linux-htb'],
    );
  });

  after(async () => {
    await client.close();
    await sandbox[Symbol.asyncDispose]();
  });

  function domain(): ReturnType<typeof switchDomain> {
    return switchDomain({
      client,
      remote: sandbox.remote,
      netns: undefined,
      ovsRundir: '/nowhere',
      databaseOnly: true,
    });
  }

  async function apply(desired: DesiredState): Promise<void> {
    const ovs = domain();
    const { changes, refusals } = ovs.diff(desired, await ovs.observe(desired));
    expect(refusals).to.deep.equal([]);
    if (changes.length > 0) await ovs.apply(changes, WAIT);
    const second = ovs.diff(desired, await ovs.observe(desired));
    expect(second.changes, 'the second plan is empty').to.deep.equal([]);
  }

  async function destroy(): Promise<void> {
    const ovs = domain();
    const { changes } = ovs.removal('lab', await ovs.observe(desiredState('lab', [], [])));
    if (changes.length > 0) await ovs.apply(changes, WAIT);
  }

  it('a second plan is empty; A, B, A equals A; destroy leaves what was there before', async () => {
    const before = meaning(client.snapshot());
    const qosBefore = client.snapshot().table('QoS').size;
    await fc.assert(
      fc.asyncProperty(stateArbitrary, stateArbitrary, async (a, b) => {
        await apply(a);
        const first = meaning(client.snapshot());
        await apply(b);
        await apply(a);
        expect(meaning(client.snapshot())).to.deep.equal(first);
        await destroy();
        expect(meaning(client.snapshot())).to.deep.equal(before);
        expect(client.snapshot().table('QoS').size).to.equal(qosBefore);
      }),
      { numRuns: 60, seed: 20, endOnFailure: false },
    );
  });

  it('what is written is what ovs-vsctl reads', async () => {
    await apply(
      desiredState(
        'lab',
        [bridge('br0')],
        [nic('a', 0), nic('b', 0, { vlan: { mode: 'trunk', trunks: [vlanId(20), vlanId(30)] } })],
      ),
    );
    const get = async (...args: string[]): Promise<string> => (await sandbox.vsctl('get', ...args)).trim();
    expect(await get('Port', 'a-0', 'tag', 'vlan_mode')).to.equal('10\naccess');
    expect(await get('Port', 'b-0', 'trunks', 'vlan_mode')).to.equal('[20, 30]\ntrunk');
    expect(await get('Bridge', 'br0', 'datapath_type')).to.equal('netdev');
    expect((await sandbox.vsctl('iface-to-br', 'a-0')).trim()).to.equal('br0');
    await destroy();
  });

  it('changes nothing where a row went in the same moment', async () => {
    const desired = desiredState('lab', [bridge('br0')], [nic('a', 0)]);
    await apply(desired);
    const ovs = domain();
    const changed = desiredState(
      'lab',
      [bridge('br0')],
      [nic('a', 0, { vlan: { mode: 'access', tag: vlanId(30) } }), nic('b', 0)],
    );
    const { changes } = ovs.diff(changed, await ovs.observe(changed));
    await sandbox.vsctl('--no-wait', 'del-port', 'a-0');
    let code: unknown;
    try {
      await ovs.apply(changes, WAIT);
    } catch (thrown) {
      code = (thrown as { code?: unknown }).code;
    }
    expect(code).to.equal('SWITCH_CHANGED');
    expect(await sandbox.vsctl('list-ports', 'br0')).to.equal('');
    await destroy();
  });
});
