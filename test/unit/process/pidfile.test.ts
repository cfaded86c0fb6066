import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  isRunning,
  readPidFile,
  runningProcess,
  sendSignal,
  terminate,
  waitForEnd,
} from '../../../src/process/pidfile.ts';

describe('pid files', () => {
  let directory: string;
  let path: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'vsb-pid-'));
    path = join(directory, 'a.pid');
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('are read where they hold a pid', async () => {
    const cases: [string, number | undefined][] = [
      ['12\n', 12],
      ['12', 12],
      ['', undefined],
      ['0\n', undefined],
      ['-5\n', undefined],
      ['1x\n', undefined],
    ];
    for (const [text, pid] of cases) {
      await writeFile(path, text);
      expect(await readPidFile(path), JSON.stringify(text)).to.equal(pid);
    }
    expect(await readPidFile(join(directory, 'none'))).to.equal(undefined);
  });

  it('of another program name no process of ours', async () => {
    await writeFile(path, `${String(process.pid)}\n`);
    expect(await runningProcess(path, 'ovs-vswitchd')).to.equal(undefined);
    expect(await runningProcess(path, 'node')).to.deep.include({ pid: process.pid, program: 'node' });
  });

  it('keep a recycled pid from being ended', async () => {
    await terminate({ pid: process.pid, program: 'ovs-vswitchd' }, { termMs: 100 });
    expect(await sendSignal({ pid: process.pid, program: 'node', argument: 'not ours' }, 'SIGKILL')).to.equal(
      false,
    );
  });
});

describe('terminate', () => {
  it('ends a process by TERM', async () => {
    const pid = await start('exec sleep 60');
    const mark = { pid, program: 'sleep' };
    while (!(await isRunning(mark))) await delay(5);
    expect(await waitForEnd(mark, { deadlineMs: 0 })).to.equal(false);
    await terminate(mark, { termMs: 5000 });
    expect(await isRunning(mark)).to.equal(false);
  });

  it('ends by KILL one that heeds no TERM', async () => {
    const pid = await start('trap "" TERM; while :; do sleep 60; done');
    // Its first child tells that the trap is set; that child has it too.
    const children = await readChildren(pid);
    await terminate({ pid, program: 'sh' }, { termMs: 50 });
    expect(await isRunning({ pid, program: 'sh' })).to.equal(false);
    for (const child of children) await terminate({ pid: child, program: 'sleep' }, { termMs: 0 });
  });
});

describe('waitForEnd', () => {
  it('waits for the last thread, which holds files and sockets as long as it lives', async () => {
    const pid = await start(`exec /usr/bin/python3 -c '${LEADER_LEAVES}'`);
    const stateOf = async () => /\) (\w)/.exec(await readFile(`/proc/${String(pid)}/stat`, 'utf8'))?.[1];
    while ((await stateOf()) !== 'Z') await delay(5);
    const program = (await readFile(`/proc/${String(pid)}/comm`, 'utf8')).trim();
    const mark = { pid, program };
    expect(await isRunning(mark)).to.equal(false);
    expect(await waitForEnd(mark, { deadlineMs: 0 })).to.equal(false);
    process.kill(pid, 'SIGKILL');
    expect(await waitForEnd(mark, { deadlineMs: 5000 })).to.equal(true);
  });
});

/** Its first thread ends by itself (exit, not exit_group), another sleeps on. */
const LEADER_LEAVES = `
import ctypes, threading, time
threading.Thread(target=time.sleep, args=(60,)).start()
ctypes.CDLL(None).pthread_exit(None)
`;

/** Starts a shell script, whose end nobody waits for. @returns its pid */
async function start(script: string): Promise<number> {
  const child = spawn('sh', ['-c', script], { stdio: 'ignore', detached: true });
  await once(child, 'spawn');
  return Number(child.pid);
}

async function readChildren(pid: number): Promise<number[]> {
  const path = `/proc/${String(pid)}/task/${String(pid)}/children`;
  for (;;) {
    const text = await readFile(path, 'utf8');
    if (text.trim() !== '') return text.trim().split(' ').map(Number);
    await delay(5);
  }
}
