import { expect } from 'chai';
import { startRunning, VSB, type Running } from '../support/running.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';

interface PairLine {
  readonly kind?: string;
  readonly from: unknown;
  readonly to: unknown;
  readonly packets: number;
  readonly bytes: number;
  readonly quality: string;
}

describe('vsb watch pairs, on a bridge that no topology manages', function () {
  this.timeout(60_000);
  let sandbox: TestSandbox;

  before(async () => {
    sandbox = await startTestSandbox({ dummy: true });
    await sandbox.vsctl('add-br', 'br0', '--', 'set', 'Bridge', 'br0', 'datapath_type=dummy');
    for (const [vm, mac] of [
      ['web1', '52:54:00:10:00:01'],
      ['db1', '52:54:00:10:00:03'],
    ] as const)
      await sandbox.vsctl(
        ...['add-port', 'br0', `tap-${vm}`, '--', 'set', 'Interface', `tap-${vm}`, 'type=dummy'],
        ...[`external_ids:vm-id=${vm}`, `external_ids:attached-mac="${mac}"`],
      );
    // Somebody's own rules, which count nothing for us.
    await sandbox.ofctl('add-flow', 'br0', 'priority=10,in_port=tap-web1,actions=output:tap-db1');
  });

  after(async () => {
    await sandbox[Symbol.asyncDispose]();
  });

  async function send(): Promise<void> {
    const packet = 'in_port(1),eth(src=52:54:00:10:00:01,dst=52:54:00:10:00:03),eth_type(0x1234)';
    await sandbox.appctl('netdev-dummy/receive', 'tap-web1', packet);
  }

  /** The last pair that it printed. */
  function pairsIn(output: string): PairLine[] {
    return output
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as PairLine)
      .filter(({ to }) => to !== undefined);
  }

  it('shows lower bounds, and says why', async () => {
    const flowsBefore = await sandbox.ofctl('dump-flows', 'br0', '--no-stats');
    await using running: Running = startRunning(
      [...VSB, 'watch', 'pairs', '--every', '100ms', '-o', 'ndjson'],
      sandbox.env,
    );
    await running.text("are lower bounds, out of the datapath's flows: no topology manages it.");
    let output = '';
    running.child.stdout?.on('data', (text: string) => (output += text));
    // The first one makes the flow, the others are counted by it.
    await send();
    while (!(await sandbox.appctl('dpctl/dump-flows')).includes('0x1234'));
    for (let sent = 0; sent < 5; sent++) await send();
    await running.text('"packets":5');
    const last = pairsIn(output).at(-1);
    expect(last).to.deep.include({
      from: { vm: 'web1', nic: 'tap-web1' },
      to: { vm: 'db1', nic: 'tap-db1' },
      packets: 5,
      quality: 'at-least',
    });
    expect(await sandbox.ofctl('dump-flows', 'br0', '--no-stats'), 'nothing is written').to.equal(
      flowsBefore,
    );
  });
});
