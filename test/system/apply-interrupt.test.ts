import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';

const TSX = createRequire(import.meta.url).resolve('tsx');
const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
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

  function start(program: string, args: readonly string[]): Running {
    return running(spawn(program, args, { env: { ...process.env, ...sandbox.env }, stdio: 'pipe' }));
  }

  /** Run by a terminal of its own. */
  function onTerminal(...args: readonly string[]): Running {
    const command = [process.execPath, '--import', TSX, MAIN, ...args].join(' ');
    return start('script', ['-qec', command, '/dev/null']);
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
        await using first = start(process.execPath, [
          '--import',
          TSX,
          MAIN,
          'apply',
          file,
          '--yes',
          '--database-only',
        ]);
        expect((await first.end()).status).to.equal(0);
      }
      await using vsb = start(process.execPath, ['--import', TSX, MAIN, verb, file, '--yes', ...PATIENT]);
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

interface Running extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Waits until it has printed this. */
  text(wanted: string): Promise<void>;
  end(): Promise<{ readonly status: number | null; readonly output: string }>;
}

function running(child: ChildProcess): Running {
  const closed = once(child, 'close');
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      child.emit('text');
    });
  }
  return {
    child,
    text: async (wanted) => {
      while (!output.includes(wanted)) {
        await Promise.race([once(child, 'text'), closed]);
        if (child.exitCode !== null) throw new Error(`it ended without "${wanted}":\n${output}`);
      }
    },
    end: async () => {
      await closed;
      return { status: child.exitCode, output };
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await closed;
    },
  };
}
