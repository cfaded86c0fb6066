/** A sandbox that cannot be: it says why, leaves nothing of itself, and touches nothing of others. */
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { runOrFail } from '../../src/process/run.ts';
import { AS_NOBODY, LIMIT_MS, PROGRAMS, SandboxLab, expectError, namespaces } from '../support/sandboxlab.ts';

describe('vsb sandbox, when it cannot be', function () {
  this.timeout(60_000);
  let lab: SandboxLab;

  beforeEach(async () => {
    lab = await SandboxLab.make();
  });
  afterEach(async () => {
    await lab[Symbol.asyncDispose]();
  });

  it('says that devices need root', async () => {
    await chmod(lab.scratch, 0o777);
    expectError(
      await lab.sandbox('start', ['--netns', lab.netns], { wrapper: AS_NOBODY }),
      'NOT_PERMITTED',
      lab.netns,
    );
    await lab.expectNothingLeft();
  });

  it('refuses a directory with files of others, and does not touch it', async () => {
    await mkdir(lab.directory);
    await writeFile(join(lab.directory, 'conf.db'), 'precious');
    expectError(await lab.sandbox('start', ['--netns', lab.netns]), 'SANDBOX_DIRECTORY_FOREIGN', '"conf.db"');
    expect(await lab.sandbox('stop')).to.include({
      status: 0,
      stderr: `there is no sandbox in ${lab.directory}\n`,
    });
    expect(await readdir(lab.directory)).to.deep.equal(['conf.db']);
    expect(await readFile(join(lab.directory, 'conf.db'), 'utf8')).to.equal('precious');
    expect(await namespaces()).to.not.include(lab.netns);
    await rm(lab.directory, { recursive: true });
  });

  it('refuses a namespace that is there, and does not touch it', async () => {
    await runOrFail('ip', ['netns', 'add', lab.netns], { timeoutMs: LIMIT_MS });
    try {
      await runOrFail('ip', ['tuntap', 'add', 'd0', 'mode', 'tap'], {
        timeoutMs: LIMIT_MS,
        netns: lab.netns,
      });
      expectError(
        await lab.sandbox('start', ['--netns', lab.netns]),
        'SANDBOX_NETNS_TAKEN',
        `"${lab.netns}"`,
      );
      expect(await readdir(lab.scratch)).to.deep.equal([]);
      expect((await lab.sandbox('stop', ['--force'])).status).to.equal(0);
      expect(await runOrFail('ip', ['-o', 'link'], { timeoutMs: LIMIT_MS, netns: lab.netns })).to.include(
        'd0',
      );
    } finally {
      await runOrFail('ip', ['netns', 'del', lab.netns], { timeoutMs: LIMIT_MS });
    }
  });

  it('refuses what cannot name a namespace, and a path too long for sockets, with 64', async () => {
    expectError(await lab.sandbox('start', ['--netns', '../x']), 'USAGE', '"../x"', 64);
    lab.directory = join(lab.scratch, 'd'.repeat(90));
    expectError(await lab.sandbox('start', ['--netns', lab.netns]), 'SANDBOX_PATH_TOO_LONG', 'at most', 64);
    // The longest that is allowed works.
    const most = Number(/at most (\d+) bytes/.exec((await lab.sandbox('start')).stderr)?.[1]);
    lab.directory = join(lab.scratch, 'd'.repeat(most - lab.scratch.length - 1));
    await lab.start();
    expect((await lab.sandbox('stop')).status).to.equal(0);
    expect(await readdir(lab.scratch)).to.deep.equal([]);
  });

  it('tells where a directory cannot be made', async () => {
    lab.directory = join(lab.scratch, 'none', 'lab');
    expectError(await lab.sandbox('start', ['--netns', lab.netns]), 'FILE_UNWRITABLE', lab.directory);
    expectError(await lab.sandbox('env'), 'SANDBOX_MISSING', lab.directory);
  });

  for (const [missing, debianPackage] of [
    ['ip', 'iproute2'],
    ['ovsdb-tool', 'openvswitch-switch'],
    ['ovs-vswitchd', 'openvswitch-switch'],
    ['ovs-appctl', 'openvswitch-switch'],
  ] as const) {
    it(`names ${missing} and its package where it is missing, and leaves nothing`, async () => {
      const bin = await lab.pathWith(PROGRAMS.filter((program) => program !== missing));
      const result = await lab.sandbox('start', ['--netns', lab.netns], { env: { PATH: bin } });
      expectError(result, 'PROGRAM_MISSING', `"${missing}"`);
      expect(result.stderr).to.include(`apt-get install ${debianPackage}`);
      await lab.expectNothingLeft();
    });
  }

  it('leaves nothing when the switch does not start, and says what it said', async () => {
    const bin = await lab.pathWithSwitchThat('echo "no memory for it" >&2; exit 1');
    const result = await lab.sandbox('start', ['--netns', lab.netns], { env: { PATH: bin } });
    expectError(result, 'PROGRAM_FAILED', 'no memory for it');
    await lab.expectNothingLeft();
  });

  it('leaves nothing when it is interrupted half-way', async () => {
    const bin = await lab.pathWithSwitchThat('kill -INT $PPID; exec sleep 60');
    const result = await lab.sandbox('start', ['--netns', lab.netns], { env: { PATH: bin } });
    expectError(result, 'CANCELLED', 'ovs-vswitchd');
    await lab.expectNothingLeft();
  });
});
