/** A sandbox from its start to its end, as a person has it: by the command line alone, with real daemons. */
import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { runningProcess, sendSignal, waitForEnd } from '../../src/process/pidfile.ts';
import { run, runOrFail, type RunResult } from '../../src/process/run.ts';
import { vsb, type CliOptions } from '../support/cli.ts';
import { guestImage } from '../support/guest-image.ts';

const LIMIT_MS = 20_000;
/** All that a start needs, besides Node. */
const PROGRAMS = [
  'env',
  'ip',
  'sh',
  'sleep',
  'ovsdb-tool',
  'ovsdb-server',
  'ovs-vsctl',
  'ovs-appctl',
  'ovs-vswitchd',
];
const AS_NOBODY = ['setpriv', '--reuid=65534', '--clear-groups'];

describe('vsb sandbox', function () {
  this.timeout(60_000);
  /** Where everything of a test goes. */
  let scratch: string;
  /** Not there before a start. */
  let directory: string;
  let netns: string;

  beforeEach(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'vsb-s'));
    directory = join(scratch, 'lab');
    netns = `vsb-s${randomBytes(4).toString('hex')}`;
  });
  afterEach(async () => {
    await sandbox('stop', ['--force']);
    await expectNothingLeft();
    await rm(scratch, { recursive: true });
  });

  function sandbox(
    verb: 'start' | 'stop' | 'env',
    args: readonly string[] = [],
    options: CliOptions = {},
  ): Promise<RunResult> {
    return vsb(['sandbox', verb, '--dir', directory, ...args], options);
  }

  /** Starts one with devices, in the test's namespace. */
  async function start(): Promise<Readonly<Record<string, string>>> {
    const { status, stdout, stderr } = await sandbox('start', ['--netns', netns, '-o', 'json']);
    expect(status, stderr).to.equal(0);
    return (JSON.parse(stdout) as { env: Record<string, string> }).env;
  }

  async function expectNothingLeft(): Promise<void> {
    expect(await readdir(scratch)).to.not.include('lab');
    expect(await namespaces()).to.not.include(netns);
    expect(await commandLinesWith(scratch)).to.deep.equal([]);
  }

  /** SIGKILL to both daemons. */
  async function killDaemons(): Promise<void> {
    for (const program of ['ovs-vswitchd', 'ovsdb-server']) {
      const mark = await runningProcess(join(directory, `${program}.pid`), program);
      if (!mark) throw new Error(`${program} does not run`);
      await sendSignal(mark, 'SIGKILL');
      expect(await waitForEnd(mark, { deadlineMs: LIMIT_MS })).to.equal(true);
    }
  }

  /** A directory for PATH with these programs alone. */
  async function pathWith(programs: readonly string[]): Promise<string> {
    const bin = join(scratch, 'bin');
    await mkdir(bin);
    for (const program of programs) {
      const path = (await runOrFail('which', [program], { timeoutMs: LIMIT_MS })).trim();
      await symlink(path, join(bin, program));
    }
    return bin;
  }

  /** A PATH where starting ovs-vswitchd does this instead. */
  async function pathWithSwitchThat(does: string): Promise<string> {
    const bin = await pathWith(PROGRAMS.filter((program) => program !== 'ovs-vswitchd'));
    const version = 'case "$*" in *--version*) echo "ovs-vswitchd (Open vSwitch) 3.1.0"; exit;; esac';
    await writeFile(join(bin, 'ovs-vswitchd'), `#!/bin/sh\n${version}\n${does}\n`, { mode: 0o755 });
    return bin;
  }

  it('starts an Open vSwitch that bash finds by what it prints, and stops it', async () => {
    // Whatever a directory may be called.
    directory = join(scratch, "lab of 'me' $HOME");
    const started = await sandbox('start', ['--netns', netns]);
    expect(started.status, started.stderr).to.equal(0);
    expect(started.stderr).to.equal(`sandbox started: ${directory}, network namespace ${netns}\n`);
    const env = await sandbox('env');
    expect(env.stdout).to.equal(started.stdout);

    const script = `
      set -eu
      eval "$1"
      ovs-vsctl add-br br0 -- set Bridge br0 datapath_type=netdev
      ovs-ofctl show br0 | grep -o 'LOCAL(br0)'
      ip -n "$VSB_NETNS" -o link show br0 | grep -o br0:
      printf '%s\\n' "$VSB_REMOTE" "$VSB_OVS_RUNDIR" "$VSB_RUN_DIR"`;
    const said = await runOrFail('bash', ['-c', script, 'bash', env.stdout], { timeoutMs: LIMIT_MS });
    expect(said.split('\n')).to.deep.equal([
      'LOCAL(br0)',
      'br0:',
      `unix:${directory}/db.sock`,
      directory,
      `${directory}/guests`,
      '',
    ]);

    const stopped = await sandbox('stop');
    expect(stopped).to.deep.equal({ status: 0, stdout: '', stderr: `sandbox stopped: ${directory}\n` });
    await expectNothingLeft();
    expect(await readdir(scratch)).to.deep.equal([]);
    const again = await sandbox('stop');
    expect(again).to.deep.equal({ status: 0, stdout: '', stderr: `there is no sandbox in ${directory}\n` });
  });

  it('starts none where one runs, and says so', async () => {
    const env = await start();
    await runOrFail('ovs-vsctl', ['--no-wait', 'add-br', 'br0'], { timeoutMs: LIMIT_MS, env });
    const again = await sandbox('start', ['--netns', netns]);
    expect(again.status).to.equal(0);
    expect(again.stderr).to.equal(`sandbox runs already: ${directory}, network namespace ${netns}\n`);
    expect(await runOrFail('ovs-vsctl', ['list-br'], { timeoutMs: LIMIT_MS, env })).to.equal('br0\n');
    const other = await sandbox('start', ['--dummy']);
    expectError(other, 'SANDBOX_DIFFERS', `network namespace "${netns}"`);
    expect((await sandbox('env')).status).to.equal(0);
  });

  it('prints JSON for programs', async () => {
    await start();
    const { stdout } = await sandbox('env', ['-o', 'json']);
    expect(JSON.parse(stdout)).to.deep.equal({
      formatVersion: '1.0',
      directory,
      datapath: 'netdev',
      netns,
      remote: `unix:${directory}/db.sock`,
      guestsDirectory: `${directory}/guests`,
      env: {
        VSB_REMOTE: `unix:${directory}/db.sock`,
        VSB_OVS_RUNDIR: directory,
        VSB_NETNS: netns,
        VSB_RUN_DIR: `${directory}/guests`,
        OVS_RUNDIR: directory,
      },
    });
  });

  it('calls the namespace after the directory where nobody names it', async () => {
    directory = join(scratch, `lab of ${netns}`);
    const { stdout } = await sandbox('start');
    expect(stdout).to.include(`export VSB_NETNS=vsb-lab-of-${netns}\n`);
    expect((await sandbox('stop')).status).to.equal(0);
    expect(await namespaces()).to.not.include(`vsb-lab-of-${netns}`);
  });

  it('needs no root for a switch without devices, nor for a database alone', async () => {
    await chmod(scratch, 0o777);
    for (const [kind, program] of [
      ['--dummy', 'ovs-vswitchd'],
      ['--database-only', 'ovsdb-server'],
    ] as const) {
      const started = await sandbox('start', [kind], { wrapper: AS_NOBODY });
      expect(started.status, started.stderr).to.equal(0);
      // One that is set for another sandbox would lead there.
      expect(started.stdout).to.include('unset VSB_NETNS\n');
      const env = { OVS_RUNDIR: directory };
      const appctl = ['-t', program, 'version'];
      expect(await runOrFail('ovs-appctl', appctl, { timeoutMs: LIMIT_MS, env })).to.include(program);
      const port = ['--', 'add-port', 'br0', 'p1'];
      const wait = kind === '--dummy' ? ['--timeout=15'] : ['--no-wait'];
      await runOrFail('ovs-vsctl', [...wait, 'add-br', 'br0', ...port], { timeoutMs: LIMIT_MS, env });
      expect((await sandbox('stop', [], { wrapper: AS_NOBODY })).stderr).to.include('sandbox stopped');
      await expectNothingLeft();
    }
  });

  it('says that devices need root', async () => {
    await chmod(scratch, 0o777);
    expectError(await sandbox('start', ['--netns', netns], { wrapper: AS_NOBODY }), 'NOT_PERMITTED', netns);
    await expectNothingLeft();
  });

  it('refuses a directory with files of others, and does not touch it', async () => {
    await mkdir(directory);
    await writeFile(join(directory, 'conf.db'), 'precious');
    expectError(await sandbox('start', ['--netns', netns]), 'SANDBOX_DIRECTORY_FOREIGN', '"conf.db"');
    expect(await sandbox('stop')).to.include({ status: 0, stderr: `there is no sandbox in ${directory}\n` });
    expect(await readdir(directory)).to.deep.equal(['conf.db']);
    expect(await readFile(join(directory, 'conf.db'), 'utf8')).to.equal('precious');
    expect(await namespaces()).to.not.include(netns);
    await rm(directory, { recursive: true });
  });

  it('leaves an empty directory that was there, and what others put into it', async () => {
    await mkdir(directory);
    await start();
    await writeFile(join(directory, 'notes.txt'), 'mine');
    expect((await sandbox('stop')).status).to.equal(0);
    expect(await readdir(directory)).to.deep.equal(['notes.txt']);
    await rm(directory, { recursive: true });
  });

  it('refuses a namespace that is there, and does not touch it', async () => {
    await runOrFail('ip', ['netns', 'add', netns], { timeoutMs: LIMIT_MS });
    try {
      await runOrFail('ip', ['tuntap', 'add', 'd0', 'mode', 'tap'], { timeoutMs: LIMIT_MS, netns });
      expectError(await sandbox('start', ['--netns', netns]), 'SANDBOX_NETNS_TAKEN', `"${netns}"`);
      expect(await readdir(scratch)).to.deep.equal([]);
      expect((await sandbox('stop', ['--force'])).status).to.equal(0);
      expect(await runOrFail('ip', ['-o', 'link'], { timeoutMs: LIMIT_MS, netns })).to.include('d0');
    } finally {
      await runOrFail('ip', ['netns', 'del', netns], { timeoutMs: LIMIT_MS });
    }
  });

  it('refuses what cannot name a namespace, and a path too long for sockets, with 64', async () => {
    expectError(await sandbox('start', ['--netns', '../x']), 'USAGE', '"../x"', 64);
    directory = join(scratch, 'd'.repeat(90));
    expectError(await sandbox('start', ['--netns', netns]), 'SANDBOX_PATH_TOO_LONG', 'at most', 64);
    // The longest that is allowed works.
    const most = Number(/at most (\d+) bytes/.exec((await sandbox('start')).stderr)?.[1]);
    directory = join(scratch, 'd'.repeat(most - scratch.length - 1));
    await start();
    expect((await sandbox('stop')).status).to.equal(0);
    expect(await readdir(scratch)).to.deep.equal([]);
  });

  it('tells where a directory cannot be made', async () => {
    directory = join(scratch, 'none', 'lab');
    expectError(await sandbox('start', ['--netns', netns]), 'FILE_UNWRITABLE', directory);
    expectError(await sandbox('env'), 'SANDBOX_MISSING', directory);
  });

  it('is stale when its daemons were killed; start makes a new one, stop clears it away', async () => {
    await start();
    await killDaemons();
    expectError(await sandbox('env'), 'SANDBOX_STALE', 'ovs-vswitchd does not run');
    const env = await start();
    expect(await runOrFail('ovs-vsctl', ['list-br'], { timeoutMs: LIMIT_MS, env })).to.equal('');
    await killDaemons();
    expect((await sandbox('stop')).stderr).to.equal(`sandbox stopped: ${directory}\n`);
    await expectNothingLeft();
  });

  for (const [missing, debianPackage] of [
    ['ip', 'iproute2'],
    ['ovsdb-tool', 'openvswitch-switch'],
    ['ovs-vswitchd', 'openvswitch-switch'],
    ['ovs-appctl', 'openvswitch-switch'],
  ] as const) {
    it(`names ${missing} and its package where it is missing, and leaves nothing`, async () => {
      const bin = await pathWith(PROGRAMS.filter((program) => program !== missing));
      const result = await sandbox('start', ['--netns', netns], { env: { PATH: bin } });
      expectError(result, 'PROGRAM_MISSING', `"${missing}"`);
      expect(result.stderr).to.include(`apt-get install ${debianPackage}`);
      await expectNothingLeft();
    });
  }

  it('leaves nothing when the switch does not start, and says what it said', async () => {
    const bin = await pathWithSwitchThat('echo "no memory for it" >&2; exit 1');
    const result = await sandbox('start', ['--netns', netns], { env: { PATH: bin } });
    expectError(result, 'PROGRAM_FAILED', 'no memory for it');
    await expectNothingLeft();
  });

  it('leaves nothing when it is interrupted half-way', async () => {
    const bin = await pathWithSwitchThat('kill -INT $PPID; exec sleep 60');
    const result = await sandbox('start', ['--netns', netns], { env: { PATH: bin } });
    expectError(result, 'CANCELLED', 'ovs-vswitchd');
    await expectNothingLeft();
  });

  it('is not stopped under those who are in it, but with --force', async () => {
    await start();
    const sleeper = spawn('ip', ['netns', 'exec', netns, 'sleep', '60'], { stdio: 'ignore' });
    const ended = once(sleeper, 'exit');
    const pid = String(sleeper.pid);
    while ((await readFile(`/proc/${pid}/comm`, 'utf8')) !== 'sleep\n') await delay(5);

    expectError(await sandbox('stop'), 'SANDBOX_BUSY', `sleep (pid ${pid})`);
    expect((await sandbox('env')).status).to.equal(0);
    await killDaemons();
    expectError(await sandbox('start', ['--netns', netns]), 'SANDBOX_BUSY', `sleep (pid ${pid})`);
    expect(await namespaces()).to.include(netns);

    expect((await sandbox('stop', ['--force'])).stderr).to.equal(`sandbox stopped: ${directory}\n`);
    expect(await ended).to.deep.equal([null, 'SIGTERM']);
    await expectNothingLeft();
  });

  it('knows guests that run in it by name, and takes them along with --force', async () => {
    const env = await start();
    const file = join(scratch, 'lab.vsb.yaml');
    const image = await guestImage();
    const topology = {
      version: 1,
      name: 'demo',
      bridges: { br0: { datapath: 'netdev' } },
      networks: { web: { bridge: 'br0' } },
      vms: { a: { memory: '128M', boot: image, nics: [{ network: 'web' }] } },
    };
    await writeFile(file, JSON.stringify(topology)); // JSON is YAML
    const applied = await vsb(['apply', file, '--yes'], { env });
    expect(applied.status, applied.stderr).to.equal(0);
    const started = await vsb(['vm', 'start', file, '--accel', 'tcg'], { env });
    expect(started.status, started.stderr).to.equal(0);

    const refused = await sandbox('stop');
    expectError(refused, 'SANDBOX_BUSY', /virtual machine "a" of demo \(pid \d+\)\. End them first/);
    expect((await vsb(['vm', 'list', file], { env })).stdout).to.include('running');
    expect((await sandbox('stop', ['--force'])).stderr).to.equal(`sandbox stopped: ${directory}\n`);
    await expectNothingLeft();
  });

  it('explains itself', async () => {
    const { stdout } = await vsb(['sandbox', 'stop', '--help']);
    expect(stdout).to.include('--force').and.include('DIR/guests');
    const flagless = await vsb(['sandbox', 'start']);
    expect(flagless.status).to.equal(64);
    expect(flagless.stderr).to.include('--dir');
  });
});

function expectError(result: RunResult, code: string, text: string | RegExp, status = 1): void {
  expect(result.stderr).to.include(`vsb: error[${code}]: `);
  if (typeof text === 'string') expect(result.stderr).to.include(text);
  else expect(result.stderr).to.match(text);
  expect(result.stderr, 'no stack trace for people').to.not.match(/\n\s+at /);
  expect(result.status).to.equal(status);
  expect(result.stdout).to.equal('');
}

async function namespaces(): Promise<string[]> {
  const { stdout } = await run('ip', ['netns', 'list'], { timeoutMs: LIMIT_MS });
  return stdout.split('\n').map((line) => line.split(' ', 1)[0] ?? '');
}

/** Command lines of all processes that have a text in them. */
async function commandLinesWith(text: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return lines.filter((line) => line.includes(text));
}
