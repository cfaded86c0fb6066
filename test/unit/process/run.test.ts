import { expect } from 'chai';
import { run, runOrFail } from '../../../src/process/run.ts';
import { inNetns, netnsFailure } from '../../../src/process/netns.ts';
import { isRunning, waitForEnd } from '../../../src/process/pidfile.ts';
import { VsbError } from '../../../src/errors.ts';

const LIMIT = { timeoutMs: 10_000 };

async function errorOf(promise: Promise<unknown>): Promise<VsbError> {
  try {
    await promise;
  } catch (thrown) {
    if (thrown instanceof VsbError) return thrown;
    throw thrown;
  }
  throw new Error('no error');
}

describe('run', () => {
  it('gives status, stdout and stderr apart', async () => {
    const result = await run('sh', ['-c', 'echo out; echo err >&2; exit 3'], LIMIT);
    expect(result).to.deep.equal({ status: 3, stdout: 'out\n', stderr: 'err\n' });
  });

  it('uses no shell', async () => {
    const { stdout } = await run('echo', ['$HOME;', '`id`', '*'], LIMIT);
    expect(stdout).to.equal('$HOME; `id` *\n');
  });

  it('hands over input, and survives a program that does not read it', async () => {
    expect((await run('cat', [], { ...LIMIT, input: 'æ\n' })).stdout).to.equal('æ\n');
    expect((await run('true', [], { ...LIMIT, input: 'x'.repeat(2 ** 20) })).status).to.equal(0);
  });

  it('adds to the environment, takes away from it, and always says LC_ALL=C', async () => {
    const env = { VSB_TEST_A: 'a', PWD: undefined, LC_ALL: 'de_DE' };
    const { stdout } = await run('env', [], { ...LIMIT, env });
    expect(stdout.split('\n')).to.include.members(['VSB_TEST_A=a', 'LC_ALL=C']);
    expect(stdout).not.to.match(/^PWD=/m);
  });

  it('counts an end by signal as shells do', async () => {
    expect((await run('sh', ['-c', 'kill -TERM $$'], LIMIT)).status).to.equal(143);
  });

  it('names the package of a missing program', async () => {
    const error = await errorOf(run('/nowhere/ovs-vsctl', [], LIMIT));
    expect(error.code).to.equal('PROGRAM_MISSING');
    expect(error.message).to.contain('apt-get install openvswitch-switch');
  });

  it('ends a program that takes too long, and what it started', async () => {
    // Its command line tells this sleep from others.
    const marker = `31${String(process.pid)}`;
    const error = await errorOf(run('sh', ['-c', `sleep ${marker} & sleep ${marker}`], { timeoutMs: 200 }));
    expect(error.code).to.equal('PROGRAM_TIMEOUT');
    const { stdout } = await run('pgrep', ['-f', `^sleep ${marker}`], LIMIT);
    for (const pid of stdout.split('\n').filter(Boolean).map(Number)) {
      expect(await waitForEnd({ pid, program: 'sleep', argument: marker }, { deadlineMs: 5000 })).to.equal(
        true,
      );
    }
  });

  it('ends a program when its signal is aborted, and starts none after that', async () => {
    const abort = new AbortController();
    const running = errorOf(run('sleep', ['60'], { ...LIMIT, signal: abort.signal }));
    abort.abort();
    expect((await running).code).to.equal('CANCELLED');
    const late = await errorOf(run('nothing-of-this-name', [], { ...LIMIT, signal: abort.signal }));
    expect(late.code).to.equal('CANCELLED');
  });

  it('ends a program that prints without end', async () => {
    const error = await errorOf(run('yes', [], { ...LIMIT, maxOutputBytes: 1000 }));
    expect(error.code).to.equal('PROGRAM_OUTPUT_TOO_LONG');
  });
});

describe('runOrFail', () => {
  it('gives stdout', async () => {
    expect(await runOrFail('echo', ['x'], LIMIT)).to.equal('x\n');
  });

  it('turns a status other than 0 into an error with the first lines of stderr', async () => {
    const error = await errorOf(runOrFail('sh', ['-c', 'printf "one\\n\\ntwo\\n" >&2; exit 4'], LIMIT));
    expect(error.code).to.equal('PROGRAM_FAILED');
    expect(error.details).to.deep.equal({ program: 'sh', status: 4, said: 'one / two' });
  });
});

describe('a network namespace', () => {
  it('is entered by ip itself, or by ip netns exec', () => {
    expect(inNetns('ns', 'ip', ['link'])).to.deep.equal({ program: 'ip', args: ['-n', 'ns', 'link'] });
    expect(inNetns('ns', 'tc', ['q'])).to.deep.equal({
      program: 'ip',
      args: ['netns', 'exec', 'ns', 'tc', 'q'],
    });
    expect(inNetns(undefined, 'tc', ['q'])).to.deep.equal({ program: 'tc', args: ['q'] });
  });

  it('that is missing is an error of its own', async () => {
    for (const program of ['ip', 'ls']) {
      const error = await errorOf(run(program, ['link'], { ...LIMIT, netns: 'vsb-none' }));
      expect(error.code, program).to.equal('NETNS_MISSING');
    }
  });

  it('is told from failures of the program', () => {
    const said = (status: number, stderr: string): string | undefined =>
      netnsFailure('n', 'tc', { status, stderr })?.code;
    expect(said(1, 'exec of "tc" failed: No such file or directory\n')).to.equal('PROGRAM_MISSING');
    expect(said(255, 'setting the network namespace "n" failed: Operation not permitted\n')).to.equal(
      'NOT_PERMITTED',
    );
    expect(said(255, 'Cannot open network namespace "n": Permission denied\n')).to.equal('NOT_PERMITTED');
    expect(said(255, 'tc said something else\n')).to.equal(undefined);
    expect(said(1, 'Cannot open network namespace "n": No such file or directory\n')).to.equal(undefined);
  });
});

describe('isRunning', () => {
  it('knows this process by its program, and by its command line', async () => {
    const mark = { pid: process.pid, program: 'node' };
    expect(await isRunning(mark)).to.equal(true);
    expect(await isRunning({ ...mark, argument: 'mocha' })).to.equal(true);
    expect(await isRunning({ ...mark, argument: 'no such argument' })).to.equal(false);
    expect(await isRunning({ ...mark, program: 'ovs-vswitchd' })).to.equal(false);
  });
});
