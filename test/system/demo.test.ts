/** The demo, as a newcomer runs it, also without a terminal: it shows traffic, and leaves nothing. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { runOrFail } from '../../src/process/run.ts';
import { guestImage } from '../support/guest-image.ts';

const DEMO = fileURLToPath(new URL('../../scripts/demo', import.meta.url));
/** It boots three emulated guests on shared cores, and builds dist/ where that is old. */
const LIMIT_MS = 180_000;

/** A running demo, whose temporary directory is the test's own. */
class Demo {
  readonly #child: ChildProcess;
  readonly ended: Promise<number | null>;
  stdout = '';
  stderr = '';

  constructor(args: readonly string[], directory: string) {
    const child = spawn(DEMO, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      // A remote of another switch must not matter.
      env: { ...process.env, TMPDIR: directory, VSB_REMOTE: 'unix:/nowhere', OVS_RUNDIR: '/nowhere' },
    });
    this.#child = child;
    child.stdout.on('data', (text: Buffer) => (this.stdout += text.toString()));
    child.stderr.on('data', (text: Buffer) => (this.stderr += text.toString()));
    this.ended = new Promise((resolve) => child.once('close', resolve));
  }

  /** Waits until it has said a text on stderr; fails where it ends before. */
  async said(text: string): Promise<void> {
    const early = this.ended.then(() => {
      throw new Error(`the demo ended without "${text}":\n${this.stderr}`);
    });
    const heard = new Promise<void>((resolve) => {
      this.#child.stderr?.on('data', () => {
        if (this.stderr.includes(text)) resolve();
      });
    });
    await Promise.race([heard, early]);
  }

  interrupt(): void {
    this.#child.kill('SIGINT');
  }
}

describe('the demo', function () {
  this.timeout(LIMIT_MS);
  let directory: string;

  before(async () => {
    await guestImage();
  });
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'vsb-d'));
  });
  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  it("shows the guests' traffic for a time, and leaves nothing", async () => {
    const demo = new Demo(['--for', '2s'], directory);
    expect(await demo.ended, demo.stderr).to.equal(0);
    expect(demo.stdout)
      .to.match(/^web1 +total .*\d[kM] /m)
      .and.match(/^db1 +0 +db +br0 /m);
    await expectNothingLeft(demo, directory);
  });

  it('leaves nothing when it is interrupted while the guests start', async () => {
    const demo = new Demo([], directory);
    await demo.said('demo: start the virtual machines');
    demo.interrupt();
    expect(await demo.ended).to.equal(130);
    expect(demo.stderr).to.include('demo: stop the virtual machines');
    await expectNothingLeft(demo, directory);
  });

  it('ends well with Ctrl-C while it shows traffic', async () => {
    const demo = new Demo([], directory);
    await demo.said('demo: their traffic');
    demo.interrupt();
    expect(await demo.ended).to.equal(0);
    await expectNothingLeft(demo, directory);
  });

  it('refuses what is no duration before it does anything', async () => {
    const demo = new Demo(['--for', 'long'], directory);
    expect(await demo.ended).to.equal(1);
    expect(demo.stderr).to.include('write a duration');
  });
});

async function expectNothingLeft(demo: Demo, directory: string): Promise<void> {
  expect(demo.stderr).to.include('demo: all of it is gone');
  expect(await readdir(directory)).to.deep.equal([]);
  const netns = /network namespace (vsb-demo-\d+)/.exec(demo.stderr)?.[1];
  expect(netns).to.be.a('string');
  expect(await runOrFail('ip', ['netns', 'list'], { timeoutMs: 5000 })).to.not.include(netns);
  expect(await commandLinesWith(directory)).to.deep.equal([]);
}

/** Command lines of all processes that have a text in them. */
async function commandLinesWith(text: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return lines.filter((line) => line.includes(text));
}
