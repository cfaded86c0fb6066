import { once } from 'node:events';
import { expect } from 'chai';
import { vsb } from '../support/cli.ts';
import { PairsLab } from '../support/pairslab.ts';
import { startRunning, VSB } from '../support/running.ts';

const KEY = 'web1:0>db1:0';

describe('vsb watch pairs', function () {
  this.timeout(60_000);

  it('counts nothing twice and loses nothing where it is killed and started again', async () => {
    await using lab = await PairsLab.start({ announced: [/connection dropped/] });
    const command = [...VSB, 'watch', 'pairs', '-o', 'ndjson', '--every', '100ms'] as const;
    {
      await using first = startRunning(command, lab.sandbox.env);
      await first.text('rules that count pairs on bridge "br0"');
      const quiet = lab.load('web1', 'db1');
      await first.text('"from":{"vm":"web1","nic":0},"to":{"vm":"db1","nic":0},"packets":');
      first.child.kill('SIGKILL');
      await once(first.child, 'close');
      await quiet();
    }
    await using second = startRunning(command, lab.sandbox.env);
    const sent = lab.sent(KEY);
    await second.text(
      `"from":{"vm":"web1","nic":0},"to":{"vm":"db1","nic":0},"packets":${String(sent)},"bytes":${String(sent * 542)},`,
    );
    second.child.kill('SIGINT');
    const { status, output } = await second.end();
    expect(status).to.equal(0);
    for (const [, packets] of output.matchAll(/"packets":(\d+)/g))
      expect(Number(packets)).to.be.at.most(sent);
    expect(output, 'the rules were there').to.not.contain('Put back');
  });

  it('prints what it knows as a table and as CSV, and as a matrix', async () => {
    await using lab = await PairsLab.start();
    using watching = await lab.watchCounted();
    await lab.send('web1', 'db1', 3);
    await lab.send('web1', 'flood', 1);
    await lab.settle(watching);
    const run = async (...args: string[]): Promise<string> => {
      const { status, stdout, stderr } = await vsb(args, { env: lab.sandbox.env });
      expect({ status, stderr }, args.join(' ')).to.deep.equal({ status: 0, stderr: '' });
      return stdout;
    };
    expect(await run('watch', 'pairs', '--every', '100ms', '--for', '150ms')).to.match(
      /^FROM +TO +bit\/s +pkt\/s +BYTES +PACKETS +BRIDGE\nweb1:0 +db1:0 +- +- +1\.63 kB +3 +br0\nweb1:0 +flood /m,
    );
    const [header, line] = (
      await run('watch', 'pairs', '-o', 'csv', '--every', '100ms', '--for', '150ms')
    ).split('\r\n');
    expect(header).to.equal(
      'at,from,fromNic,to,toNic,packets,bytes,packetsPerSecond,bitsPerSecond,quality,bridge,ageMs',
    );
    expect(line).to.match(/^[^,]*,web1,0,db1,0,3,1626,,,exact,br0,\d+$/);
    expect(await run('matrix')).to.match(/^web1 +1\.63 kB +542 B +2\.17 kB$/m);
    expect(await run('matrix', '--by', 'rate', '--over', '100ms')).to.match(/^web1 +· +· +·$/m);
    expect(JSON.parse(await run('matrix', '-o', 'json', '--by', 'packets'))).to.deep.include({
      by: 'packets',
    });
    expect(await run('matrix', '-o', 'csv')).to.match(/^from,web1,db1,\(flood\)\r\nweb1,,1626,542\r\n/);
  });
});
