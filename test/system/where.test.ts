import { expect } from 'chai';
import { vsb } from '../support/cli.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';

describe('vsb watch --where', function () {
  this.timeout(60_000);
  let sandbox: TestSandbox;

  before(async () => {
    sandbox = await startTestSandbox({ dummy: true });
    await sandbox.vsctl('add-br', 'br0', ...nic('p1', 'web1'), ...nic('p2', 'db1'));
  });

  after(() => sandbox[Symbol.asyncDispose]());

  async function watch(view: string, where: string): Promise<{ lines: string[]; stderr: string }> {
    const args = ['watch', view, '--where', where, '-o', 'ndjson', '--every', '100ms', '--for', '200ms'];
    const { status, stdout, stderr } = await vsb(args, { env: sandbox.env });
    expect(status, stderr).to.equal(0);
    return { lines: stdout.trimEnd().split('\n'), stderr };
  }

  it('shows the rows that pass, a VM with its NICs', async () => {
    const { lines, stderr } = await watch('vms', 'vm=web* and bytes<1k');
    expect(stderr).to.equal('');
    expect(
      new Set(lines.map((line) => /"kind":"\w+".*"vm":"\w+"/.exec(line)?.[0].replace(/,.*,/, ','))),
    ).to.deep.equal(new Set(['"kind":"vm","vm":"web1"', '"kind":"nic","vm":"web1"']));
    const ports = await watch('ports', 'bridge=br0 and not vm=*');
    for (const line of ports.lines) expect(line).to.include('"port":"br0"');
  });

  it('says that nothing passes', async () => {
    const { lines, stderr } = await watch('vms', 'rate > 1G');
    expect(lines).to.deep.equal(['']);
    expect(stderr.trimEnd()).to.equal(
      'vsb: Nothing to show yet: nothing passes the filter. Waiting for what does.',
    );
  });

  it('takes the variable, and refuses a wrong filter before it looks for a switch', async () => {
    const nowhere = ['--remote', 'unix:/nonexistent/db.sock'];
    const wrong = [
      ['vms', 'from=web1', 'VMs have no "from"'],
      ['ports', 'rate>fast', '"rate" takes a bit rate'],
      ['pairs', 'dport=53', 'pairs have no "dport"'],
      ['conversations', 'dport=dns', '"dport" takes a port number'],
    ] as const;
    for (const [view, where, why] of wrong) {
      const { status, stdout, stderr } = await vsb(['watch', view, ...nowhere], {
        env: { VSB_WATCH_WHERE: where },
      });
      expect({ status, stdout }, view).to.deep.equal({ status: 64, stdout: '' });
      expect(stderr).to.include('error[FILTER_INVALID]: Filter, column ').and.include(why);
    }
  });
});

function nic(port: string, vm: string): string[] {
  const ids = ['vswitchboard=lab', `vswitchboard-vm=${vm}`, 'vswitchboard-nic=0'];
  return [
    ...['--', 'add-port', 'br0', port, '--', 'set', 'Interface', port],
    ...ids.map((id) => `external_ids:${id}`),
  ];
}
