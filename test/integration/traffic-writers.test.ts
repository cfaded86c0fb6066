import { expect } from 'chai';
import { toSettings } from '../../src/app/settings.ts';
import { connectSwitch } from '../../src/app/switchclient.ts';
import { toPipeline, pairRule } from '../../src/switch/pipeline/pipeline.ts';
import { toPipelineBridges } from '../../src/switch/pipeline/pipelinebridge.ts';
import { PairsLab, pairOf, totalOf } from '../support/pairslab.ts';

const PAIR = 'web1:0>db1:0';

describe('pairs, with several that write their rules', function () {
  this.timeout(60_000);

  it('count once where somebody who was a little later writes the same rows again', async () => {
    await using lab = await PairsLab.start();
    using watching = await lab.watchCounted();
    await lab.send('web1', 'db1', 10);
    await watching.until((view) => totalOf(view, PAIR) === 10);
    await writeAgain(lab);
    await lab.send('web1', 'db1', 5);
    const view = await watching.until((one) => (totalOf(one, PAIR) ?? 0) >= 15);
    expect(pairOf(view, PAIR)).to.deep.include({ packets: 15n, quality: 'exact' });
    lab.expectSober(watching);
  });

  it('are no more than was sent, with two that watch, where ovs-vswitchd is restarted under load', async () => {
    await using lab = await PairsLab.start();
    using one = await lab.watchCounted();
    using other = await lab.watchCounted();
    const quiet = lab.load('web1', 'db1');
    await one.until((view) => (totalOf(view, PAIR) ?? 0) > 50);
    await lab.sandbox.kill('ovs-vswitchd');
    await lab.sandbox.restart('ovs-vswitchd');
    const before = lab.sent(PAIR);
    for (const watching of [one, other])
      await watching.until(({ losses }) => losses.length === 0 && lab.sent(PAIR) > before + 500);
    await quiet();
    for (const watching of [one, other]) {
      const { pairs } = await lab.settle(watching);
      const sum = pairs.reduce((packets, pair) => packets + Number(pair.packets), 0);
      expect(sum).to.be.at.most(lab.sent(PAIR));
      lab.expectSober(watching);
    }
  });
});

/** As a second writer does that read the tables before the first one had written. */
async function writeAgain({ sandbox }: PairsLab): Promise<void> {
  const settings = toSettings({ remote: sandbox.remote, ovsRundir: sandbox.rundir }, {});
  await using client = await connectSwitch(settings);
  const bridge = toPipelineBridges(client.snapshot()).get('br0');
  if (!bridge) throw new Error('no br0');
  for (const { cookie, text } of toPipeline(bridge).pairs.map(pairRule))
    await sandbox.ofctl('-O', 'OpenFlow13', 'add-flow', 'br0', `cookie=0x${cookie.toString(16)},${text}`);
}
