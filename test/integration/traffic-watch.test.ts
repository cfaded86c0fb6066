import { expect } from 'chai';
import { filter, firstValueFrom, ReplaySubject, timeout } from 'rxjs';
import { watch, type View, type ViewName } from '../../src/app/watch.ts';
import { toSettings } from '../../src/app/settings.ts';
import { VsbError, type ErrorCode } from '../../src/errors.ts';
import type { PortRow } from '../../src/traffic/attribute.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';

describe('watch, with a real Open vSwitch', () => {
  it('counts what a VM sends and receives to the byte, as ovs-ofctl does', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await addVms(sandbox);
    using watching = watchPorts(sandbox);
    await watching.until((view) => portOf(view, 'p1')?.sentBytes === 0n);
    await inject(sandbox, 'p1', 60, 500, 1514);
    await inject(sandbox, 'p2', 777);
    const view = await watching.until((one) => portOf(one, 'p2')?.sentBytes === 777n);
    expect(portOf(view, 'p1')).to.deep.include({
      sentBytes: 2074n,
      sentPackets: 3n,
      receivedBytes: 777n,
      receivedPackets: 1n,
      sentDropped: undefined,
      receivedErrors: undefined,
    });
    const p1 = (await sandbox.vsctl('get', 'Interface', 'p1', 'ofport')).trim();
    const oracle = await sandbox.ofctl('-O', 'OpenFlow13', 'dump-ports', 'br0', p1);
    expect(oracle)
      .to.match(/rx pkts=3, bytes=2074,/)
      .and.match(/tx pkts=1, bytes=777,/);
  });

  it('gives a rate above 0 exactly where bytes came', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await addVms(sandbox);
    using watching = watchPorts(sandbox);
    await watching.until((view) => portOf(view, 'p1')?.sentBitsPerSecond === 0);
    for (let packet = 0; packet < 10; packet++) await inject(sandbox, 'p1', 1000);
    await watching.until((view) => portOf(view, 'p1')?.sentBytes === 10_000n);
    await watching.until(
      (view) => portOf(view, 'p1')?.sentBitsPerSecond === 0 && portOf(view, 'p1')?.sentBytes === 10_000n,
    );
    const moved = watching.seen.flatMap((view) => portOf(view, 'p1') ?? []);
    const busy = moved.filter((row, index) => row.sentBytes !== moved[index - 1]?.sentBytes && index > 0);
    expect(busy.length).to.be.at.least(1);
    for (const row of moved.slice(1)) {
      expect((row.sentBitsPerSecond ?? 0) > 0, 'a rate above 0 exactly where bytes came').to.equal(
        busy.includes(row),
      );
    }
  });

  it('sums NICs by VM, and follows VMs that come, are renamed and leave', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await addVms(sandbox);
    using watching = startWatch(sandbox, 'vms');
    await inject(sandbox, 'p1', 100);
    await inject(sandbox, 'p3', 200);
    await watching.until((view) => vmOf(view, 'web1')?.total.sentBytes === 300n);
    await sandbox.vsctl(
      'add-port',
      'br0',
      'p4',
      '--',
      'set',
      'Interface',
      'p4',
      'external_ids:vm-id=some-id',
    );
    await watching.until((view) => vmOf(view, 'some-id')?.nics[0]?.owner.nic === 'p4');
    await sandbox.vsctl('set', 'Interface', 'p4', 'external_ids:vswitchboard-vm=new');
    await watching.until((view) => vmOf(view, 'new') !== undefined && vmOf(view, 'some-id') === undefined);
    await sandbox.vsctl('del-port', 'br0', 'p4');
    await watching.until((view) => vmOf(view, 'new') === undefined && vmOf(view, 'web1') !== undefined);
  });

  it('shows no spike and nothing negative across a restart of ovs-vswitchd', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await addVms(sandbox);
    await inject(sandbox, 'p1', ...Array<number>(20).fill(1500));
    using watching = watchPorts(sandbox);
    await watching.until((view) => portOf(view, 'p1')?.sentBitsPerSecond === 0);
    await sandbox.kill('ovs-vswitchd');
    const lost = await watching.until((view) => view.losses.length > 0);
    expect(lost.losses[0]).to.deep.include({ bridge: 'br0' });
    expect(portOf(lost, 'p1'), 'unknown, not 0').to.deep.include({ sentBytes: undefined, ageMs: undefined });
    await sandbox.restart('ovs-vswitchd');
    const back = await watching.until((view) => portOf(view, 'p1')?.sentBytes !== undefined, lost);
    expect(portOf(back, 'p1')?.sentBitsPerSecond, 'no rate across the restart').to.equal(undefined);
    await watching.until((view) => portOf(view, 'p1')?.sentBitsPerSecond === 0, back);
    const rates = watching.seen
      .flatMap((view) => portsOf(view))
      .flatMap((row) => row.sentBitsPerSecond ?? []);
    expect(new Set(rates), 'nothing was sent while watching').to.deep.equal(new Set([0]));
  });

  const REMAKES = [
    // Open vSwitch keeps the device, and so its counters, where one transaction removes and adds the same name.
    {
      what: 'replaced in one transaction',
      steps: [['del-port', 'br0', 'p1', '--', 'add-port', 'br0', 'p1']],
      bytes: 3000n,
    },
    {
      what: 'removed and made anew',
      steps: [
        ['del-port', 'br0', 'p1'],
        ['add-port', 'br0', 'p1'],
      ],
      bytes: 0n,
    },
  ];
  for (const { what, steps, bytes } of REMAKES) {
    it(`starts again without a rate where a port is ${what}`, async () => {
      await using sandbox = await startTestSandbox({ dummy: true });
      await addVms(sandbox);
      await inject(sandbox, 'p1', 1500, 1500);
      using watching = watchPorts(sandbox);
      const before = await watching.until((view) => portOf(view, 'p1')?.sentBitsPerSecond === 0);
      for (const step of steps) await sandbox.vsctl(...step);
      const uuid = portOf(before, 'p1')?.interfaceUuid;
      const isNew = (view: View): boolean =>
        portOf(view, 'p1')?.sentBytes !== undefined && portOf(view, 'p1')?.interfaceUuid !== uuid;
      const after = await watching.until(isNew, before);
      expect(portOf(after, 'p1')).to.deep.include({
        sentBytes: bytes,
        sentBitsPerSecond: undefined,
        owner: undefined,
      });
      await watching.until((view) => portOf(view, 'p1')?.sentBitsPerSecond === 0, after);
      const rates = watching.seen.flatMap((view) => portOf(view, 'p1')?.sentBitsPerSecond ?? []);
      expect(new Set(rates)).to.deep.equal(new Set([0]));
    });
  }

  it('goes on with the other bridges where one cannot be read', async () => {
    await using sandbox = await startTestSandbox({
      dummy: true,
      announced: [/version negotiation|Protocol error|Broken pipe/],
    });
    await addVms(sandbox);
    await sandbox.vsctl('add-br', 'old', '--', 'set', 'bridge', 'old', 'protocols=OpenFlow10');
    using watching = watchPorts(sandbox);
    const view = await watching.until((one) => portOf(one, 'p1')?.sentBitsPerSecond === 0);
    expect(view.losses.map(({ bridge, error }) => [bridge, error.code])).to.deep.equal([
      ['old', 'OPENFLOW_VERSION'],
    ]);
    expect(portOf(view, 'old')?.sentBytes).to.equal(undefined);
    await sandbox.vsctl('clear', 'bridge', 'old', 'protocols');
    await watching.until((one) => one.losses.length === 0 && portOf(one, 'old')?.sentBitsPerSecond === 0);
  });

  it('shows a port that the switch cannot open, and bridges that come and go', async () => {
    await using sandbox = await startTestSandbox({
      dummy: true,
      announced: [/network device bad|netdev bad/],
    });
    using watching = watchPorts(sandbox);
    const empty = await watching.until(() => true);
    expect(empty.bridges).to.deep.equal([]);
    await addVms(sandbox);
    await sandbox.vsctl('add-port', 'br0', 'bad', '--', 'set', 'Interface', 'bad', 'type=bogus');
    const view = await watching.until(
      (one) => portOf(one, 'p1')?.sentBytes === 0n && portOf(one, 'bad') !== undefined,
    );
    expect(portOf(view, 'bad')).to.deep.include({ ofport: undefined, sentBytes: undefined });
    await sandbox.vsctl('del-br', 'br0');
    await watching.until(
      (view) => view.bridges.length === 0 && view.losses.length === 0,
      watching.seen.at(-1),
    );
  });

  it('looks at the bridges that are asked for, and refuses one that is not there', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await sandbox.vsctl('add-br', 'br0', '--', 'add-br', 'br1');
    using watching = startWatch(sandbox, 'ports', ['br1']);
    expect((await watching.until(() => true)).bridges).to.deep.equal(['br1']);
    using wrong = startWatch(sandbox, 'ports', ['br1', 'br7']);
    const error = await wrong.failure('WATCH_BRIDGE_MISSING');
    expect(error.message).to.contain('br7').and.contain('br0, br1');
  });

  it('fails at once where ovs-vswitchd does not run, and where there is no database', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await sandbox.vsctl('add-br', 'br0');
    await sandbox.kill('ovs-vswitchd');
    using withoutSwitch = watchPorts(sandbox);
    await withoutSwitch.failure('OPENFLOW_UNREACHABLE');
    await sandbox.kill('ovsdb-server');
    using withoutDatabase = watchPorts(sandbox);
    await withoutDatabase.failure('OVSDB_UNREACHABLE');
    await sandbox.restart('ovsdb-server');
  });
});

interface Watching extends Disposable {
  /** Every view so far. */
  readonly seen: readonly View[];
  /** The first view, or the first one after `after`, of which this is true. */
  until(condition: (view: View) => boolean, after?: View): Promise<View>;
  /** The error that the watch ends with. */
  failure(code: ErrorCode): Promise<VsbError>;
}

function watchPorts(sandbox: TestSandbox): Watching {
  return startWatch(sandbox, 'ports');
}

function startWatch(sandbox: TestSandbox, view: ViewName, bridges: readonly string[] = []): Watching {
  const settings = toSettings({ remote: sandbox.remote, ovsRundir: sandbox.rundir, logLevel: 'error' }, {});
  const seen: View[] = [];
  const views$ = new ReplaySubject<View>();
  views$.subscribe({ next: (one) => seen.push(one), error: () => undefined });
  const subscription = watch({ settings, view, everyMs: 20, bridges }).subscribe(views$);
  return {
    seen,
    until: (condition, after) => {
      const from = after === undefined ? 0 : seen.indexOf(after) + 1;
      return firstValueFrom(
        views$.pipe(
          filter((one, index) => index >= from && condition(one)),
          timeout(15_000),
        ),
      );
    },
    failure: async (code) => {
      const thrown: unknown = await firstValueFrom(
        views$.pipe(
          timeout(15_000),
          filter(() => false),
        ),
      ).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (!(thrown instanceof VsbError)) return expect.fail(`${code} expected, got ${String(thrown)}`);
      expect(thrown.code, thrown.message).to.equal(code);
      return thrown;
    },
    [Symbol.dispose]: () => {
      subscription.unsubscribe();
    },
  };
}

/** Bridge br0 with web1 (p1 and p3) and db1 (p2). */
async function addVms(sandbox: TestSandbox): Promise<void> {
  const nic = (port: string, vm: string, index: number): string[] => [
    ...['--', 'add-port', 'br0', port, '--', 'set', 'Interface', port],
    ...['external_ids:vswitchboard=test', `external_ids:vswitchboard-vm=${vm}`],
    `external_ids:vswitchboard-nic=${String(index)}`,
  ];
  await sandbox.vsctl(
    'add-br',
    'br0',
    ...nic('p1', 'web1', 0),
    ...nic('p2', 'db1', 0),
    ...nic('p3', 'web1', 1),
  );
}

/** Lets the switch receive a packet of each size at a port. */
async function inject(sandbox: TestSandbox, port: string, ...sizes: number[]): Promise<void> {
  const flow =
    'in_port(1),eth(src=52:54:00:00:00:01,dst=52:54:00:00:00:02),eth_type(0x0800),' +
    'ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=no),udp(src=1,dst=2)';
  for (const size of sizes) await sandbox.appctl('netdev-dummy/receive', port, flow, '--len', String(size));
}

function portsOf(view: View): readonly PortRow[] {
  return view.view === 'ports' ? view.ports : [];
}

function portOf(view: View, port: string): PortRow | undefined {
  return portsOf(view).find((row) => row.port === port);
}

function vmOf(view: View, vm: string) {
  return view.view === 'vms' ? view.vms.find((row) => row.vm === vm) : undefined;
}
