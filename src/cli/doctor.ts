/** `vsb doctor [FILE]`: what this host can do for guests, and how to mend what it cannot. */
import type { Command } from 'commander';
import { Option } from 'commander';
import type { SettingFlags } from '../app/settings.ts';
import { addSwitchOptions, outputOption } from './options.ts';
import { interruptSignal, isColourful, runVerb, writeData } from './verb.ts';

type Flags = SettingFlags & {
  readonly output: 'table' | 'json' | 'yaml';
  readonly logLevel: string;
  readonly guestConfig?: string;
};

export function add(program: Command): void {
  addSwitchOptions(
    program
      .command('doctor')
      .summary('what this host can do for guests, and how to mend what it cannot')
      .description(
        'Looks at the kernel, Open vSwitch, QEMU and libvirt: each check is ok, a warning or a problem, with why it matters ' +
          'and what mends it. With FILE, a topology, also which of its NICs cannot run here. Changes nothing. Exit status 1 ' +
          'where there is a problem.',
      )
      .argument('[file]', 'a topology'),
  )
    .addOption(
      new Option(
        '--guest-config <file>',
        "the configuration of a guest's kernel, also in gzip: has it virtio?",
      ).env('VSB_GUEST_CONFIG'),
    )
    .addOption(outputOption(['table', 'json', 'yaml'], 'table'))
    .addHelpText(
      'after',
      `
Examples:
  vsb doctor
  vsb doctor two-tier.vsb.yaml --guest-config /boot/config-6.1.0-amd64
  vsb doctor -o json | jq -r '.checks[] | select(.state != "ok") | .remedy'`,
    )
    .action((file: string | undefined, flags: Flags) =>
      runVerb(flags.logLevel, async () => {
        const [app, { toSettings }, output] = await Promise.all([
          import('../app/doctor.ts'),
          import('../app/settings.ts'),
          import('../output/doctor.ts'),
        ]);
        const { guestConfig } = flags;
        const checks = await app.doctor({
          settings: toSettings(flags),
          file,
          guestConfig,
          signal: interruptSignal(),
        });
        if (flags.output === 'table')
          writeData(output.renderDoctor(checks, { colour: isColourful(process.stdout) }));
        else {
          const { renderDocument } = await import('../output/document.ts');
          writeData(renderDocument(output.toDoctorDocument(checks), flags.output));
        }
        return output.isWell(checks) ? 0 : 1;
      }),
    );
}
