/** Where what vsb prints goes: to readers that leave, to disks that are full. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { vsb } from '../support/cli.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';

/** So many that their plan is more than a pipe holds (64 KiB). */
const VMS = 700;

describe('what vsb prints', function () {
  this.timeout(60_000);
  let scratch: string;
  let file: string;
  let sandbox: TestSandbox;

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'vsb-output-'));
    file = join(scratch, 'big.vsb.yaml');
    const vms = Array.from({ length: VMS }, (_, place) => [
      `vm${String(place)}`,
      { nics: [{ network: 'n' }] },
    ]);
    const topology = {
      version: 1,
      name: 'big',
      bridges: { br0: {} },
      networks: { n: { bridge: 'br0' } },
      vms: Object.fromEntries(vms) as unknown,
    };
    await writeFile(file, JSON.stringify(topology));
    sandbox = await startTestSandbox({ databaseOnly: true });
  });

  after(async () => {
    await rm(scratch, { recursive: true, force: true });
    await sandbox[Symbol.asyncDispose]();
  });

  /** `vsb ARGS REDIRECTION` in bash; its exit status is vsb's. */
  const redirected = (redirection: string, ...args: readonly string[]): ReturnType<typeof vsb> =>
    vsb(args, {
      env: sandbox.env,
      wrapper: ['bash', '-c', `"$@" ${redirection}; exit "\${PIPESTATUS[0]}"`, 'bash'],
    });

  it('may end unread: what is being changed is changed to its end', async () => {
    const applied = await redirected('| head -n 1', 'apply', file, '--yes', '--database-only');
    expect(applied).to.deep.equal({
      status: 0,
      stdout: `big: ${String(VMS + 1)} to create, 0 to update, 0 to remove\n`,
      stderr: '',
    });
    const ports = await sandbox.vsctl('list-ports', 'br0');
    expect(ports.trim().split('\n')).to.have.length(VMS);
    const destroyed = await redirected('2>&1 | head -n 1', 'destroy', file, '--yes', '--database-only');
    expect(destroyed.status).to.equal(0);
    expect(await sandbox.vsctl('list-br')).to.equal('');
  });

  it('keeps its exit status when nobody reads on', async () => {
    const args = ['plan', file, '--database-only', '--detailed-exitcode'];
    expect(await redirected('| head -n 1', ...args)).to.include({ status: 2, stderr: '' });
  });

  it('is missed on a full disk', async () => {
    const { status, stderr } = await redirected('>/dev/full', 'show');
    expect(stderr).to.equal(
      'vsb: error[FILE_UNWRITABLE]: Cannot write the output: ENOSPC: no space left on device, write.\n',
    );
    expect(status).to.equal(1);
    expect((await redirected('>/dev/full 2>&1', 'show')).status).to.equal(1);
  });
});
