/** `vsb vm list`: which VMs there are, whoever runs them. */
import type { Command } from 'commander';
import type { ListedVms } from '../app/vm.ts';
import { FORMAT_VERSION } from '../units/formatversion.ts';
import { renderLeftColumns } from '../output/leftcolumns.ts';
import { toPrintable } from '../units/printable.ts';
import { addCommonOptions, outputOption } from './options.ts';
import { runVerb, writeData } from './verb.ts';
import { connectOption, type VmFlags } from './vmoptions.ts';

export function addList(vm: Command): void {
  const command = vm
    .command('list')
    .description(
      'list the VMs that were started and not stopped (running, stopped by themselves, crashed), and those of libvirt',
    )
    .argument('[file]', 'topology file (default: every VM of the run directory and of libvirt)')
    .addOption(connectOption())
    .addOption(outputOption(['table', 'json', 'yaml'], 'table'))
    .addHelpText('after', '\nExample:\n  vsb vm list -o json\n');
  addCommonOptions(command).action(
    (file: string | undefined, flags: VmFlags & { connect?: string; output: 'table' | 'json' | 'yaml' }) =>
      runVerb(flags.logLevel, async () => {
        const [{ listVms }, { toSettings }] = await Promise.all([
          import('../app/vm.ts'),
          import('../app/settings.ts'),
        ]);
        const vms = await listVms(toSettings(flags), file, { uri: flags.connect });
        if (flags.output !== 'table') {
          const { renderDocument } = await import('../output/document.ts');
          writeData(renderDocument({ formatVersion: FORMAT_VERSION, ...vms }, flags.output));
          return 0;
        }
        writeData(renderLeftColumns([LIST_HEAD, ...listRows(vms).map((row) => row.map(toPrintable))]));
        return 0;
      }),
  );
}

const LIST_HEAD = ['TOPOLOGY', 'VM', 'STATUS', 'WITH', 'PID', 'ACCEL', 'STARTED', 'NICS'];

/** `-` where nobody knows: what libvirt started, or what has no owner. */
function listRows({ guests, domains }: ListedVms): string[][] {
  return [
    ...guests.map((guest) => [
      guest.topology,
      guest.vm,
      guest.status,
      'qemu',
      guest.pid === undefined ? '-' : String(guest.pid),
      guest.accelerator ?? '-',
      guest.startedAt ?? '-',
      '-',
    ]),
    ...domains.map((domain) => [
      domain.topology ?? '-',
      domain.vm,
      domain.status,
      'libvirt',
      '-',
      domain.accelerator,
      '-',
      domain.nics.map(nicWords).join(' ') || '-',
    ]),
  ];
}

/** `vnet0@br0`: the device, and what it is on. */
function nicWords({ device, on, type }: ListedVms['domains'][number]['nics'][number]): string {
  return `${device ?? type}${on === undefined ? '' : `@${on}`}`;
}
