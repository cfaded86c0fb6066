import { expect } from 'chai';
import { PACKET_BYTES, PairsLab, pairOf, restoredOf, totalOf } from '../support/pairslab.ts';

const PAIR = 'web1:0>db1:0';

describe('pairs, with a real Open vSwitch', function () {
  this.timeout(60_000);

  it('are exact: 200 flows of 5 packets, broadcast, and what is for nobody that is known', async () => {
    await using lab = await PairsLab.start();
    using watching = await lab.watchCounted();
    await lab.send('web1', 'db1', 1000, 200);
    await lab.send('web1', 'flood', 3);
    await lab.send('web1', 'unknown', 4);
    await lab.send('db1', 'web1', 7);
    const view = await watching.until(
      (one) => totalOf(one, PAIR) === 1000 && totalOf(one, 'db1:0>web1:0') === 7 && one.pairs.length === 4,
    );
    expect(pairOf(view, PAIR)).to.deep.include({ bytes: 542_000n, quality: 'exact', bridge: 'br0' });
    expect(pairOf(view, 'web1:0>flood')).to.deep.include({ packets: 3n, quality: 'exact' });
    expect(pairOf(view, 'web1:0>unknown')).to.deep.include({ packets: 4n, quality: 'exact' });
    const ofport = (await lab.sandbox.vsctl('get', 'Interface', 'web1', 'ofport')).trim();
    const oracle = await lab.sandbox.ofctl('-O', 'OpenFlow13', 'dump-ports', 'br0', ofport);
    expect(oracle, 'the sum over a source is what it sent').to.contain('rx pkts=1007,');
    await watching.until((one) => pairOf(one, PAIR)?.packetsPerSecond === 0);
    lab.expectSober(watching);
  });

  it('go on where ovs-vswitchd is killed and starts anew: rules are put back, and nothing counts twice', async () => {
    await using lab = await PairsLab.start();
    using watching = await lab.watchCounted();
    await lab.send('web1', 'db1', 30);
    await watching.until((view) => totalOf(view, PAIR) === 30);
    const restored = restoredOf(watching);
    await lab.sandbox.kill('ovs-vswitchd');
    const lost = await watching.until((view) => view.losses.length > 0);
    expect(pairOf(lost, PAIR)).to.deep.include({ packets: 30n, packetsPerSecond: undefined });
    await lab.sandbox.restart('ovs-vswitchd');
    const back = await watching.until(({ states }) => states.some((state) => state.restored > restored));
    expect(pairOf(back, PAIR)).to.deep.include({ packets: 30n, quality: 'at-least' });
    // What came before the switch had made its ports is of an unknown source.
    const early = lab.load('web1', 'db1');
    await watching.until((view) => (totalOf(view, PAIR) ?? 0) > 60);
    await early();
    const before = totalOf(await lab.settle(watching), PAIR) ?? 0;
    const sentBefore = lab.sent(PAIR);
    expect(before).to.be.at.most(sentBefore);
    const again = lab.load('web1', 'db1');
    await watching.until((view) => (totalOf(view, PAIR) ?? 0) > before + 30);
    await again();
    const total = before + lab.sent(PAIR) - sentBefore;
    await watching.until((view) => totalOf(view, PAIR) === total);
    lab.expectSober(watching);
  });

  it('are learned where NICs are many: the first packet is of the rest, and idle pairs keep their last counts', async () => {
    await using lab = await PairsLab.start();
    await lab.addCrowd();
    using watching = await lab.watchCounted();
    await watching.until(({ states }) => states.every(({ error }) => !error));
    await lab.send('web1', 'db1', 20);
    await watching.until((view) => totalOf(view, PAIR) === 19 && totalOf(view, 'web1:0>unknown') === 1);
    const rows = () => lab.sandbox.ofctl('dump-flows', 'br0', 'table=50');
    expect(await rows()).to.match(/n_packets=19.*idle_timeout=300/);
    await lab.warp(320_000);
    const idle = await watching.until((view) => pairOf(view, PAIR)?.packetsPerSecond === 0);
    expect(await rows()).to.not.match(/idle_timeout=300,.* priority=100/);
    // The first packet is counted in the rest, so this is one too few.
    expect(pairOf(idle, PAIR)).to.deep.include({ packets: 19n, quality: 'at-least' });
    await lab.send('web1', 'db1', 6);
    const again = await watching.until(
      (view) => totalOf(view, PAIR) === 24 && totalOf(view, 'web1:0>unknown') === 2,
    );
    expect(pairOf(again, PAIR)).to.deep.include({ quality: 'at-least' });
  });

  it('go on where a port is removed and added again under load', async () => {
    await using lab = await PairsLab.start();
    using watching = await lab.watchCounted();
    const quiet = lab.load('web1', 'db1');
    await watching.until((view) => (totalOf(view, PAIR) ?? 0) > 50);
    await lab.sandbox.vsctl('del-port', 'br0', 'web1');
    await lab.addVm('web1');
    const restored = Math.max(
      ...watching.seen.flatMap(({ states }) => states.map((state) => state.restored)),
    );
    await watching.until(({ states }) => states.some((state) => state.restored > restored));
    await quiet();
    // What came before the rules were back is of an unknown source.
    const settled = await lab.settle(watching);
    const before = totalOf(settled, PAIR) ?? 0;
    expect(before).to.be.at.most(lab.sent(PAIR));
    await lab.send('web1', 'db1', 40);
    await watching.until((view) => totalOf(view, PAIR) === before + 40);
    lab.expectSober(watching);
  });

  it('stay exact where the topology changes under load', async () => {
    await using lab = await PairsLab.start();
    using watching = await lab.watchCounted();
    const quiet = lab.load('web1', 'db1');
    await watching.until((view) => (totalOf(view, PAIR) ?? 0) > 50);
    const restored = restoredOf(watching);
    await lab.addVm('db2');
    await watching.until(({ states }) => states.some((state) => state.restored > restored));
    await lab.sandbox.vsctl('del-port', 'br0', 'db2');
    await watching.until((view) => (totalOf(view, PAIR) ?? 0) > 200);
    await quiet();
    const view = await watching.until((one) => totalOf(one, PAIR) === lab.sent(PAIR));
    expect(pairOf(view, PAIR)).to.deep.include({
      quality: 'exact',
      bytes: BigInt(lab.sent(PAIR) * PACKET_BYTES),
    });
    lab.expectSober(watching);
  });

  it('leave the flows of others alone, and say that they come first', async () => {
    await using lab = await PairsLab.start();
    const foreign = 'table=0,priority=500,udp,tp_src=7777,cookie=0x77,actions=NORMAL';
    await lab.sandbox.ofctl('-O', 'OpenFlow13', 'add-flow', 'br0', foreign);
    using watching = await lab.watchCounted();
    const view = await watching.until(() => true);
    expect(view.states[0]).to.deep.include({ mode: 'pairs', foreignFlows: 1 });
    // What they take is in no pair, so no pair is exact.
    await lab.send('web1', 'db1', 5);
    const counted = await watching.until((one) => totalOf(one, PAIR) === 5);
    expect(pairOf(counted, PAIR)).to.deep.include({ quality: 'at-least' });
    expect(await lab.sandbox.ofctl('-O', 'OpenFlow13', 'dump-flows', 'br0', 'cookie=0x77/-1')).to.contain(
      'priority=500,udp,tp_src=7777',
    );
  });

  it('are not counted, with a reason, where nobody manages the bridge', async () => {
    await using lab = await PairsLab.start();
    await lab.sandbox.vsctl('add-br', 'theirs');
    using watching = lab.watch();
    const view = await watching.until(({ states }) => states.length === 2);
    expect(view.states.map(({ bridge, mode }) => [bridge, mode])).to.deep.equal([
      ['br0', 'pairs'],
      ['theirs', 'foreign'],
    ]);
    expect(view.states[1]?.reason).to.contain('no topology manages it');
  });
});
