/** `vsb sandbox`: a private Open vSwitch in a directory. Flags and what a person reads; the work is app/sandbox.ts's. */
import { FORMAT_VERSION } from '../units/formatversion.ts';
import { Option, type Command } from 'commander';
import type { SandboxReport } from '../app/sandbox.ts';
import { addLogOption } from './options.ts';
import { interruptSignal, runVerb, writeData, writeError } from './verb.ts';

interface Flags {
  readonly dir: string;
  readonly output: 'shell' | 'json';
  readonly logLevel: 'error' | 'warn' | 'info' | 'debug';
}

interface StartFlags extends Flags {
  readonly netns?: string;
  readonly databaseOnly: boolean;
  readonly dummy: boolean;
}

export function add(program: Command): void {
  const sandbox = program
    .command('sandbox')
    .description('a private Open vSwitch in a directory and a network namespace, for trying and for tests')
    .addHelpText(
      'after',
      `
Example:
  eval "$(vsb sandbox start --dir /tmp/lab)"
  ovs-vsctl show
  vsb sandbox stop --dir /tmp/lab

The variables lead vsb and Open vSwitch's own tools to the sandbox, and put the state of guests into it (DIR/guests).`,
    );
  addStart(sandbox);
  addStop(sandbox);
  addEnv(sandbox);
}

function addStart(sandbox: Command): void {
  addFlags(sandbox.command('start'))
    .description(
      'start one, and print the variables that point at it; one that runs already is left as it is',
    )
    .addOption(outputFormat())
    .addOption(
      new Option(
        '--netns <name>',
        'network namespace to make for it (default: vsb- and the name of DIR)',
      ).env('VSB_SANDBOX_NETNS'),
    )
    .addOption(
      new Option('--database-only', 'ovsdb-server alone; needs no root')
        .default(false)
        .conflicts(['dummy', 'netns'])
        .env('VSB_SANDBOX_DATABASE_ONLY'),
    )
    .addOption(
      new Option('--dummy', 'ports without devices; needs no root')
        .default(false)
        .conflicts('netns')
        .env('VSB_SANDBOX_DUMMY'),
    )
    .addHelpText('after', '\nExample:\n  eval "$(vsb sandbox start --dir /tmp/lab)"')
    .action((flags: StartFlags) =>
      runVerb(flags.logLevel, async () => {
        const app = await import('../app/sandbox.ts');
        const report = await app.start({
          directory: flags.dir,
          netns: flags.netns,
          databaseOnly: flags.databaseOnly,
          dummy: flags.dummy,
          signal: interruptSignal(),
        });
        const { directory, netns } = report.sandbox;
        const where = netns === undefined ? directory : `${directory}, network namespace ${netns}`;
        writeError(`sandbox ${report.started ? 'started' : 'runs already'}: ${where}`);
        writeData(render(report, flags.output));
        return 0;
      }),
    );
}

function addStop(sandbox: Command): void {
  addFlags(sandbox.command('stop'))
    .description('stop one, whoever started it, and remove what it made; needed also after a crash')
    .addOption(
      new Option('--force', 'end the guests and the other processes in it at once, too')
        .default(false)
        .env('VSB_SANDBOX_FORCE'),
    )
    .addHelpText(
      'after',
      `
While a guest, a capture or a shell runs in its network namespace, or a guest in DIR/guests, it is not stopped: they
would go on without network, where nobody finds them. The error names them. DIR/guests goes with the sandbox.

Example:
  vsb vm stop web.vsb.yaml
  vsb sandbox stop --dir /tmp/lab`,
    )
    .action((flags: Flags & { readonly force: boolean }) =>
      runVerb(flags.logLevel, async () => {
        const app = await import('../app/sandbox.ts');
        const stopped = await app.stop(flags.dir, { force: flags.force });
        writeError(stopped ? `sandbox stopped: ${flags.dir}` : `there is no sandbox in ${flags.dir}`);
        return 0;
      }),
    );
}

function addEnv(sandbox: Command): void {
  addFlags(sandbox.command('env'))
    .description('print the variables that point at a sandbox that runs')
    .addOption(outputFormat())
    .addHelpText('after', '\nExample:\n  eval "$(vsb sandbox env --dir /tmp/lab)"')
    .action((flags: Flags) =>
      runVerb(flags.logLevel, async () => {
        const app = await import('../app/sandbox.ts');
        writeData(render(await app.find(flags.dir), flags.output));
        return 0;
      }),
    );
}

function addFlags(command: Command): Command {
  return addLogOption(command).addOption(
    new Option('--dir <dir>', 'directory of the sandbox: new or empty before it is started')
      .makeOptionMandatory()
      .env('VSB_SANDBOX_DIR'),
  );
}

/** Not VSB_OUTPUT: "table" means nothing here. */
function outputFormat(): Option {
  return new Option('-o, --output <format>', 'how the variables are printed')
    .choices(['shell', 'json'])
    .default('shell')
    .env('VSB_SANDBOX_OUTPUT');
}

function render(report: SandboxReport, format: Flags['output']): string {
  const { sandbox, env } = report;
  if (format === 'json') {
    return `${JSON.stringify({ formatVersion: FORMAT_VERSION, ...sandbox, env }, undefined, 2)}\n`;
  }
  return Object.entries(env)
    .map(([name, value]) =>
      value === undefined ? `unset ${name}\n` : `export ${name}=${shellQuoted(value)}\n`,
    )
    .join('');
}

/** A word that a POSIX shell reads back as it is. */
function shellQuoted(text: string): string {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
