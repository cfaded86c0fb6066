/** `vsb vm qemu-args` and `vsb vm libvirt-xml`: what would be run, to read, to paste, to keep. */
import { Option, type Command } from 'commander';
import { FORMAT_VERSION } from '../units/formatversion.ts';
import { addSwitchOptions, outputOption } from './options.ts';
import { runVerb, writeData } from './verb.ts';
import { acceleratorOption, type VmFlags } from './vmoptions.ts';

export function addQemuArgs(vm: Command): void {
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
      flags: VmFlags & { accel: 'auto' | 'kvm' | 'tcg'; output: 'table' | 'json' | 'yaml' },
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
        const line = ({ directory, argv, redirections }: (typeof commands)[number]): string =>
          `mkdir -p ${quote(directory)} && ${[...argv.map(quote), ...redirections].join(' ')}\n`;
        writeData(commands.map(line).join(''));
        return 0;
      }),
  );
}

export function addLibvirtXml(vm: Command): void {
  const command = vm
    .command('libvirt-xml')
    .description('print the domain XML of a VM, for virsh define')
    .argument('<file>', 'topology file')
    .argument('[vms...]', 'VMs by name (default: all)')
    .addOption(acceleratorOption())
    .addOption(
      new Option(
        '--ports <who>',
        'libvirt: it makes taps and ports when the VM starts, with VLAN and limit; vsb: it opens what vsb apply made',
      )
        .choices(['libvirt', 'vsb'])
        .default('libvirt')
        .env('VSB_VM_PORTS'),
    )
    .addHelpText(
      'after',
      '\nExample:\n  vsb vm libvirt-xml web.vsb.yaml web1 >web1.xml && virsh define --validate web1.xml\n',
    );
  addSwitchOptions(command).action(
    (
      file: string,
      vms: string[],
      flags: VmFlags & { accel: 'auto' | 'kvm' | 'tcg'; ports: 'vsb' | 'libvirt' },
    ) =>
      runVerb(flags.logLevel, async () => {
        const [{ domainXmls }, { toSettings }] = await Promise.all([
          import('../app/vm.ts'),
          import('../app/settings.ts'),
        ]);
        const how = { accelerator: flags.accel, ports: flags.ports };
        writeData((await domainXmls(toSettings(flags), file, vms, how)).join(''));
        return 0;
      }),
  );
}

/** A word as a POSIX shell reads it back. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
