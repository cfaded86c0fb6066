import { expect } from 'chai';
import { fileURLToPath } from 'node:url';
import { vsb } from '../support/cli.ts';
import { startOnTerminal, type OnTerminal } from '../support/onterminal.ts';
import { PairsLab } from '../support/pairslab.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const NODE = [process.execPath, '--import', import.meta.resolve('tsx'), MAIN] as const;
const LIMIT_MS = 60_000;

describe('vsb top', function () {
  this.timeout(LIMIT_MS);

  it('shows the VMs, takes keys, follows the size of the terminal, and gives it back at q', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await addVms(sandbox);
    await using top = startTop(sandbox, [80, 24]);
    await top.until(({ text }) => /^▸db1 /m.test(text) && /^ web1 /m.test(text), 'both VMs');
    expect(top.screen.isAlternate).to.equal(true);
    expect(top.screen.isCursorShown).to.equal(false);
    const inverse = top.screen.cells.find(([first]) => first?.text === '▸') ?? [];
    expect(inverse.every(({ style }) => style.has('7'))).to.equal(true);
    // 100 packets of 1250 bytes are a million bits.
    await inject(sandbox, 'p1', 1250, 100);
    await top.until(({ text }) => /^.web1 +[1-9]/m.test(text), 'a rate of web1');
    top.type('b');
    await top.until(({ text }) => text.includes(' byte/s '), 'bytes');
    top.type('/vm=we\t');
    await top.until(
      ({ text, isCursorShown }) => /^\/vm=web1$/m.test(text) && isCursorShown,
      'a completed name',
    );
    top.type('\r');
    await top.until(({ text }) => text.includes('filter vm=web1') && !text.includes('db1 '), 'one VM');
    top.resize(40, 8);
    await top.until(({ text }) => text.split('\n').length === 8 && !text.includes('40s'), 'fewer columns');
    top.type('\x1b');
    await top.until(({ text }) => text.includes('db1 '), 'all VMs again');
    top.type('\t');
    await top.until(({ text }) => text.includes('[Pairs]'), 'the pairs');
    top.type(' ');
    await top.until(({ text }) => text.includes('PAUSED'), 'the pause');
    top.type('q');
    await expectTerminalBack(top, 0);
  });

  it('goes from a VM to its pairs to their conversations, which the switch exports only as long as they are looked at', async () => {
    await using lab = await PairsLab.start();
    await using top = startTop(lab.sandbox, [100, 24]);
    await top.until(({ text }) => /^▸db1 /m.test(text), 'the VMs');
    const stop = lab.load('web1', 'db1');
    try {
      await top.until(({ text }) => /^.web1 .* db1 /m.test(text), 'the busiest peer of web1');
      top.type('/vm=web1\r');
      await top.until(({ text }) => text.includes('filter vm=web1'), 'the filter');
      top.type('\r');
      await top.until(({ text }) => /^▸web1:0 +db1:0 +[1-9].* exact /m.test(text), 'the pair');
      expect(top.screen.text).to.include('pairs of web1');
      expect(await lab.sandbox.vsctl('list', 'NetFlow')).to.equal('');
      top.type('\r');
      await top.until(
        ({ text }) => /^▸web1:0 +db1:0 +udp +10\.0\.0\.1:1000 /m.test(text),
        'the conversation',
      );
      expect(await lab.sandbox.vsctl('list', 'NetFlow')).to.include('vswitchboard-exporter');
      top.type('\x1b');
      await top.until(({ text }) => text.includes('[Pairs]'), 'the pairs again');
      await lab.sandbox.inside(
        'ovs-vsctl',
        '--timeout=15',
        'wait-until',
        'Bridge',
        'br0',
        'netflow=[]',
        'ipfix=[]',
      );
    } finally {
      await stop();
    }
    top.type('q');
    await expectTerminalBack(top, 0);
    expect(await lab.sandbox.vsctl('list', 'NetFlow')).to.equal('');
  });

  for (const [name, end] of [
    [
      'Ctrl-C',
      (top: OnTerminal) => {
        top.type('\x03');
      },
    ],
    [
      'SIGTERM',
      (top: OnTerminal) => {
        top.signal('SIGTERM');
      },
    ],
    [
      'SIGHUP',
      (top: OnTerminal) => {
        top.signal('SIGHUP');
      },
    ],
  ] as const)
    it(`gives the terminal back at ${name}`, async () => {
      await using sandbox = await startTestSandbox({ dummy: true });
      await addVms(sandbox);
      await using top = startTop(sandbox, [80, 24]);
      await top.until(({ text }) => text.includes('web1'), 'a VM');
      end(top);
      await expectTerminalBack(top, 0);
    });

  it('gives the terminal back before it tells of an error', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await using top = startTop(sandbox, [80, 24], ['--remote', 'unix:/nonexistent/db.sock']);
    await expectTerminalBack(top, 1);
    expect(top.screen.text.replaceAll('\n', '')).to.match(
      /vsb: error\[OVSDB_UNREACHABLE\].*\/nonexistent\/db\.sock/,
    );
  });

  it('says on the screen which bridge cannot be read, and goes on when it can', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await addVms(sandbox);
    await using top = startTop(sandbox, [80, 24]);
    await top.until(({ text }) => text.includes('web1'), 'a VM');
    await sandbox.kill('ovs-vswitchd');
    await top.until(({ text }) => text.includes('NOT READ: br0'), 'the loss');
    await sandbox.restart('ovs-vswitchd');
    await top.until(({ text }) => !text.includes('NOT READ') && /web1 +0 /.test(text), 'the bridge again');
    top.type('q');
    await expectTerminalBack(top, 0);
  });

  it('paints nothing with NO_COLOR', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await addVms(sandbox);
    await using top = startTop(sandbox, [80, 24], [], { NO_COLOR: '1' });
    await top.until(({ text }) => text.includes('▸db1'), 'the VMs');
    top.type('q');
    await top.end();
    expect(top.bytes()).to.not.match(/\p{Cc}\[[0-9;]*m/u);
  });

  it('prints plain tables where there is no terminal', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await addVms(sandbox);
    const { status, stdout, stderr } = await vsb(
      ['top', '--every', '100ms', '--for', '1s', '--where', 'vm=web*'],
      {
        env: sandbox.env,
      },
    );
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
    expect(stdout.replaceAll('\n', '')).to.not.match(/\p{Cc}/u);
    expect(stdout.match(/^\d\d:\d\d:\d\dZ {2}1 VM {2}sent /gm)?.length).to.be.at.least(2);
    expect(stdout.match(/^VM +SENT 2s +10s +40s +RECV 2s/gm)?.length).to.be.at.least(2);
    expect(stdout)
      .to.match(/^web1 /m)
      .and.not.match(/^db1 /m);
  });

  it('refuses a filter that is wrong, with the place', async () => {
    const { status, stdout, stderr } = await vsb(['top', 'pairs', '--where', 'vm=web* and dport=53']);
    expect({ status, stdout }).to.deep.equal({ status: 64, stdout: '' });
    expect(stderr).to.contain('error[FILTER_INVALID]: Filter, column 13: pairs have no "dport"');
    expect(stderr).to.contain('\n    vm=web* and dport=53\n                ^\n');
  });
});

function startTop(
  sandbox: TestSandbox,
  size: readonly [number, number],
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): OnTerminal {
  return startOnTerminal([...NODE, 'top', '--every', '100ms', ...args], size, {
    ...sandbox.env,
    NO_COLOR: undefined,
    ...env,
  });
}

async function expectTerminalBack(top: OnTerminal, status: number): Promise<void> {
  expect(await top.end()).to.deep.equal({ status, isRestored: true });
  const { isAlternate, isCursorShown, isWrapping } = top.screen;
  expect({ isAlternate, isCursorShown, isWrapping }).to.deep.equal({
    isAlternate: false,
    isCursorShown: true,
    isWrapping: true,
  });
}

/** Bridge br0 with web1:0 on p1 and db1:0 on p2. */
async function addVms(sandbox: TestSandbox): Promise<void> {
  const nic = (port: string, vm: string): string[] => [
    ...['--', 'add-port', 'br0', port, '--', 'set', 'Interface', port, 'external_ids:vswitchboard=lab'],
    ...[`external_ids:vswitchboard-vm=${vm}`, 'external_ids:vswitchboard-nic=0'],
  ];
  await sandbox.vsctl('add-br', 'br0', ...nic('p1', 'web1'), ...nic('p2', 'db1'));
}

/** Lets the switch receive packets of this size at a port. */
async function inject(sandbox: TestSandbox, port: string, bytes: number, count: number): Promise<void> {
  const flow =
    'in_port(1),eth(src=52:54:00:00:00:01,dst=52:54:00:00:00:02),eth_type(0x0800),' +
    'ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=no),udp(src=1,dst=2)';
  const packets = Array.from({ length: count }, () => flow);
  await sandbox.appctl(
    'netdev-dummy/receive',
    port,
    ...packets.flatMap((one) => [one, '--len', String(bytes)]),
  );
}
