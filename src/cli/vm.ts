/** `vsb vm`: the guests of a topology. Flags and what a person reads; the work is app/vm.ts's. */
import { FORMAT_VERSION } from '../units/formatversion.ts';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { SettingFlags } from '../app/settings.ts';
import type { VmResult } from '../app/vm.ts';
import { VsbError } from '../errors.ts';
import { toDurationMs } from '../units/duration.ts';
import { toPrintable } from '../units/printable.ts';
import { addCommonOptions, addSwitchOptions, outputOption } from './options.ts';
import { interruptSignal, runVerb, writeData, writeError, type AddVerb } from './verb.ts';

type Flags = SettingFlags & { readonly logLevel: string };

export const add: AddVerb = (program) => {
  const vm = program.command('vm').description('start, stop, list and reach the guests of a topology');
  addStart(vm);
  addStop(vm);
  addList(vm);
  addConsole(vm);
  addQemuArgs(vm);
  vm.addHelpText('after', '\nExample:\n  vsb vm start topologies/two-tier.vsb.yaml --wait GUEST-UP\n');
};

function addStart(vm: Command): void {
  const command = vm
    .command('start')
    .description('start VMs, and leave them running; their taps are made by apply')
    .argument('<file>', 'topology file')
    .argument('[vms...]', 'VMs by name (default: all)')
    .addOption(acceleratorOption())
    .addOption(
      new Option(
        '--wait <text>',
        "wait until each guest's console has shown this text, such as GUEST-UP",
      ).env('VSB_VM_WAIT'),
    )
    .addOption(timeoutOption('how long --wait waits', '60s'))
    .addHelpText(
      'after',
      '\nExample:\n  vsb vm start web.vsb.yaml web1 web2 --wait GUEST-UP --timeout 90s\n',
    );
  addSwitchOptions(command).action(
    (
      file: string,
      vms: string[],
      flags: Flags & { accel: 'auto' | 'kvm' | 'tcg'; wait?: string; timeout: number },
    ) =>
      runVerb(flags.logLevel, async () => {
        const [{ startVms }, { toSettings }] = await Promise.all([
          import('../app/vm.ts'),
          import('../app/settings.ts'),
        ]);
        const results = await startVms(toSettings(flags), file, {
          vms,
          accelerator: flags.accel,
          waitFor: flags.wait,
          timeoutMs: flags.timeout,
          signal: interruptSignal(),
        });
        return report(results, (outcome) =>
          outcome.outcome === 'started'
            ? `started, pid ${String(outcome.pid)}, ${outcome.accelerator} (${outcome.reason})`
            : `already running, pid ${String(outcome.pid)}`,
        );
      }),
  );
}

function addStop(vm: Command): void {
  const command = vm
    .command('stop')
    .description('stop VMs: power button, then the end of QEMU')
    .argument('<file>', 'topology file')
    .argument('[vms...]', 'VMs by name (default: all that run)')
    .addOption(new Option('--force', 'at once, without the power button').default(false).env('VSB_VM_FORCE'))
    .addOption(timeoutOption('how long a guest may take after its power button', '10s'))
    .addHelpText('after', '\nExample:\n  vsb vm stop web.vsb.yaml web1\n');
  addCommonOptions(command).action(
    (file: string, vms: string[], flags: Flags & { force: boolean; timeout: number }) =>
      runVerb(flags.logLevel, async () => {
        const [{ stopVms }, { toSettings }] = await Promise.all([
          import('../app/vm.ts'),
          import('../app/settings.ts'),
        ]);
        const options = { vms, force: flags.force, timeoutMs: flags.timeout };
        return report(await stopVms(toSettings(flags), file, options), (outcome) => STOPPED[outcome]);
      }),
  );
}

const STOPPED = {
  'powered-down': 'stopped',
  quit: 'stopped, without its power button',
  killed: 'killed, since QEMU did not end',
  'not-running': 'was not running',
} as const;

function addList(vm: Command): void {
  const command = vm
    .command('list')
    .description(
      'list the guests that were started and not stopped: running, stopped (by themselves), crashed',
    )
    .argument('[file]', 'topology file (default: every guest of the run directory)')
    .addOption(outputOption(['table', 'json', 'yaml'], 'table'))
    .addHelpText('after', '\nExample:\n  vsb vm list -o json\n');
  addCommonOptions(command).action(
    (file: string | undefined, flags: Flags & { output: 'table' | 'json' | 'yaml' }) =>
      runVerb(flags.logLevel, async () => {
        const [{ listVms }, { toSettings }] = await Promise.all([
          import('../app/vm.ts'),
          import('../app/settings.ts'),
        ]);
        const guests = await listVms(toSettings(flags), file);
        if (flags.output !== 'table') {
          const { renderDocument } = await import('../output/document.ts');
          writeData(renderDocument({ formatVersion: FORMAT_VERSION, guests }, flags.output));
          return 0;
        }
        const rows = guests.map((guest) => [
          guest.topology,
          guest.vm,
          guest.status,
          guest.pid === undefined ? '-' : String(guest.pid),
          guest.accelerator ?? '-',
          guest.startedAt ?? '-',
        ]);
        writeData(
          columns([
            ['TOPOLOGY', 'VM', 'STATUS', 'PID', 'ACCEL', 'STARTED'],
            ...rows.map((row) => row.map(toPrintable)),
          ]),
        );
        return 0;
      }),
  );
}

function addConsole(vm: Command): void {
  const command = vm
    .command('console')
    .description("join the terminal with a guest's serial console; Ctrl-] leaves it")
    .argument('<file>', 'topology file')
    .argument('<vm>', 'VM by name')
    .addHelpText(
      'after',
      '\nWithout a terminal stdin goes to the guest and its answers to stdout, until stdin ends and the guest is quiet.\n' +
        '\nExample:\n  vsb vm console web.vsb.yaml web1\n  echo "ip addr" | vsb vm console web.vsb.yaml web1\n',
    );
  addCommonOptions(command).action((file: string, name: string, flags: Flags) =>
    runVerb(flags.logLevel, async () => {
      const [{ openConsole }, { toSettings }] = await Promise.all([
        import('../app/vm.ts'),
        import('../app/settings.ts'),
      ]);
      const { stdin, stdout } = process;
      if (stdin.isTTY) {
        writeError(`vsb: console of ${name}; Ctrl-] leaves it, Enter shows a prompt`);
        stdin.setRawMode(true);
      }
      try {
        const streams = { input: stdin, output: stdout, interactive: stdin.isTTY };
        const who = await openConsole(toSettings(flags), file, name, streams);
        if (who === 'guest') writeError(`vsb: the guest ${name} has ended`);
      } finally {
        if (stdin.isTTY) stdin.setRawMode(false);
      }
      return 0;
    }),
  );
}

function addQemuArgs(vm: Command): void {
  const command = vm
    .command('qemu-args')
    .description('print the command that starts a VM here, one line for each')
    .argument('<file>', 'topology file')
    .argument('[vms...]', 'VMs by name (default: all)')
    .addOption(acceleratorOption())
    .addOption(outputOption(['table', 'json', 'yaml'], 'table'))
    .addHelpText('after', '\nExample:\n  vsb vm qemu-args web.vsb.yaml web1\n');
  addSwitchOptions(command).action(
    (
      file: string,
      vms: string[],
      flags: Flags & { accel: 'auto' | 'kvm' | 'tcg'; output: 'table' | 'json' | 'yaml' },
    ) =>
      runVerb(flags.logLevel, async () => {
        const [{ startCommands }, { toSettings }] = await Promise.all([
          import('../app/vm.ts'),
          import('../app/settings.ts'),
        ]);
        const commands = await startCommands(toSettings(flags), file, vms, flags.accel);
        if (flags.output !== 'table') {
          const { renderDocument } = await import('../output/document.ts');
          writeData(renderDocument({ formatVersion: FORMAT_VERSION, commands }, flags.output));
          return 0;
        }
        const line = ({ directory, argv }: (typeof commands)[number]): string =>
          `mkdir -p ${quote(directory)} && ${argv.map(quote).join(' ')}\n`;
        writeData(commands.map(line).join(''));
        return 0;
      }),
  );
}

/** Tells of each VM what became of it. @returns the highest exit status of the faults, else 0 */
function report<Outcome>(results: readonly VmResult<Outcome>[], words: (outcome: Outcome) => string): number {
  let status = 0;
  for (const { vm, result } of results) {
    if (result instanceof VsbError) {
      writeError(`vsb: error[${result.code}]: ${result.message}`);
      status = Math.max(status, result.exitStatus);
    } else writeError(`${vm}: ${words(result)}`);
  }
  return status;
}

function acceleratorOption(): Option {
  return new Option('--accel <accelerator>', 'auto: KVM where it boots the kernel, else emulation (tcg)')
    .choices(['auto', 'kvm', 'tcg'])
    .default('auto')
    .env('VSB_ACCEL');
}

function timeoutOption(what: string, defaultText: string): Option {
  return new Option('--timeout <duration>', what)
    .default(toDurationMs(defaultText), defaultText)
    .argParser((text: string) => {
      const ms = toDurationMs(text);
      if (ms === undefined) throw new InvalidArgumentError('Write a duration such as 500ms, 10s or 2m.');
      return ms;
    })
    .env('VSB_VM_TIMEOUT');
}

/** Left-aligned columns with two blanks between. */
function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd((widths[column] ?? 0) + 2))
          .join('')
          .trimEnd()}\n`,
    )
    .join('');
}

/** A word as a POSIX shell reads it back. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
