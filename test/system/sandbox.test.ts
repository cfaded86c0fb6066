/** A sandbox from its start to its end, as a person has it: by the command line alone, with real daemons. */
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { run, runOrFail } from '../../src/process/run.ts';
import { vsb } from '../support/cli.ts';
import { guestImage } from '../support/guest-image.ts';
import { AS_NOBODY, LIMIT_MS, SandboxLab, expectError, namespaces } from '../support/sandboxlab.ts';

describe('vsb sandbox', function () {
  this.timeout(60_000);
  let lab: SandboxLab;

  beforeEach(async () => {
    lab = await SandboxLab.make();
  });
  afterEach(async () => {
    await lab[Symbol.asyncDispose]();
  });

  it('starts an Open vSwitch that bash finds by what it prints, and stops it', async () => {
    // Whatever a directory may be called.
    lab.directory = join(lab.scratch, "lab of 'me' $HOME");
    const started = await lab.sandbox('start', ['--netns', lab.netns]);
    expect(started.status, started.stderr).to.equal(0);
    expect(started.stderr).to.equal(`sandbox started: ${lab.directory}, network namespace ${lab.netns}\n`);
    const env = await lab.sandbox('env');
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
      `unix:${lab.directory}/db.sock`,
      lab.directory,
      `${lab.directory}/guests`,
      '',
    ]);

    const stopped = await lab.sandbox('stop');
    expect(stopped).to.deep.equal({ status: 0, stdout: '', stderr: `sandbox stopped: ${lab.directory}\n` });
    await lab.expectNothingLeft();
    expect(await readdir(lab.scratch)).to.deep.equal([]);
    const again = await lab.sandbox('stop');
    expect(again).to.deep.equal({
      status: 0,
      stdout: '',
      stderr: `there is no sandbox in ${lab.directory}\n`,
    });
  });

  it('starts none where one runs, and says so', async () => {
    const env = await lab.start();
    await runOrFail('ovs-vsctl', ['--no-wait', 'add-br', 'br0'], { timeoutMs: LIMIT_MS, env });
    const again = await lab.sandbox('start', ['--netns', lab.netns]);
    expect(again.status).to.equal(0);
    expect(again.stderr).to.equal(`sandbox runs already: ${lab.directory}, network namespace ${lab.netns}\n`);
    expect(await runOrFail('ovs-vsctl', ['list-br'], { timeoutMs: LIMIT_MS, env })).to.equal('br0\n');
    const other = await lab.sandbox('start', ['--dummy']);
    expectError(other, 'SANDBOX_DIFFERS', `network namespace "${lab.netns}"`);
    expect((await lab.sandbox('env')).status).to.equal(0);
  });

  it('prints JSON for programs', async () => {
    await lab.start();
    const { stdout } = await lab.sandbox('env', ['-o', 'json']);
    expect(JSON.parse(stdout)).to.deep.equal({
      formatVersion: '1.0',
      directory: lab.directory,
      datapath: 'netdev',
      netns: lab.netns,
      remote: `unix:${lab.directory}/db.sock`,
      guestsDirectory: `${lab.directory}/guests`,
      env: {
        VSB_REMOTE: `unix:${lab.directory}/db.sock`,
        VSB_OVS_RUNDIR: lab.directory,
        VSB_NETNS: lab.netns,
        VSB_RUN_DIR: `${lab.directory}/guests`,
        OVS_RUNDIR: lab.directory,
      },
    });
  });

  it('calls the namespace after the directory where nobody names it', async () => {
    lab.directory = join(lab.scratch, `lab of ${lab.netns}`);
    const { stdout } = await lab.sandbox('start');
    expect(stdout).to.include(`export VSB_NETNS=vsb-lab-of-${lab.netns}\n`);
    expect((await lab.sandbox('stop')).status).to.equal(0);
    expect(await namespaces()).to.not.include(`vsb-lab-of-${lab.netns}`);
  });

  it('needs no root for a switch without devices, nor for a database alone', async () => {
    await chmod(lab.scratch, 0o777);
    for (const [kind, program] of [
      ['--dummy', 'ovs-vswitchd'],
      ['--database-only', 'ovsdb-server'],
    ] as const) {
      const started = await lab.sandbox('start', [kind], { wrapper: AS_NOBODY });
      expect(started.status, started.stderr).to.equal(0);
      // One that is set for another sandbox would lead there.
      expect(started.stdout).to.include('unset VSB_NETNS\n');
      const env = { OVS_RUNDIR: lab.directory };
      const appctl = ['-t', program, 'version'];
      expect(await runOrFail('ovs-appctl', appctl, { timeoutMs: LIMIT_MS, env })).to.include(program);
      const port = ['--', 'add-port', 'br0', 'p1'];
      const wait = kind === '--dummy' ? ['--timeout=15'] : ['--no-wait'];
      await runOrFail('ovs-vsctl', [...wait, 'add-br', 'br0', ...port], { timeoutMs: LIMIT_MS, env });
      expect((await lab.sandbox('stop', [], { wrapper: AS_NOBODY })).stderr).to.include('sandbox stopped');
      await lab.expectNothingLeft();
    }
  });

  it('leaves an empty directory that was there, and what others put into it', async () => {
    await mkdir(lab.directory);
    await lab.start();
    await writeFile(join(lab.directory, 'notes.txt'), 'mine');
    expect((await lab.sandbox('stop')).status).to.equal(0);
    expect(await readdir(lab.directory)).to.deep.equal(['notes.txt']);
    await rm(lab.directory, { recursive: true });
  });

  it('is stale when its daemons were killed; start makes a new one, stop clears it away', async () => {
    await lab.start();
    await lab.killDaemons();
    expectError(await lab.sandbox('env'), 'SANDBOX_STALE', 'ovs-vswitchd does not run');
    const env = await lab.start();
    expect(await runOrFail('ovs-vsctl', ['list-br'], { timeoutMs: LIMIT_MS, env })).to.equal('');
    await lab.killDaemons();
    expect((await lab.sandbox('stop')).stderr).to.equal(`sandbox stopped: ${lab.directory}\n`);
    await lab.expectNothingLeft();
  });

  it('is not stopped under those who are in it, but with --force', async () => {
    await lab.start();
    const note = join(lab.scratch, 'pid');
    const script = `echo $$ >'${note}.new'; mv '${note}.new' '${note}'; exec sleep 60`;
    const sleeper = run('sh', ['-c', script], { timeoutMs: 60_000, netns: lab.netns });
    while (!(await readdir(lab.scratch)).includes('pid')) await delay(5);
    const pid = (await readFile(note, 'utf8')).trim();
    while ((await readFile(`/proc/${pid}/comm`, 'utf8')) !== 'sleep\n') await delay(5);

    expectError(await lab.sandbox('stop'), 'SANDBOX_BUSY', `sleep (pid ${pid})`);
    expect((await lab.sandbox('env')).status).to.equal(0);
    await lab.killDaemons();
    expectError(await lab.sandbox('start', ['--netns', lab.netns]), 'SANDBOX_BUSY', `sleep (pid ${pid})`);
    expect(await namespaces()).to.include(lab.netns);

    expect((await lab.sandbox('stop', ['--force'])).stderr).to.equal(`sandbox stopped: ${lab.directory}\n`);
    // By SIGTERM (15), as shells count.
    expect((await sleeper).status).to.equal(128 + 15);
    await lab.expectNothingLeft();
  });

  it('knows guests that run in it by name, and takes them along with --force', async () => {
    const env = await lab.start();
    const file = join(lab.scratch, 'lab.vsb.yaml');
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
    const start = ['vm', 'start', file, '--accel', 'tcg'];

    // Where there is no sandbox, guests are somebody else's.
    const other = join(lab.scratch, 'other');
    const elsewhere = { env: { ...env, VSB_RUN_DIR: join(other, 'guests') } };
    expect((await vsb(start, elsewhere)).stderr).to.include('a: started');
    const none = await vsb(['sandbox', 'stop', '--dir', other, '--force']);
    expect(none.stderr).to.equal(`there is no sandbox in ${other}\n`);
    expectError(await lab.sandbox('stop'), 'SANDBOX_BUSY', /still run: qemu-system-x86 \(pid \d+\)\. End/);
    expect((await vsb(['vm', 'stop', file, '--force'], elsewhere)).stderr).to.include('a: stopped');

    expect((await vsb(start, { env })).stderr).to.include('a: started');
    const refused = await lab.sandbox('stop');
    expectError(refused, 'SANDBOX_BUSY', /virtual machine "a" of demo \(pid \d+\)\. End them first/);
    expect((await vsb(['vm', 'list', file], { env })).stdout).to.include('running');
    expect((await lab.sandbox('stop', ['--force'])).stderr).to.equal(`sandbox stopped: ${lab.directory}\n`);
    await lab.expectNothingLeft();
  });

  it('explains itself', async () => {
    const { stdout } = await vsb(['sandbox', 'stop', '--help']);
    expect(stdout).to.include('--force').and.include('DIR/guests');
    const flagless = await vsb(['sandbox', 'start']);
    expect(flagless.status).to.equal(64);
    expect(flagless.stderr).to.include('--dir');
  });
});
