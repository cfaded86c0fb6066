import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { startRunning, VSB, type Running } from '../support/running.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';

const BRIDGE_ONLY = 'version: 1\nname: lab\nbridges: { br0: { datapath: netdev } }\n';

describe('vsb apply, when somebody has had enough', function () {
  // Without an end of its own it would wait for longer than this.
  this.timeout(60_000);
  const PATIENT = ['--deadline', '10m'];
  let scratch: string;
  let file: string;
  let sandbox: TestSandbox;

  beforeEach(async () => {
    sandbox = await startTestSandbox({ databaseOnly: true });
    scratch = await mkdtemp(join(tmpdir(), 'vsb-interrupt-'));
    file = join(scratch, 'lab.vsb.yaml');
    await writeFile(file, BRIDGE_ONLY);
  });

  afterEach(async () => {
    await rm(scratch, { recursive: true, force: true });
    await sandbox[Symbol.asyncDispose]();
  });

  function start(...args: readonly string[]): Running {
    return startRunning([...VSB, ...args], sandbox.env);
  }

  /** On a terminal of its own. */
  function onTerminal(...args: readonly string[]): Running {
    return startRunning(['script', '-qec', [...VSB, ...args].join(' '), '/dev/null'], sandbox.env);
  }

  async function bridges(): Promise<string> {
    return (await sandbox.vsctl('--no-wait', 'list-br')).trim();
  }

  for (const [verb, there] of [
    ['apply', 'br0'],
    ['destroy', ''],
  ] as const) {
    it(`ends ${verb} at SIGINT while ovs-vswitchd is waited for, and says that the change is written`, async () => {
      if (verb === 'destroy') {
        await using first = start('apply', file, '--yes', '--database-only');
        expect((await first.end()).status).to.equal(0);
      }
      await using vsb = start(verb, file, '--yes', ...PATIENT);
      // ovs-vsctl waits in the server until it is so.
      await sandbox.vsctl('--no-wait', 'wait-until', 'Open_vSwitch', '.', 'next_cfg=1');
      vsb.child.kill('SIGINT');
      const { status, output } = await vsb.end();
      expect(output).to.contain('error[CANCELLED]').and.to.contain('the database has the change');
      expect(output).not.to.match(/\n\s+at /);
      expect(status).to.equal(1);
      expect(await bridges()).to.equal(there);
    });
  }

  for (const [key, bytes] of [
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
    ['"no"', 'no\r'],
  ] as const) {
    it(`takes ${key} at its question for a no`, async () => {
      await using vsb = onTerminal('apply', file, '--database-only');
      await vsb.text('[yes/no]');
      vsb.child.stdin?.write(bytes);
      const { status, output } = await vsb.end();
      expect(output).to.contain('error[PLAN_NOT_CONFIRMED]');
      expect(status).to.equal(1);
      expect(await bridges()).to.equal('');
    });
  }

  it('heeds VSB_YES, takes 0, false and nothing for a no, and refuses what is neither', async () => {
    for (const value of ['0', 'False', '', 'maybe', 'Yes']) {
      await using vsb = startRunning([...VSB, 'apply', file, '--database-only'], {
        ...sandbox.env,
        VSB_YES: value,
      });
      // Nobody is there to be asked.
      vsb.child.stdin?.end();
      const { status, output } = await vsb.end();
      expect(status, `VSB_YES=${value}: ${output}`).to.equal(
        value === 'Yes' ? 0 : value === 'maybe' ? 64 : 1,
      );
      if (value === 'maybe') expect(output).to.include('VSB_YES is "maybe"').and.to.include('Write 1 or 0');
      expect(await bridges()).to.equal(value === 'Yes' ? 'br0' : '');
    }
  });

  it('goes on at "yes"; with -o json the plan is shown to who is asked', async () => {
    await using vsb = onTerminal('apply', file, '--database-only', '-o', 'json');
    await vsb.text('[yes/no]');
    vsb.child.stdin?.write('yes\r');
    const { status, output } = await vsb.end();
    expect(output).to.contain('1 to create').and.to.contain('"formatVersion": "1.0"');
    expect(status).to.equal(0);
    expect(await bridges()).to.equal('br0');
  });
});
