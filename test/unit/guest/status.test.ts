import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { findGuests, guestPaths } from '../../../src/guest/run-directory.ts';
import { guestStatus, listGuests, readGuestStatus } from '../../../src/guest/status.ts';
import { VsbError } from '../../../src/errors.ts';

describe("a guest's status", () => {
  it('is running, where the pid file names its QEMU', () => {
    expect(guestStatus({ pid: 7, runs: true, noted: true })).to.deep.equal({ status: 'running', pid: 7 });
  });

  it('is running, where QEMU was started by hand', () => {
    expect(guestStatus({ pid: 7, runs: true, noted: false })).to.deep.equal({ status: 'running', pid: 7 });
  });

  it('is crashed, where QEMU left its pid file behind', () => {
    expect(guestStatus({ pid: 7, runs: false, noted: true })).to.deep.equal({ status: 'crashed', pid: 7 });
  });

  it('is stopped, where QEMU took its pid file along', () => {
    expect(guestStatus({ pid: undefined, runs: false, noted: true })).to.deep.equal({ status: 'stopped' });
  });

  it('is absent, where there are no traces', () => {
    expect(guestStatus({ pid: undefined, runs: false, noted: false })).to.deep.equal({ status: 'absent' });
  });
});

describe('the run directory of guests', () => {
  let runDir: string;
  beforeEach(async () => {
    runDir = await mkdtemp(join(tmpdir(), 'vsb-guests-'));
  });
  afterEach(async () => {
    await rm(runDir, { recursive: true });
  });

  it("does not take another process with the number in the pid file for the guest's", async () => {
    const paths = guestPaths(runDir, { topology: 't', vm: 'v' });
    await mkdir(paths.directory, { recursive: true });
    await writeFile(paths.pidFile, `${String(process.pid)}\n`);
    expect(await readGuestStatus(paths)).to.deep.equal({ status: 'crashed', pid: process.pid });
  });

  it('lists guests by topology and name, and passes over what is not one', async () => {
    for (const [topology, vm] of [
      ['b', 'one'],
      ['a', 'two'],
      ['a', 'one'],
    ] as const) {
      const paths = guestPaths(runDir, { topology, vm });
      await mkdir(paths.directory, { recursive: true });
      await writeFile(paths.pidFile, '4194304\n');
    }
    await mkdir(join(runDir, 'a', 'notes'));
    await writeFile(join(runDir, 'accelerators.json'), '{}');
    const listed = await listGuests(runDir);
    expect(listed.map(({ topology, vm, status }) => [topology, vm, status])).to.deep.equal([
      ['a', 'one', 'crashed'],
      ['a', 'two', 'crashed'],
      ['b', 'one', 'crashed'],
    ]);
    expect((await listGuests(runDir, 'b')).map(({ vm }) => vm)).to.deep.equal(['one']);
  });

  it('has no guests where it is not there', async () => {
    expect(await findGuests(join(runDir, 'nowhere'))).to.deep.equal([]);
  });

  it('refuses names that make a socket path longer than Linux allows', () => {
    const name = { topology: 't'.repeat(60), vm: 'v'.repeat(60) };
    try {
      guestPaths(runDir, name);
      expect.fail('it was accepted');
    } catch (error) {
      expect(error).to.be.instanceOf(VsbError);
      expect((error as VsbError).code).to.equal('GUEST_SOCKET_PATH_TOO_LONG');
      expect((error as VsbError).message)
        .to.include('--run-dir')
        .and.include('107');
    }
  });
});
