/** `vsb sandbox` for tests: a directory and a namespace of their own, what goes wrong there, and that nothing is left. */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { runningProcess, sendSignal, waitForEnd } from '../../src/process/pidfile.ts';
import { runOrFail, type RunResult } from '../../src/process/run.ts';
import { vsb, type CliOptions } from './cli.ts';

export const LIMIT_MS = 20_000;
/** All that a start needs, besides Node. */
export const PROGRAMS: readonly string[] = [
  ...['env', 'ip', 'sh', 'sleep'],
  ...['ovsdb-tool', 'ovsdb-server', 'ovs-vsctl', 'ovs-appctl', 'ovs-vswitchd'],
];
/** Runs a program without root. */
export const AS_NOBODY: readonly string[] = ['setpriv', '--reuid=65534', '--clear-groups'];

export class SandboxLab implements AsyncDisposable {
  /** Where everything of the test goes. */
  readonly scratch: string;
  readonly netns = `vsb-s${randomBytes(4).toString('hex')}`;
  /** The sandbox's; not there before a start. A test may choose another one in `scratch`. */
  directory: string;

  private constructor(scratch: string) {
    this.scratch = scratch;
    this.directory = join(scratch, 'lab');
  }

  static async make(): Promise<SandboxLab> {
    return new SandboxLab(await mkdtemp(join(tmpdir(), 'vsb-s')));
  }

  /** `vsb sandbox VERB --dir DIRECTORY ARGS` */
  sandbox(
    verb: 'start' | 'stop' | 'env',
    args: readonly string[] = [],
    options: CliOptions = {},
  ): Promise<RunResult> {
    return vsb(['sandbox', verb, '--dir', this.directory, ...args], options);
  }

  /** Starts one with devices, in the test's namespace. @returns the variables that lead to it */
  async start(): Promise<Readonly<Record<string, string>>> {
    const { status, stdout, stderr } = await this.sandbox('start', ['--netns', this.netns, '-o', 'json']);
    expect(status, stderr).to.equal(0);
    return (JSON.parse(stdout) as { env: Record<string, string> }).env;
  }

  /** SIGKILL to both daemons. */
  async killDaemons(): Promise<void> {
    for (const program of ['ovs-vswitchd', 'ovsdb-server']) {
      const mark = await runningProcess(join(this.directory, `${program}.pid`), program);
      if (!mark) throw new Error(`${program} does not run`);
      await sendSignal(mark, 'SIGKILL');
      expect(await waitForEnd(mark, { deadlineMs: LIMIT_MS })).to.equal(true);
    }
  }

  /** A directory for PATH with these programs alone. */
  async pathWith(programs: readonly string[]): Promise<string> {
    const bin = join(this.scratch, 'bin');
    await mkdir(bin);
    for (const program of programs) {
      const path = (await runOrFail('which', [program], { timeoutMs: LIMIT_MS })).trim();
      await symlink(path, join(bin, program));
    }
    return bin;
  }

  /** A directory for PATH where starting ovs-vswitchd does this instead. */
  async pathWithSwitchThat(does: string): Promise<string> {
    const bin = await this.pathWith(PROGRAMS.filter((program) => program !== 'ovs-vswitchd'));
    const version = 'case "$*" in *--version*) echo "ovs-vswitchd (Open vSwitch) 3.1.0"; exit;; esac';
    await writeFile(join(bin, 'ovs-vswitchd'), `#!/bin/sh\n${version}\n${does}\n`, { mode: 0o755 });
    return bin;
  }

  /** No file, no namespace and no process of the sandbox. */
  async expectNothingLeft(): Promise<void> {
    expect(await readdir(this.scratch)).to.not.include('lab');
    expect(await namespaces()).to.not.include(this.netns);
    expect(await commandLinesWith(this.scratch)).to.deep.equal([]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sandbox('stop', ['--force']);
    await this.expectNothingLeft();
    await rm(this.scratch, { recursive: true });
  }
}

/** Names of all network namespaces. */
export async function namespaces(): Promise<string[]> {
  const text = await runOrFail('ip', ['netns', 'list'], { timeoutMs: LIMIT_MS });
  return text.split('\n').map((line) => line.split(' ', 1)[0] ?? '');
}

/** That a call failed with a code, and a text in its message. */
export function expectError(result: RunResult, code: string, text: string | RegExp, status = 1): void {
  expect(result.stderr).to.include(`vsb: error[${code}]: `);
  if (typeof text === 'string') expect(result.stderr).to.include(text);
  else expect(result.stderr).to.match(text);
  expect(result.stderr, 'no stack trace for people').to.not.match(/\n\s+at /);
  expect(result.status).to.equal(status);
  expect(result.stdout).to.equal('');
}

/** Command lines of all processes that have a text in them. */
async function commandLinesWith(text: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return lines.filter((line) => line.includes(text));
}
