import { expect } from 'chai';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDetached } from '../../../src/process/detached.ts';
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

describe('startDetached', () => {
  let directory: string;
  let logFile: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'vsb-detached-'));
    logFile = join(directory, 'log');
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('starts in a session of its own, with output in a file, and terminate ends it', async () => {
    const pid = await startDetached('sh', ['-c', 'echo $VSB_TEST_A; exec sleep 60'], {
      logFile,
      env: { VSB_TEST_A: 'hello' },
    });
    const mark = { pid, program: 'sleep' };
    while (!(await isRunning(mark))) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await readFile(logFile, 'utf8')).to.equal('hello\n');
    // proc(5): session is the 6th field, the 3rd behind the name's parenthesis
    const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8');
    expect(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]).to.equal(String(pid));
    expect(await waitForEnd(mark, { deadlineMs: 0 })).to.equal(false);
    await terminate(mark, { termMs: 5000 });
    expect(await isRunning(mark)).to.equal(false);
  });

  it('is ended by KILL where TERM does nothing', async () => {
    const pid = await startDetached('sh', ['-c', 'trap "" TERM; echo ready; while :; do sleep 60; done'], {
      logFile,
    });
    while ((await readFile(logFile, 'utf8')) === '') await new Promise((resolve) => setTimeout(resolve, 5));
    const group = await readChildren(pid);
    await terminate({ pid, program: 'sh' }, { termMs: 50 });
    expect(await isRunning({ pid, program: 'sh' })).to.equal(false);
    for (const child of group) await terminate({ pid: child, program: 'sleep' }, { termMs: 5000 });
  });

  it('tells a missing program and a log file that cannot be written', async () => {
    const codes: unknown[] = [];
    const note = (error: unknown): void => {
      codes.push(error instanceof Error && 'code' in error ? error.code : error);
    };
    await startDetached('ovs-no-such', [], { logFile }).catch(note);
    await startDetached('true', [], { logFile: join(directory, 'a', 'b') }).catch(note);
    expect(codes).to.deep.equal(['PROGRAM_MISSING', 'FILE_UNWRITABLE']);
  });
});

async function readChildren(pid: number): Promise<number[]> {
  const path = `/proc/${String(pid)}/task/${String(pid)}/children`;
  for (;;) {
    const text = await readFile(path, 'utf8');
    if (text.trim() !== '') return text.trim().split(' ').map(Number);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
