import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { run } from '../../src/process/run.ts';
import { vsb } from '../support/cli.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const NODE = [process.execPath, '--import', import.meta.resolve('tsx'), MAIN] as const;
const LIMIT_MS = 60_000;

describe('vsb watch', function () {
  this.timeout(LIMIT_MS);

  it('prints every byte that a VM sent as NDJSON, and ends well at SIGINT', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await addVms(sandbox);
    await using watching = startVsb(sandbox, ['watch', 'vms', '-o', 'ndjson', '--every', '50ms']);
    await watching.line((line) => line.includes('"vm":"web1"'));
    for (const size of [60, 500, 1514]) await inject(sandbox, 'p1', size);
    const nic = await watching.line(
      (line) => line.includes('"kind":"nic"') && line.includes('"sentBytes":2074,'),
    );
    expect(JSON.parse(nic)).to.deep.include({
      topology: 'lab',
      vm: 'web1',
      nic: '0',
      network: 'web',
      bridge: 'br0',
      port: 'p1',
      sentPackets: 3,
      receivedBytes: 0,
      quality: 'exact',
    });
    expect(JSON.parse(nic)).to.not.have.any.keys(
      'sentDropped',
      'receivedDropped',
      'sentErrors',
      'receivedErrors',
    );
    const received = await watching.line(
      (line) => line.includes('"vm":"db1"') && line.includes('"receivedBytes":2074,'),
    );
    expect(JSON.parse(received)).to.have.property('sentBytes', 0);
    expect(await watching.end('SIGINT')).to.deep.equal({ status: 0, stderr: '' });
  });

  it('prints CSV with one header and ends by itself with --for', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await addVms(sandbox);
    const { status, stdout, stderr } = await vsb(
      ['watch', 'ports', '-o', 'csv', '--every', '100ms', '--for', '300ms'],
      { env: sandbox.env },
    );
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
    const lines = stdout.split('\r\n');
    expect(lines.pop()).to.equal('');
    expect(lines.filter((line) => line.startsWith('at,kind,'))).to.have.length(1);
    expect(new Set(lines.map((line) => line.split(',').length)).size).to.equal(1);
    // Three ports at each of at least two ticks.
    expect((lines.length - 1) % 3).to.equal(0);
    expect(lines.length).to.be.at.least(7);
  });

  it('prints plain tables one after the other into a pipe', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await addVms(sandbox);
    const { stdout } = await vsb(['watch', 'vms', '--every', '100ms', '--for', '200ms'], {
      env: sandbox.env,
    });
    expect(stdout).to.not.contain('\x1b');
    expect(stdout.match(/^VM +NIC +NETWORK/gm)?.length).to.be.at.least(2);
    expect(stdout).to.match(/^web1 +0 +web +br0 +p1 /m);
  });

  it('redraws in place on a terminal, within its width, and paints unless NO_COLOR is set', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await addVms(sandbox);
    const onTerminal = async (env: Record<string, string>): Promise<string> => {
      const command = [...NODE, 'watch', 'vms', '--every', '100ms', '--for', '200ms']
        .map((arg) => `'${arg}'`)
        .join(' ');
      const script = ['-qec', `stty cols 60 rows 20; ${command}`, '/dev/null'];
      const { stdout } = await run('script', script, {
        timeoutMs: LIMIT_MS,
        env: { ...sandbox.env, NO_COLOR: undefined, ...env },
      });
      return stdout;
    };
    const painted = await onTerminal({});
    expect(painted).to.contain('\x1b[6A\r').and.contain('\x1b[1m');
    const plain = await onTerminal({ NO_COLOR: '1' });
    expect(plain).to.contain('\x1b[6A\r').and.not.contain('\x1b[1m');
    for (const line of plain.split('\n')) {
      expect(line.replace(/\p{Cc}(\[\d*[A-Z])?/gu, '').length, line).to.be.at.most(60);
    }
  });

  it('says once that there is nothing to show, and goes on', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    const none = await vsb(['watch', 'vms', '-o', 'ndjson', '--every', '50ms', '--for', '300ms'], {
      env: sandbox.env,
    });
    expect({ status: none.status, stdout: none.stdout }).to.deep.equal({ status: 0, stdout: '' });
    expect(none.stderr.trimEnd()).to.equal(
      'vsb: Nothing to show yet: this Open vSwitch has no bridge to look at. Waiting for one.',
    );
    await using watching = startVsb(sandbox, ['watch', 'vms', '-o', 'ndjson', '--every', '50ms']);
    await watching.errorLine((line) => line.includes('Nothing to show yet'));
    await addVms(sandbox);
    await watching.line((line) => line.includes('"vm":"web1"'));
    expect((await watching.end('SIGINT')).status).to.equal(0);
  });

  it('goes on across a restart of ovs-vswitchd, says so, and shows no rate that was not', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await addVms(sandbox);
    for (let packet = 0; packet < 10; packet++) await inject(sandbox, 'p1', 1500);
    await using watching = startVsb(sandbox, ['watch', 'ports', '-o', 'ndjson', '--every', '50ms']);
    await watching.line((line) => line.includes('"port":"p1"') && line.includes('"sentBitsPerSecond":0,'));
    await sandbox.kill('ovs-vswitchd');
    await watching.errorLine((line) => /^vsb: warning\[OPENFLOW_(CLOSED|UNREACHABLE)\]/.test(line));
    await sandbox.restart('ovs-vswitchd');
    await watching.errorLine((line) => line === 'vsb: Bridge "br0" is read again.');
    await watching.line((line) => line.includes('"sentBytes":0,') && line.includes('"sentBitsPerSecond":0,'));
    const { status, stderr } = await watching.end('SIGINT');
    expect(status).to.equal(0);
    expect(stderr.match(/warning\[/g), 'said once').to.have.length(1);
    for (const line of watching.lines) {
      const rate = /"(?:sent|received)BitsPerSecond":([^,}]*)/.exec(line)?.[1] ?? '0';
      expect(rate, line).to.equal('0');
    }
  });

  it('ends where its reader has had enough', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await addVms(sandbox);
    const command = [...NODE, 'watch', 'ports', '-o', 'ndjson', '--every', '20ms']
      .map((arg) => `'${arg}'`)
      .join(' ');
    const { status, stdout, stderr } = await run('bash', ['-o', 'pipefail', '-c', `${command} | head -n 2`], {
      timeoutMs: LIMIT_MS,
      env: sandbox.env,
    });
    expect({ status, stderr, lines: stdout.trimEnd().split('\n').length }).to.deep.equal({
      status: 0,
      stderr: '',
      lines: 2,
    });
  });

  it('refuses wrong usage with 64', async () => {
    for (const args of [
      ['ports', '--every', '0'],
      ['ports', '--every', '0s'],
      ['vms', '--for', 'x'],
      ['nobody'],
      [],
    ]) {
      const { status, stderr, stdout } = await vsb(['watch', ...args]);
      expect({ status, stdout }, args.join(' ')).to.deep.equal({ status: 64, stdout: '' });
      expect(stderr).to.match(/^error: /);
    }
  });

  it('names what is missing: the database, the bridge, the permission', async () => {
    await using sandbox = await startTestSandbox({ dummy: true });
    await sandbox.vsctl('add-br', 'br0');
    const nowhere = await vsb(['watch', 'vms', '--remote', 'unix:/nonexistent/db.sock']);
    expect(nowhere.status).to.equal(1);
    expect(nowhere.stderr).to.contain('error[OVSDB_UNREACHABLE]').and.contain('/nonexistent/db.sock');
    const wrong = await vsb(['watch', 'vms', '--bridge', 'br7'], { env: sandbox.env });
    expect(wrong.status).to.equal(1);
    expect(wrong.stderr).to.contain('error[WATCH_BRIDGE_MISSING]').and.contain('Its bridges: br0.');
    // The database open to all, the bridge to its owner only.
    await chmod(sandbox.directory, 0o755);
    await chmod(`${sandbox.directory}/db.sock`, 0o777);
    await chmod(`${sandbox.directory}/br0.mgmt`, 0o700);
    const foreign = await run('setpriv', ['--reuid=65534', '--clear-groups', ...NODE, 'watch', 'vms'], {
      timeoutMs: LIMIT_MS,
      env: sandbox.env,
    });
    expect(foreign.status, foreign.stderr).to.equal(1);
    expect(foreign.stderr).to.contain('error[OPENFLOW_FORBIDDEN]').and.contain('br0.mgmt');
  });
});

interface Running extends AsyncDisposable {
  readonly lines: readonly string[];
  /** The first line of stdout, so far or to come, of which this is true. */
  line(condition: (line: string) => boolean): Promise<string>;
  errorLine(condition: (line: string) => boolean): Promise<string>;
  end(signal: NodeJS.Signals): Promise<{ readonly status: number | null; readonly stderr: string }>;
}

/** `vsb ARGS`, running until it is ended. */
function startVsb(sandbox: TestSandbox, args: readonly string[]): Running {
  const [program, ...rest] = [...NODE, ...args];
  const child = spawn(program, rest, {
    env: { ...process.env, ...sandbox.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  const stdout = collectLines(child.stdout);
  const stderr = collectLines(child.stderr);
  return {
    lines: stdout.lines,
    line: stdout.find,
    errorLine: stderr.find,
    end: async (signal) => {
      child.kill(signal);
      await closed;
      return { status: child.exitCode, stderr: stderr.lines.join('\n') };
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await closed;
    },
  };
}

function collectLines(stream: NodeJS.ReadableStream): {
  readonly lines: readonly string[];
  readonly find: (condition: (line: string) => boolean) => Promise<string>;
} {
  const lines: string[] = [];
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
  });
  const find = (condition: (line: string) => boolean): Promise<string> =>
    new Promise((resolve, reject) => {
      // Added after the listener above, so that its lines are there by then.
      const look = (): void => {
        const found = lines.find(condition);
        if (found === undefined) return;
        stream.off('data', look).off('end', giveUp);
        resolve(found);
      };
      const giveUp = (): void => {
        reject(new Error(`no such line in:\n${lines.join('\n')}`));
      };
      stream.on('data', look).on('end', giveUp);
      look();
    });
  return { lines, find };
}

/** Bridge br0 with web1:0 on p1 and db1:0 on p2. */
async function addVms(sandbox: TestSandbox): Promise<void> {
  const nic = (port: string, vm: string): string[] => [
    ...['--', 'add-port', 'br0', port, '--', 'set', 'Interface', port, 'external_ids:vswitchboard=lab'],
    ...[
      `external_ids:vswitchboard-vm=${vm}`,
      'external_ids:vswitchboard-nic=0',
      'external_ids:vswitchboard-network=web',
    ],
  ];
  await sandbox.vsctl('add-br', 'br0', ...nic('p1', 'web1'), ...nic('p2', 'db1'));
}

/** Lets the switch receive a packet of this size at a port; it floods it to the others. */
async function inject(sandbox: TestSandbox, port: string, bytes: number): Promise<void> {
  const flow =
    'in_port(1),eth(src=52:54:00:00:00:01,dst=52:54:00:00:00:02),eth_type(0x0800),' +
    'ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=no),udp(src=1,dst=2)';
  await sandbox.appctl('netdev-dummy/receive', port, flow, '--len', String(bytes));
}
