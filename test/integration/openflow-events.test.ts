import { expect } from 'chai';
import { EventEmitter, on } from 'node:events';
import type { SwitchEvent } from '../../src/openflow/asyncconfig.ts';
import { OpenFlowConnection } from '../../src/openflow/connection.ts';
import { startTestSandbox } from '../support/sandbox.ts';

const PACKET =
  'in_port(1),eth(src=52:54:00:00:00:01,dst=52:54:00:00:00:02),eth_type(0x0800),' +
  'ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=no),udp(src=1,dst=2)';

describe('openflow events, with a real ovs-vswitchd', () => {
  it('tells the last counts of a rule, and why it went', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await sandbox.vsctl('add-br', 'br0', '--', 'add-port', 'br0', 'p1');
    await sandbox.ofctl('add-flow', 'br0', 'priority=1,actions=load:0x8001->NXM_NX_REG0[],resubmit(,50)');
    const rule = 'table=50,cookie=0x5642,priority=7,idle_timeout=300,send_flow_rem,reg0=0x8001';
    await sandbox.ofctl('add-flow', 'br0', `${rule},actions=drop`);
    const events = new Events();
    await using connection = await events.connect(`${sandbox.rundir}/br0.mgmt`);
    for (const bytes of [60, 500, 1514]) {
      await sandbox.appctl('netdev-dummy/receive', 'p1', PACKET, '--len', String(bytes));
    }
    // Somebody's deletion tells only what was counted by then, and a datapath flow's counts come half a second late.
    await sandbox.appctl('revalidator/purge');
    await sandbox.ofctl('del-flows', 'br0', 'table=50');
    const event = await events.first('flow-removed');
    expect(event).to.deep.include({
      reason: 'delete',
      tableId: 50,
      priority: 7,
      cookie: 0x5642n,
      packets: 3n,
      bytes: 2074n,
      idleTimeoutS: 300,
      hardTimeoutS: 0,
    });
    expect(event.register(0)).to.equal(0x8001);
    expect(event.register(1)).to.equal(undefined);
    expect(event.durationMs).to.be.greaterThan(0);
    expect(await connection.flowStats({ tableId: 50 })).to.deep.equal([]);
  });

  it('tells that a rule was idle, or too old', async () => {
    // To whoever waits, a jump of the clock looks like a wait.
    await using sandbox = await startTestSandbox({ dummy: true, announced: [/blocked 1000 ms waiting/] });
    await sandbox.vsctl('add-br', 'br0');
    await sandbox.appctl('time/stop');
    await sandbox.ofctl('add-flow', 'br0', 'cookie=1,idle_timeout=10,send_flow_rem,ip,actions=drop');
    await sandbox.ofctl('add-flow', 'br0', 'cookie=2,hard_timeout=10,send_flow_rem,arp,actions=drop');
    const events = new Events();
    await using _ = await events.connect(`${sandbox.rundir}/br0.mgmt`);
    await sandbox.appctl('time/warp', '20000', '1000');
    const first = await events.first('flow-removed');
    const second = await events.first('flow-removed');
    expect(new Map([first, second].map(({ cookie, reason }) => [cookie, reason]))).to.deep.equal(
      new Map([
        [1n, 'idle'],
        [2n, 'hard'],
      ]),
    );
  });

  it('tells ports that come, change and go', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await sandbox.vsctl('add-br', 'br0');
    const events = new Events();
    await using _ = await events.connect(`${sandbox.rundir}/br0.mgmt`);
    await sandbox.vsctl('add-port', 'br0', 'p1', '--', 'set', 'Interface', 'p1', 'ofport_request=32801');
    expect(await events.first('port-status')).to.deep.nested.include({
      reason: 'add',
      'port.name': 'p1',
      'port.ofport': 32801,
      'port.linkUp': true,
    });
    await sandbox.appctl('netdev-dummy/set-admin-state', 'p1', 'down');
    for (;;) {
      const { reason, port } = await events.first('port-status');
      expect(reason).to.equal('modify');
      if (port?.linkUp === false) break;
    }
    await sandbox.vsctl('del-port', 'br0', 'p1');
    expect(await events.first('port-status')).to.deep.nested.include({
      reason: 'delete',
      'port.name': 'p1',
    });
  });

  it('tells nothing to who did not ask', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await sandbox.vsctl('add-br', 'br0');
    await sandbox.ofctl('add-flow', 'br0', 'send_flow_rem,ip,actions=drop');
    await using connection = await OpenFlowConnection.connect(`${sandbox.rundir}/br0.mgmt`);
    await sandbox.ofctl('del-flows', 'br0');
    expect(await connection.flowStats()).to.deep.equal([]);
  });

  it('has no rule in an answer after it told that the rule went', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await sandbox.vsctl('add-br', 'br0');
    const events = new Events();
    const removed = new Set<bigint>();
    await using connection = await events.connect(`${sandbox.rundir}/br0.mgmt`, (event) => {
      if (event.type === 'flow-removed') removed.add(event.cookie);
    });
    for (let cookie = 1n; cookie <= 20n; cookie++) {
      const rule = `cookie=${cookie.toString()},send_flow_rem,tcp,tp_dst=${cookie.toString()}`;
      await sandbox.ofctl('add-flow', 'br0', `${rule},actions=drop`);
      const removal = sandbox.ofctl('del-flows', 'br0', 'tcp');
      while (!removed.has(cookie)) await checkOnce(connection, cookie, removed);
      await checkOnce(connection, cookie, removed);
      await removal;
    }
  });
});

async function checkOnce(
  connection: OpenFlowConnection,
  cookie: bigint,
  removed: ReadonlySet<bigint>,
): Promise<void> {
  const flows = await connection.flowStats({ cookie });
  // Also where it was told while the answer was on its way: then it came before the answer.
  if (removed.has(cookie)) expect(flows).to.have.length(0);
}

type EventOf<T> = SwitchEvent & { readonly type: T };

/** Events as they come, each handed out once. */
class Events {
  readonly #emitter = new EventEmitter<{ event: [SwitchEvent] }>();
  readonly #events = on(this.#emitter, 'event', { signal: AbortSignal.timeout(10_000) });

  connect(path: string, alsoTo?: (event: SwitchEvent) => void): Promise<OpenFlowConnection> {
    return OpenFlowConnection.connect(path, {
      onEvent: (event) => {
        alsoTo?.(event);
        this.#emitter.emit('event', event);
      },
    });
  }

  /** The next one of the type; others before it are passed over. */
  async first<T extends SwitchEvent['type']>(type: T): Promise<EventOf<T>> {
    for (;;) {
      const { value } = (await this.#events.next()) as IteratorResult<[SwitchEvent], undefined>;
      const event = value?.[0] ?? expect.fail('no more events');
      if (isOfType(event, type)) return event;
    }
  }
}

function isOfType<T extends SwitchEvent['type']>(event: SwitchEvent, type: T): event is EventOf<T> {
  return event.type === type;
}
