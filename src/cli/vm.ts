/** `vsb vm`: starts, stops and reaches the guests of a topology. Flags and what a person reads; the work is app/vm.ts's. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { VmResult } from '../app/vm.ts';
import { fail, VsbError } from '../errors.ts';
import { toDurationMs } from '../units/duration.ts';
import { addCommonOptions, addSwitchOptions } from './options.ts';
import { interruptSignal, runVerb, writeError, type AddVerb } from './verb.ts';
import { addList } from './vmlist.ts';
import { acceleratorOption, connectOption, type VmFlags } from './vmoptions.ts';
import { addLibvirtXml, addQemuArgs } from './vmprint.ts';

export const add: AddVerb = (program) => {
  const vm = program.command('vm').description('start, stop, list and reach the guests of a topology');
  addStart(vm);
  addStop(vm);
  addList(vm);
  addConsole(vm);
  addQemuArgs(vm);
  addLibvirtXml(vm);
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
      new Option('--with <program>', 'who runs them; libvirt: as domains that are gone when they have ended')
        .choices(['qemu', 'libvirt'])
        .default('qemu')
        .env('VSB_VM_WITH'),
    )
    .addOption(connectOption())
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
      flags: VmFlags & {
        accel: 'auto' | 'kvm' | 'tcg';
        with: 'qemu' | 'libvirt';
        connect?: string;
        wait?: string;
        timeout: number;
      },
    ) =>
      runVerb(flags.logLevel, async () => {
        if (flags.with === 'libvirt' && flags.wait !== undefined) {
          const what =
            '--wait reads the console of a VM that runs with QEMU. With libvirt use: virsh console VM';
          throw fail('USAGE', { what });
        }
        const [{ startVms }, { toSettings }] = await Promise.all([
          import('../app/vm.ts'),
          import('../app/settings.ts'),
        ]);
        const results = await startVms(toSettings(flags), file, {
          vms,
          accelerator: flags.accel,
          with: flags.with,
          libvirt: { uri: flags.connect, signal: interruptSignal() },
          waitFor: flags.wait,
          timeoutMs: flags.timeout,
          signal: interruptSignal(),
        });
        return report(results, (outcome) => {
          const who = 'pid' in outcome ? `pid ${String(outcome.pid)}` : `libvirt's domain ${outcome.domain}`;
          return outcome.outcome === 'started'
            ? `started, ${who}, ${outcome.accelerator} (${outcome.reason})`
            : `already running, ${who}`;
        });
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
    .addOption(connectOption())
    .addOption(timeoutOption('how long a guest may take after its power button', '10s'))
    .addHelpText('after', '\nExample:\n  vsb vm stop web.vsb.yaml web1\n');
  addCommonOptions(command).action(
    (file: string, vms: string[], flags: VmFlags & { force: boolean; connect?: string; timeout: number }) =>
      runVerb(flags.logLevel, async () => {
        const [{ stopVms }, { toSettings }] = await Promise.all([
          import('../app/vm.ts'),
          import('../app/settings.ts'),
        ]);
        const libvirt = { uri: flags.connect };
        const options = { vms, force: flags.force, timeoutMs: flags.timeout, libvirt };
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
  addCommonOptions(command).action((file: string, name: string, flags: VmFlags) =>
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
