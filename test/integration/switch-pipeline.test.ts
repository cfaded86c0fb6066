import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { filter, firstValueFrom, timeout } from 'rxjs';
import { connectSwitch } from '../../src/app/switchclient.ts';
import { toSettings } from '../../src/app/settings.ts';
import type { Change, Finding } from '../../src/domain.ts';
import { decodeCookie, END_CLASS_IDS, pairCookie } from '../../src/openflow/accounting.ts';
import { OpenFlowConnection } from '../../src/openflow/connection.ts';
import type { OvsdbClient } from '../../src/ovsdb/client/client.ts';
import type { OpenVSwitchTables } from '../../src/ovsdb/generated/vswitch.ts';
import { switchDomain } from '../../src/switch/domain.ts';
import { toPipelineBridges } from '../../src/switch/pipeline/pipelinebridge.ts';
import { ensurePipeline } from '../../src/switch/pipeline/pipelinewriter.ts';
import type { DesiredNic, DesiredState } from '../../src/topology/desired.ts';
import type { VlanMode } from '../../src/units/vlan.ts';
import { bridge, desiredState, mac, nic, vlanId } from '../support/desired.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';

const WAIT = { deadlineMs: 15_000 };
const MACS = {
  web1: '52:54:00:10:00:01',
  web2: '52:54:00:10:00:02',
  db1: '52:54:00:10:00:03',
};
const STRANGER = '52:54:00:99:00:01';
const BROADCAST = 'ff:ff:ff:ff:ff:ff';

/** `from>to` in ids, packets and bytes; `rest` for what a source's row for the rest counted. */
type Counted = Readonly<Record<string, readonly [packets: number, bytes: number]>>;

class Lab implements AsyncDisposable {
  readonly sandbox: TestSandbox;
  readonly client: OvsdbClient<OpenVSwitchTables>;

  private constructor(sandbox: TestSandbox, client: OvsdbClient<OpenVSwitchTables>) {
    this.sandbox = sandbox;
    this.client = client;
  }

  static async start(): Promise<Lab> {
    const sandbox = await startTestSandbox({ dummy: true });
    return new Lab(sandbox, await connectSwitch(toSettings({ remote: sandbox.remote }, {})));
  }

  domain(): ReturnType<typeof switchDomain> {
    const { remote, rundir } = this.sandbox;
    return switchDomain({
      client: this.client,
      remote,
      netns: undefined,
      ovsRundir: rundir,
      databaseOnly: false,
    });
  }

  async plan(desired: DesiredState): Promise<readonly Change[]> {
    const ovs = this.domain();
    return ovs.diff(desired, await ovs.observe(desired)).changes;
  }

  /** Applies, and expects that all of it is in effect and that a second plan is empty. */
  async apply(desired: DesiredState): Promise<readonly Change[]> {
    const { changes, findings } = await this.tryApply(desired);
    expect(findings).to.deep.equal([]);
    expect(await this.plan(desired), 'the second plan is empty').to.deep.equal([]);
    return changes;
  }

  async tryApply(
    desired: DesiredState,
  ): Promise<{ readonly changes: readonly Change[]; readonly findings: readonly Finding[] }> {
    const ovs = this.domain();
    const { changes } = ovs.diff(desired, await ovs.observe(desired));
    if (changes.length > 0) expect((await ovs.apply(changes, WAIT)).failed).to.deep.equal([]);
    return { changes, findings: await ovs.verify(desired, WAIT) };
  }

  async destroy(desired: DesiredState): Promise<readonly Change[]> {
    const ovs = this.domain();
    const { changes } = ovs.removal(desired.name, await ovs.observe(desired));
    expect((await ovs.apply(changes, WAIT)).failed).to.deep.equal([]);
    return changes;
  }

  /** A UDP packet of 542 bytes. */
  async send(
    port: string,
    from: string,
    to: string,
    options: { sport?: number; vlan?: number } = {},
  ): Promise<void> {
    const { sport = 1000, vlan } = options;
    const l3 =
      'eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=no),' +
      `udp(src=${String(sport)},dst=2000)`;
    const l2 = `in_port(1),eth(src=${from},dst=${to}),`;
    const tagged = vlan === undefined ? l3 : `eth_type(0x8100),vlan(vid=${String(vlan)},pcp=0),encap(${l3})`;
    await this.sandbox.appctl('netdev-dummy/receive', port, l2 + tagged, '--len', '542');
  }

  async ofport(port: string): Promise<number> {
    return Number(await this.sandbox.vsctl('get', 'Interface', port, 'ofport'));
  }

  /** Dumps once the datapath has pushed what it counted. */
  async counted(name = 'br0'): Promise<Counted> {
    await this.sandbox.appctl('revalidator/wait');
    await using connection = await OpenFlowConnection.connect(`${this.sandbox.rundir}/${name}.mgmt`);
    const rows: Record<string, [number, number]> = {};
    for (const flow of await connection.flowStats({ tableId: 50 })) {
      const meaning = decodeCookie(flow.cookie);
      if (flow.packets === 0n || meaning === undefined) continue;
      const to = meaning.kind === 'pair' ? flow.register(1) : meaning.kind === 'rest' ? 'rest' : undefined;
      if (to === undefined) continue;
      rows[`${String(flow.register(0))}>${String(to)}`] = [Number(flow.packets), Number(flow.bytes)];
    }
    return rows;
  }

  /** Flows in ovs-ofctl's words, a line for each. */
  async addFlows(text: string): Promise<void> {
    const file = join(this.sandbox.directory, 'flows');
    await writeFile(file, text);
    await this.sandbox.ofctl('-O', 'OpenFlow14', 'add-flows', 'br0', file);
  }

  ensure(): ReturnType<typeof ensurePipeline> {
    const bridges = toPipelineBridges(this.client.snapshot()).values();
    return ensurePipeline(bridges, { ovsRundir: this.sandbox.rundir });
  }

  /** Waits until our copy of the database is so. */
  async until(isSo: (bridges: ReturnType<typeof toPipelineBridges>) => boolean): Promise<void> {
    await firstValueFrom(
      this.client.snapshots$.pipe(
        filter((snapshot) => isSo(toPipelineBridges(snapshot))),
        timeout(10_000),
      ),
    );
  }

  /** Sorted: the switch has them in an order of its own. */
  async dumpFlows(name = 'br0'): Promise<string> {
    const text = await this.sandbox.ofctl('-O', 'OpenFlow14', 'dump-flows', name, '--no-stats');
    return text.split('\n').sort().join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
    await this.sandbox[Symbol.asyncDispose]();
  }
}

function vm(name: keyof typeof MACS, settings: Partial<DesiredNic> = {}): DesiredNic {
  return nic(name, 0, { mac: mac(MACS[name]), ...settings });
}

const PAIRS = bridge('br0', {
  visibility: 'pairs',
  uplinks: [{ device: 'up0', vlan: undefined, adopt: false }],
});
const ACCESS_20 = { mode: 'access', tag: vlanId(20) } as const;
const LAB = desiredState('lab', [PAIRS], [vm('web1'), vm('db1')]);

/** Flows but for those that follow the bridge's own address, which Open vSwitch takes from its ports. */
function withoutHost(flows: string): string {
  return flows.replace(/^.*set_field:0x10002->reg1.*\n/gm, '');
}

describe('the accounting pipeline, with a real Open vSwitch', function () {
  this.timeout(60_000);

  it('counts a pair exactly, from its first packet, and everything else that a VM sends', async () => {
    await using lab = await Lab.start();
    const changes = await lab.apply(LAB);
    expect(changes.map(({ verb, kind, name }) => [verb, kind, name])).to.deep.include([
      'create',
      'flows',
      'br0',
    ]);
    const [web1, db1, up0] = [await lab.ofport('web1-0'), await lab.ofport('db1-0'), await lab.ofport('up0')];
    expect(up0).to.be.below(0x8000);
    for (let sport = 1; sport <= 20; sport++) await lab.send('web1-0', MACS.web1, MACS.db1, { sport });
    await lab.send('web1-0', MACS.web1, BROADCAST);
    await lab.send('web1-0', MACS.web1, STRANGER);
    await lab.send('db1-0', MACS.db1, MACS.web1);
    await lab.send('up0', STRANGER, MACS.db1, { vlan: 10 });
    await lab.send('up0', STRANGER, MACS.db1, { vlan: 11 });
    const { uplink, flood } = END_CLASS_IDS;
    expect(await lab.counted()).to.deep.equal({
      [`${String(web1)}>${String(db1)}`]: [20, 20 * 542],
      [`${String(web1)}>${String(flood)}`]: [1, 542],
      [`${String(web1)}>${String(uplink)}`]: [1, 542],
      [`${String(db1)}>${String(web1)}`]: [1, 542],
      // In VLAN 11 nobody has that address.
      [`${String(uplink)}>${String(db1)}`]: [1, 542],
      [`${String(uplink)}>${String(uplink)}`]: [1, 542],
    });
  });

  it('leaves the counters of others alone where one VM comes, changes or goes', async () => {
    await using lab = await Lab.start();
    await lab.apply(LAB);
    const [web1, db1] = [await lab.ofport('web1-0'), await lab.ofport('db1-0')];
    const pair = `${String(web1)}>${String(db1)}`;
    await lab.send('web1-0', MACS.web1, MACS.db1);
    const before = await lab.dumpFlows();
    const withWeb2 = desiredState('lab', [PAIRS], [vm('web1'), vm('db1'), vm('web2')]);
    const changes = await lab.apply(withWeb2);
    expect(changes.map(({ kind, name }) => `${kind} ${name}`)).to.deep.equal(['Port web2-0', 'flows br0']);
    expect(changes[1]?.fields, 'in_port, address, the rest, and 12 pairs').to.deep.equal([
      { field: 'rules to add', from: undefined, to: '15' },
    ]);
    const web2 = await lab.ofport('web2-0');
    await lab.send('web2-0', MACS.web2, MACS.db1);
    await lab.send('web1-0', MACS.web1, MACS.web2);
    expect(await lab.counted()).to.deep.equal({
      [pair]: [1, 542],
      [`${String(web2)}>${String(db1)}`]: [1, 542],
      [`${String(web1)}>${String(web2)}`]: [1, 542],
    });
    await lab.apply(desiredState('lab', [PAIRS], [vm('web1'), vm('db1'), vm('web2', { vlan: ACCESS_20 })]));
    expect(await lab.counted())
      .to.have.property(pair)
      .deep.equal([1, 542]);
    await lab.apply(LAB);
    expect(await lab.counted(), 'rows from and to web2 went with it').to.deep.equal({ [pair]: [1, 542] });
    expect(withoutHost(await lab.dumpFlows()), 'A, B, A equals A').to.equal(withoutHost(before));
  });

  it('knows a VLAN by its port, and by the frame on a trunk', async () => {
    await using lab = await Lab.start();
    // The same address in two VLANs is two NICs.
    const trunks = [10, 20, 21, 22, 23].map(vlanId);
    const desired = desiredState(
      'lab',
      [PAIRS],
      [
        vm('web1'),
        vm('web2', { vlan: ACCESS_20, mac: mac(MACS.web1) }),
        vm('db1', { vlan: { mode: 'native-untagged', tag: vlanId(10), trunks } }),
      ],
    );
    await lab.apply(desired);
    const [web1, web2, db1] = [
      await lab.ofport('web1-0'),
      await lab.ofport('web2-0'),
      await lab.ofport('db1-0'),
    ];
    await lab.send('db1-0', MACS.db1, MACS.web1);
    await lab.send('db1-0', MACS.db1, MACS.web1, { vlan: 20 });
    await lab.send('db1-0', MACS.db1, MACS.web1, { vlan: 21 });
    await lab.send('web1-0', MACS.web1, MACS.db1);
    await lab.send('web2-0', MACS.web1, MACS.db1);
    const { uplink } = END_CLASS_IDS;
    const untagged = await lab.counted();
    expect(untagged).to.deep.equal({
      [`${String(db1)}>${String(web1)}`]: [1, 542],
      [`${String(db1)}>${String(web2)}`]: [1, 542],
      [`${String(db1)}>${String(uplink)}`]: [1, 542],
      [`${String(web1)}>${String(db1)}`]: [1, 542],
      [`${String(web2)}>${String(db1)}`]: [1, 542],
    });
    expect(await lab.dumpFlows(), '20 to 23 are one row').to.include('reg3=0x14/0xfffffffc,dl_dst=');
  });

  it('counts a packet for the rest while its pair has no row, and learns one', async () => {
    await using lab = await Lab.start();
    await lab.apply(LAB);
    const [web1, db1] = [await lab.ofport('web1-0'), await lab.ofport('db1-0')];
    const pairs = `table=50,cookie=0x${pairCookie(web1).toString(16)}/-1`;
    await lab.sandbox.ofctl('-O', 'OpenFlow14', 'del-flows', 'br0', pairs);
    for (let sport = 1; sport <= 3; sport++) await lab.send('web1-0', MACS.web1, MACS.db1, { sport });
    expect(await lab.counted()).to.deep.equal({
      [`${String(web1)}>rest`]: [1, 542],
      [`${String(web1)}>${String(db1)}`]: [2, 2 * 542],
    });
    // A row that is written takes the place of the learned one, and its counts.
    expect((await lab.ensure())[0]).to.deep.include({ restored: 6, error: undefined });
    expect(await lab.counted())
      .to.have.property(`${String(web1)}>${String(db1)}`)
      .deep.equal([2, 2 * 542]);
    // As many as a source may learn.
    await lab.sandbox.ofctl('-O', 'OpenFlow14', 'del-flows', 'br0', pairs);
    const row = `cookie=0x${pairCookie(web1).toString(16)},table=50,priority=100,reg0=${String(web1)}`;
    await lab.addFlows(
      Array.from({ length: 1024 }, (_, n) => `${row},reg1=${String(n)},actions=drop\n`).join(''),
    );
    for (let sport = 1; sport <= 3; sport++) await lab.send('web1-0', MACS.web1, MACS.db1, { sport });
    expect(await lab.counted()).to.deep.equal({ [`${String(web1)}>rest`]: [4, 4 * 542] });
  });

  it('lets flows of others come first, and leaves them as they are', async () => {
    await using lab = await Lab.start();
    await lab.apply(desiredState('lab', [bridge('br0')], [vm('web1'), vm('db1')]));
    const before = await lab.dumpFlows();
    const theirs = 'cookie=0x7,table=0,priority=100,udp,tp_dst=53,actions=drop';
    await lab.sandbox.ofctl('add-flow', 'br0', theirs);
    await lab.sandbox.ofctl('add-flow', 'br0', 'cookie=0x8,table=9,priority=1,actions=drop');
    const both = await lab.dumpFlows();
    await lab.apply(LAB);
    const [ensured] = await lab.ensure();
    expect(ensured).to.deep.include({ mode: 'pairs', foreignFlows: 1, restored: 0, error: undefined });
    const flows = await lab.dumpFlows();
    expect(flows.split('\n').filter((line) => !line.includes('cookie=0x5642'))).to.deep.equal(
      both.split('\n'),
    );
    await lab.apply(desiredState('lab', [bridge('br0')], [vm('web1'), vm('db1')]));
    expect(await lab.dumpFlows())
      .to.equal(both)
      .and.not.equal(before);
  });

  it('stays away where the flows are not ours to change, and says why', async () => {
    await using lab = await Lab.start();
    const ports = desiredState('lab', [bridge('br0')], [vm('web1'), vm('db1')]);
    const pairs = desiredState('lab', [bridge('br0', { visibility: 'pairs' })], [vm('web1'), vm('db1')]);
    await lab.apply(ports);
    for (const [flow, why] of [
      ['table=30,priority=5,actions=drop', 'table 30 has flows of somebody else'],
      ['table=0,priority=2,udp,actions=drop', 'priority 2, where ours would come first'],
      ['table=0,priority=0,actions=resubmit(,9)', 'its default rule is "resubmit(,9)", not NORMAL'],
    ] as const) {
      await lab.sandbox.ofctl('add-flow', 'br0', flow);
      const { findings } = await lab.tryApply(pairs);
      expect(findings.map(({ code, message }) => [code, message.includes(why)])).to.deep.equal([
        ['PIPELINE_BLOCKED', true],
      ]);
      expect(await lab.dumpFlows()).to.not.include('cookie=0x5642');
      await lab.sandbox.ofctl('del-flows', 'br0');
      await lab.sandbox.ofctl('add-flow', 'br0', 'priority=0,actions=NORMAL');
    }
    await lab.apply(pairs);
    expect(await lab.dumpFlows()).to.include('cookie=0x5642');
    lab.sandbox.announce(/connection failed|connection attempt failed|Connection refused/);
    const target = 'tcp:127.0.0.1:9';
    await lab.sandbox.vsctl(
      ...['set-controller', 'br0', target, '--', 'set', 'Controller', 'br0', 'connection-mode=out-of-band'],
    );
    await lab.until((bridges) => (bridges.get('br0')?.controllers.length ?? 0) > 0);
    expect((await lab.ensure())[0]).to.deep.include({
      mode: 'foreign',
      reason: `the controller ${target} makes its flows`,
    });
    expect((await lab.tryApply(pairs)).findings.map(({ code }) => code)).to.deep.equal(['PIPELINE_BLOCKED']);
  });

  it('is restored after a restart of ovs-vswitchd, also by two at once', async () => {
    await using lab = await Lab.start();
    await lab.apply(LAB);
    const before = await lab.dumpFlows();
    await lab.sandbox.kill('ovs-vswitchd');
    expect((await lab.ensure())[0]?.error?.code).to.equal('OPENFLOW_UNREACHABLE');
    await lab.sandbox.restart('ovs-vswitchd');
    await lab.sandbox.vsctl(
      '--timeout=15',
      'add-port',
      'br0',
      'wait-for-it',
      '--',
      'del-port',
      'br0',
      'wait-for-it',
    );
    expect(await lab.dumpFlows()).to.not.include('cookie=0x5642');
    const [one, two] = await Promise.all([lab.ensure(), lab.ensure()]);
    expect(one[0]?.error).to.equal(undefined);
    expect(two[0]?.error).to.equal(undefined);
    expect(withoutHost(await lab.dumpFlows())).to.equal(withoutHost(before));
    expect((await lab.ensure())[0]).to.deep.include({ mode: 'pairs', restored: 0 });
    await lab.send('web1-0', MACS.web1, MACS.db1);
    const [web1, db1] = [await lab.ofport('web1-0'), await lab.ofport('db1-0')];
    expect(await lab.counted()).to.deep.equal({ [`${String(web1)}>${String(db1)}`]: [1, 542] });
  });

  it('goes with its topology, from a bridge that stays too', async () => {
    await using lab = await Lab.start();
    await lab.sandbox.vsctl('add-br', 'br0', '--', 'add-port', 'br0', 'theirs');
    const adopted = bridge('br0', { visibility: 'pairs', adopt: true });
    const desired = desiredState('lab', [adopted, bridge('br1', { visibility: 'pairs' })], [vm('web1')]);
    await lab.apply(desired);
    await lab.sandbox.vsctl(
      'add-port',
      'br1',
      'late',
      '--',
      'set',
      'Interface',
      'late',
      'external_ids:vm-id=late',
    );
    await lab.until((bridges) => bridges.get('br1')?.ports.some(({ name }) => name === 'late') === true);
    expect((await lab.plan(desired)).map(({ kind, name }) => `${kind} ${name}`)).to.deep.equal(['flows br1']);
    await lab.apply(desired);
    expect(await lab.dumpFlows('br1')).to.include(`in_port=${String(await lab.ofport('late'))}`);
    const changes = await lab.destroy(desired);
    expect(
      changes.filter(({ kind }) => kind === 'flows').map(({ verb, name }) => [verb, name]),
    ).to.deep.equal([
      ['remove', 'br0'],
      ['remove', 'br1'],
    ]);
    for (const name of ['br0', 'br1']) {
      expect((await lab.dumpFlows(name)).trim()).to.equal('priority=0 actions=NORMAL');
      expect((await lab.sandbox.vsctl('get', 'Bridge', name, 'external_ids')).trim()).to.equal('{}');
    }
  });

  it('is the same after A, B, A, with an empty second plan each time, and gone after destroy', async () => {
    await using lab = await Lab.start();
    const vlan: fc.Arbitrary<VlanMode> = fc.oneof(
      fc.constantFrom(10, 20).map((tag): VlanMode => ({ mode: 'access', tag: vlanId(tag) })),
      fc.constant<VlanMode>({ mode: 'trunk', trunks: [vlanId(10), vlanId(11), vlanId(20)] }),
      fc.constant<VlanMode>({ mode: 'native-untagged', tag: vlanId(10), trunks: [vlanId(10), vlanId(30)] }),
    );
    const nics = fc.uniqueArray(
      fc.record({
        name: fc.constantFrom('web1', 'web2', 'db1'),
        bridge: fc.constantFrom('br0', 'br1'),
        vlan,
      }),
      { selector: ({ name }) => name, maxLength: 3 },
    );
    const visibility = fc.constantFrom('pairs', 'pairs', 'ports');
    const state = fc.tuple(visibility, visibility, nics).map(([br0, br1, all]) =>
      desiredState(
        'lab',
        [bridge('br0', { visibility: br0 }), bridge('br1', { visibility: br1 })],
        all.map(({ name, ...settings }) => vm(name, settings)),
      ),
    );
    const flows = async (): Promise<readonly string[]> =>
      [await lab.dumpFlows('br0'), await lab.dumpFlows('br1')].map(withoutHost);
    await fc.assert(
      fc.asyncProperty(state, state, async (a, b) => {
        await lab.apply(a);
        const first = await flows();
        await lab.apply(b);
        await lab.apply(a);
        expect(await flows()).to.deep.equal(first);
        await lab.destroy(a);
        expect((await lab.sandbox.vsctl('list-br')).trim()).to.equal('');
      }),
      { numRuns: 12, seed: 5, endOnFailure: true },
    );
  });
});
